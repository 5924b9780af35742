/** Starting processes, waiting for their ends through pidfds, and signalling them. */
package io.jcontainerd.linux.process;
