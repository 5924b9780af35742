/** Pseudo-terminals: window size, and the socket on which an OCI runtime hands one over. */
package io.jcontainerd.linux.terminal;
