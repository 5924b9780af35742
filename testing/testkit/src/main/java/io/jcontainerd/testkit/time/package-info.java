/** Time that passes only when a test says so. */
package io.jcontainerd.testkit.time;
