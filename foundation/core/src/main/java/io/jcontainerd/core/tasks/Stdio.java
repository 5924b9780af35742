package io.jcontainerd.core.tasks;

/**
 * Where a process's streams lead: each a FIFO, a file or a URI such as {@code file:///path}; empty
 * for none.
 *
 * @param stdin read by the process
 * @param stdout written by the process
 * @param stderr written by the process; empty with a terminal
 * @param terminal whether the process gets a terminal
 */
public record Stdio(String stdin, String stdout, String stderr, boolean terminal) {
  /** No streams at all. */
  public static final Stdio NONE = new Stdio("", "", "", false);
}
