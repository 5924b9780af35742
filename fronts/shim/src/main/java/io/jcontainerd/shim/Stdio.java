package io.jcontainerd.shim;

/**
 * Where a process reads and writes, in containerd's forms: empty, a path, or a URI with the scheme
 * {@code fifo}, {@code file}, {@code binary} or {@code binary-v2}.
 *
 * @param stdin read by the process
 * @param stdout written by the process
 * @param stderr written by the process; unused with a terminal
 * @param terminal whether the process gets a terminal
 */
record Stdio(String stdin, String stdout, String stderr, boolean terminal) {}
