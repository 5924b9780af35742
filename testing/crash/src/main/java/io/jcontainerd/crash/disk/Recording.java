package io.jcontainerd.crash.disk;

import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;

/**
 * What a program did, in order: changes of its disk and what it told its client, each with how many
 * transactions were in its store's log by then. Safe for many threads.
 */
public final class Recording {
  /**
   * One step.
   *
   * @param commits transactions that were in the log when the step had happened
   */
  public record Entry(long commits, Step step) {}

  private final List<Entry> entries = new ArrayList<>();
  private LongSupplier commits = () -> 0;

  /** From now on, this tells how many transactions are in the log. */
  public synchronized void countCommits(LongSupplier counter) {
    commits = counter;
  }

  /** Adds a step that just happened. */
  public synchronized void add(Step step) {
    entries.add(new Entry(commits.getAsLong(), step));
  }

  /** The steps so far. */
  public synchronized List<Entry> entries() {
    return List.copyOf(entries);
  }
}
