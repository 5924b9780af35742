/** A kernel that only remembers. */
package io.jcontainerd.testkit.kernel;
