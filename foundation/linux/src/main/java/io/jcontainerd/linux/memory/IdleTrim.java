package io.jcontainerd.linux.memory;

import io.jcontainerd.core.ports.Time;
import io.jcontainerd.linux.ErrnoException;
import java.lang.System.Logger.Level;
import java.time.Duration;

/**
 * Has memory given back when there was work and it is over.
 *
 * <p>Work is what the process takes of the processors: it needs nobody to tell that it begins or
 * ends, and garbage comes from nothing else. Every two seconds it is looked at; after two times
 * with next to none, and if there was enough since the last giving back to be worth it, caches are
 * emptied and the virtual machine collects all garbage, after which it shrinks its heap. So a
 * process without work does nothing, one with a little all the time gives back seldom, and one with
 * much does not.
 */
public final class IdleTrim implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger(IdleTrim.class.getName());
  private static final Duration PERIOD = Duration.ofSeconds(2);
  private static final int CALM_PERIODS = 2;
  private static final long CALM_NANOS = Duration.ofMillis(40).toNanos();
  private static final long WORTH_NANOS = Duration.ofMillis(500).toNanos();

  private final Time time;
  private final ProcessorTime processor;
  private final Runnable giveBack;
  private final Thread thread;

  // of the thread
  private long seen;
  private long work;
  private int calm;

  /**
   * @param giveBack is called when there is no work any more
   */
  IdleTrim(Time time, ProcessorTime processor, Runnable giveBack) {
    this.time = time;
    this.processor = processor;
    this.giveBack = giveBack;
    this.thread = Thread.ofVirtual().name("idle-trim").unstarted(this::rounds);
  }

  /**
   * Begins to look at this process.
   *
   * @param emptyCaches is called before garbage is collected
   */
  public static IdleTrim start(Time time, Runnable emptyCaches) {
    var trim =
        new IdleTrim(
            time,
            ProcessorTime.OF_THIS_PROCESS,
            () -> {
              try {
                emptyCaches.run();
              } finally {
                System.gc();
              }
            });
    var _ = trim.begin();
    return trim;
  }

  Thread begin() {
    thread.start();
    return thread;
  }

  private void rounds() {
    try {
      while (true) {
        time.sleep(PERIOD);
        round();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // it is closed
    } catch (ErrnoException e) {
      LOG.log(Level.WARNING, "memory will not be given back when there is no work", e);
    }
  }

  /** What is done each period. */
  void round() throws ErrnoException {
    long now = processor.nanos();
    long used = now - seen;
    seen = now;
    work += used;
    calm = used <= CALM_NANOS ? calm + 1 : 0;
    if (calm >= CALM_PERIODS && work >= WORTH_NANOS) {
      try {
        giveBack.run();
      } catch (RuntimeException e) {
        LOG.log(Level.WARNING, "memory could not be given back", e);
      }
      work = 0;
      seen = processor.nanos(); // what that cost is no work
    }
  }

  /** Looks no more; what is being given back still is. */
  @Override
  public void close() {
    thread.interrupt();
  }
}
