/**
 * File descriptors that somebody owns, FIFOs, pipes, and one thread that waits for many of them.
 */
package io.jcontainerd.linux.descriptor;
