package io.jcontainerd.snapshots;

import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.ports.Time;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Makes what a snapshotter committed durable: many commits with one synchronisation of the file
 * system. It comes when somebody needs one of them to last, and at the latest {@link #DELAY} after
 * the first; those who ask at the same time share it.
 *
 * <p>A synchronisation that fails is told once by the kernel, and a second one would look like a
 * success. So whatever it was to save is taken for lost and has to be unpacked again.
 *
 * <p>{@code this} guards the thread that waits; nothing is done under it.
 */
final class Durability implements AutoCloseable {
  /** The longest that a commit waits for its synchronisation to begin. */
  static final Duration DELAY = Duration.ofSeconds(2);

  private static final Logger LOG = System.getLogger(Durability.class.getName());

  /** Keys of those who unpack images, as their clients and containerd's contract have them. */
  private static final Pattern UNPACKING =
      Pattern.compile("(?:[^/]+/[0-9]+/)?extract-\\S+ sha(?:256|384|512):[0-9a-f]+");

  private final String name;
  private final ProvisionalRecords records;
  private final SharedSync.Action synchronise;
  private final Time time;
  private final @Nullable String boot;
  private final SharedSync shared = new SharedSync(this::synchronise);
  private @Nullable Thread thread; // the last that was started
  private boolean waiting;
  private boolean closed;

  /** Ids that a synchronisation failed to save and that could not be removed yet. */
  private List<Long> doubtful = List.of(); // guarded by shared: one at a time runs

  /**
   * @param synchronise makes everything written so far survive a power cut
   * @param boot of this run of the machine; null if commits are never made durable
   */
  Durability(
      String name,
      ProvisionalRecords records,
      SharedSync.Action synchronise,
      Time time,
      @Nullable String boot) {
    this.name = name;
    this.records = records;
    this.synchronise = synchronise;
    this.time = time;
    this.boot = boot;
  }

  /**
   * Whether the key is that of a layer that is being unpacked. Nobody keeps such a snapshot as it
   * is: should it be lost in a power cut, its maker is gone too.
   */
  static boolean isUnpacking(String key) {
    return UNPACKING.matcher(key).matches();
  }

  /** What to record an unpacked layer with: the boot in which it holds; null if for ever. */
  @Nullable String boot() {
    return boot;
  }

  /** Something was committed: it will be durable after a while. */
  synchronized void committed() {
    if (boot != null && !waiting && !closed) {
      waiting = true;
      thread = Thread.ofPlatform().name("sync-" + name).daemon(true).start(this::later);
    }
  }

  private void later() {
    try {
      time.sleep(DELAY);
    } catch (InterruptedException e) {
      LOG.log(Level.DEBUG, "snapshotter " + name + " is being closed", e);
      return;
    }
    synchronized (this) {
      waiting = false; // whoever commits from here on may come too late for this one
      if (closed) {
        return;
      }
    }
    settleOrTell();
  }

  private void settleOrTell() {
    try {
      settle();
    } catch (IOException | ContainerdException e) {
      LOG.log(Level.ERROR, "snapshotter " + name + ": layers could not be made durable", e);
    }
  }

  /** Returns once everything that was committed before this call survives a power cut. */
  void settle() throws IOException {
    if (!records.committed().isEmpty()) {
      shared.run();
    }
  }

  /** Returns once everything that was written before this call survives a power cut. */
  void synchroniseAll() throws IOException {
    shared.run();
  }

  /** Others share it, so a cancel of whoever runs it must not end it. */
  private void synchronise() throws IOException {
    boolean interrupted = Thread.interrupted();
    try {
      synchroniseAndNote();
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private void synchroniseAndNote() throws IOException {
    loseDoubtful();
    List<Long> ids = records.committed();
    try {
      synchronise.run();
    } catch (IOException e) {
      doubtful = ids;
      try {
        loseDoubtful();
      } catch (ContainerdException second) {
        e.addSuppressed(second); // the next one begins with it
      }
      throw e;
    }
    records.settle(ids);
  }

  private void loseDoubtful() {
    if (doubtful.isEmpty()) {
      return;
    }
    ProvisionalRecords.Lost lost = records.lose(doubtful);
    doubtful = List.of();
    LOG.log(
        Level.ERROR,
        "snapshotter {0}: not saved by a synchronisation that failed, to be unpacked again: {1}",
        name,
        lost.names());
    lost.tellKept(LOG, name);
  }

  /** Makes durable what is not, so that nothing is lost if the machine is stopped next. */
  @Override
  public void close() {
    Thread last;
    synchronized (this) {
      closed = true;
      last = thread;
      if (last != null && waiting) {
        last.interrupt();
      }
    }
    try {
      if (last != null) {
        last.join();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      LOG.log(Level.DEBUG, "snapshotter " + name + ": closing was interrupted", e);
      return;
    }
    if (boot != null) {
      settleOrTell();
    }
  }
}
