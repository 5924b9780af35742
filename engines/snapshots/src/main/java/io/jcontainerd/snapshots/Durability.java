package io.jcontainerd.snapshots;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.operation.RunningOperation;
import io.jcontainerd.core.ports.Kernel;
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
 * success. So whatever it was to save is taken for lost and has to be unpacked again; also if the
 * process dies while one is under way, which is noted before.
 *
 * <p>{@code this} guards the thread that waits; nothing is done under it.
 */
final class Durability implements AutoCloseable {
  /** The longest that a commit waits for its synchronisation to begin. */
  static final Duration DELAY = Duration.ofSeconds(2);

  /** The longest between two attempts. */
  static final Duration LONGEST = Duration.ofMinutes(1);

  /**
   * The longest that a synchronisation may take until nobody waits for it any more. It may have as
   * many bytes to write as the kernel keeps, on a slow disk.
   */
  private static final Duration LONGEST_SYNC = Duration.ofMinutes(30);

  /** The longest that closing waits for what others have begun. */
  private static final Duration END = Duration.ofSeconds(20);

  private static final Logger LOG = System.getLogger(Durability.class.getName());

  /** Keys of those who unpack images, as their clients and containerd's contract have them. */
  private static final Pattern UNPACKING =
      Pattern.compile("(?:[^/]+/[0-9]+/)?extract-\\S+ sha(?:256|384|512):[0-9a-f]+");

  private final String name;
  private final ProvisionalRecords records;
  private final Kernel.Synchroniser synchroniser;
  private final Time time;
  private final @Nullable String boot;
  private final Duration end;
  private final SharedSync shared;
  private @Nullable Thread thread; // the last that was started
  private boolean waiting;
  private boolean closed;

  /** Whether one failed, and what it was to save could not be removed yet. */
  private boolean failed; // guarded by shared: one at a time runs

  /**
   * @param synchroniser of the snapshots' file system, open since before anything is written; it is
   *     closed with this
   * @param boot of this run of the machine; null if commits are never made durable
   */
  Durability(
      String name,
      ProvisionalRecords records,
      Kernel.Synchroniser synchroniser,
      Time time,
      @Nullable String boot) {
    this(name, records, synchroniser, time, boot, END);
  }

  Durability(
      String name,
      ProvisionalRecords records,
      Kernel.Synchroniser synchroniser,
      Time time,
      @Nullable String boot,
      Duration end) {
    this.name = name;
    this.records = records;
    this.synchroniser = synchroniser;
    this.time = time;
    this.boot = boot;
    this.end = end;
    this.shared =
        new SharedSync("the file system of snapshotter " + name, LONGEST_SYNC, this::synchronise);
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

  /** What an earlier process of this boot committed will be durable after a while. */
  void start() {
    if (!records.committed().isEmpty()) {
      committed();
    }
  }

  /** Something was committed: it will be durable after a while. */
  synchronized void committed() {
    if (boot != null && !waiting && !closed) {
      thread = Thread.ofPlatform().name("sync-" + name).daemon(true).start(this::later);
      waiting = true; // not before there is somebody who waits
    }
  }

  /** Until an attempt succeeds, or another thread waits for the next. */
  private void later() {
    Duration delay = DELAY;
    do {
      try {
        time.sleep(delay);
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
      Duration longer = delay.multipliedBy(2);
      delay = longer.compareTo(LONGEST) < 0 ? longer : LONGEST;
    } while (!settleOrTell(LONGEST_SYNC) && waitsAgain());
  }

  private synchronized boolean waitsAgain() {
    if (waiting || closed) {
      return false;
    }
    waiting = true;
    thread = Thread.currentThread();
    return true;
  }

  private boolean settleOrTell(Duration patience) {
    try {
      settle(patience);
      return true;
    } catch (IOException | ContainerdException e) {
      LOG.log(Level.ERROR, "snapshotter " + name + ": layers could not be made durable", e);
      return false;
    }
  }

  /** Returns once everything that was committed before this call survives a power cut. */
  void settle() throws IOException {
    settle(patience());
  }

  private void settle(Duration patience) throws IOException {
    if (!records.committed().isEmpty()) {
      RunningOperation.tell("syncfs", "the file system of its snapshots");
      shared.run(patience);
    }
  }

  /** Returns once everything that was written before this call survives a power cut. */
  void synchroniseAll() throws IOException {
    RunningOperation.tell("syncfs", "the file system of its snapshots");
    shared.run(patience());
  }

  /** No longer than the call has time. */
  private Duration patience() {
    return Call.current()
        .deadline()
        .map(deadline -> Duration.between(time.now(), deadline))
        .filter(left -> left.compareTo(LONGEST_SYNC) < 0)
        .orElse(LONGEST_SYNC);
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
    if (failed) {
      loseAll();
    }
    List<Long> ids = records.committed();
    records.synchronising();
    try {
      synchroniser.synchronise();
    } catch (IOException | RuntimeException e) {
      try {
        failed = true;
        loseAll();
      } catch (ContainerdException second) {
        e.addSuppressed(second); // the next one begins with it, be it another process's
      }
      throw e;
    }
    records.settle(ids);
  }

  private void loseAll() {
    ProvisionalRecords.Lost lost = records.loseAll();
    failed = false;
    if (!lost.names().isEmpty()) {
      LOG.log(
          Level.ERROR,
          "snapshotter {0}: not saved by a synchronisation that failed, to be unpacked again: {1}",
          name,
          lost.names());
    }
    lost.tellKept(LOG, name);
  }

  /**
   * Makes durable what is not, so that nothing is lost if the machine is stopped next. What a disk
   * that hangs does not take in time is taken for lost, as if this process had been killed.
   */
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
      if (last != null && !last.join(end)) {
        LOG.log(Level.WARNING, "snapshotter {0}: {1} does not end", name, last.getName());
      } else if (boot != null) {
        boolean _ = settleOrTell(end);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      LOG.log(Level.DEBUG, "snapshotter " + name + ": closing was interrupted", e);
    } finally {
      closeSynchroniser();
    }
  }

  /** Not while it is used: a failure of that would be taken for lost writes. */
  private void closeSynchroniser() {
    if (!shared.close(end)) {
      LOG.log(Level.WARNING, "snapshotter {0}: its file system is still synchronised", name);
      return;
    }
    try {
      synchroniser.close();
    } catch (IOException e) {
      LOG.log(Level.WARNING, "snapshotter " + name + ": close its file system", e);
    }
  }
}
