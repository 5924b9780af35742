/** A registry to test against. */
package io.jcontainerd.testkit.registry;
