/**
 * Stores in memory. Each keeps the namespace of the current call apart from the others; without a
 * namespace it works as a backend does, in a space of its own. The contracts in {@code
 * io.jcontainerd.testkit.contract} hold for them as for the real ones.
 */
package io.jcontainerd.testkit.memory;
