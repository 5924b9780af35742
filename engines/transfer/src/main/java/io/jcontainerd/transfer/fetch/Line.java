package io.jcontainerd.transfer.fetch;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.core.registry.Skipping;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * One connection: a thread reads a range into a ring, from which it is taken in order. When the
 * ring is full the thread waits, and with it the other side. All is guarded by the lock of the
 * download.
 */
final class Line {
  /** Opens the bytes of a range; null if that cannot be had. */
  @FunctionalInterface
  interface Opener {
    /**
     * Opens them.
     *
     * @param passedOver of those who may have it, who are asked last
     */
    @Nullable InputStream open(long from, long until, int passedOver) throws IOException;
  }

  /** The other side brings nothing for too long. */
  static final class StalledException extends IOException {
    private static final long serialVersionUID = 1L;

    StalledException(Duration stall) {
      super("nothing came for " + stall.toSeconds() + " seconds");
    }
  }

  /** The other side does not give parts. */
  static final class NoPartsException extends IOException {
    private static final long serialVersionUID = 1L;

    NoPartsException() {
      super("parts are not to be had");
    }
  }

  private static final System.Logger LOG = System.getLogger(Line.class.getName());
  private static final Duration LONGEST_END = Duration.ofSeconds(10);
  private static final Duration OWN_END = Duration.ofMillis(200);

  /** So many bytes are worth waking somebody up. */
  private static final int WORTH = 256 << 10;

  private final Object lock;
  private final Opener opener;
  private final IntConsumer meter;
  private final Time time;
  private final byte[] ring;
  private final boolean part;
  private final int fruitless;
  private final int passedOver;

  private long taken;
  private long filled;
  private long until;
  private long begun;
  private boolean cut;
  private boolean ended;
  private boolean full;
  private long lastBytes;
  private long skipped;
  private @Nullable Exception failure;
  private @Nullable InputStream stream;
  private @Nullable Thread thread;

  private Line(
      Object lock,
      Opener opener,
      IntConsumer meter,
      Time time,
      byte[] ring,
      boolean part,
      int fruitless,
      int passedOver,
      long from,
      long until) {
    this.lock = lock;
    this.opener = opener;
    this.meter = meter;
    this.time = time;
    this.ring = ring;
    this.part = part;
    this.fruitless = fruitless;
    this.passedOver = passedOver;
    this.taken = from;
    this.filled = from;
    this.begun = from;
    this.until = until;
    this.lastBytes = time.nanoTime();
  }

  /**
   * A line over a range.
   *
   * @param meter is told of bytes as they come, under the lock
   */
  static Line whole(
      Object lock,
      Opener opener,
      IntConsumer meter,
      Time time,
      byte[] ring,
      int passedOver,
      long from,
      long until) {
    return new Line(lock, opener, meter, time, ring, false, 0, passedOver, from, until);
  }

  /** A line over a part that fits its ring. */
  static Line part(
      Object lock,
      Opener opener,
      IntConsumer meter,
      Time time,
      byte[] ring,
      int passedOver,
      long from,
      long until) {
    return new Line(lock, opener, meter, time, ring, true, 0, passedOver, from, until);
  }

  /** A line over what this one did not bring, from the next who has it, with what it did bring. */
  Line again() {
    int tries = filled > begun ? 0 : fruitless + 1;
    byte[] other = new byte[ring.length];
    Line next =
        new Line(lock, opener, meter, time, other, part, tries, passedOver + 1, taken, until);
    next.cut = cut;
    for (long at = taken; at < filled; at++) {
      next.ring[(int) (at % ring.length)] = ring[(int) (at % ring.length)];
    }
    next.filled = filled;
    next.begun = filled;
    return next;
  }

  /** Begins to read. */
  void start() {
    Call call = Call.current();
    synchronized (lock) {
      if (!ended) {
        thread = Thread.ofVirtual().name("fetch " + filled).start(() -> call.run(this::read));
      }
    }
  }

  private void read() {
    Exception why = null;
    try (InputStream in = open()) {
      int room = room();
      while (room > 0) {
        int at = (int) (filled % ring.length);
        int count = in.read(ring, at, Math.min(room, ring.length - at));
        if (count < 0) {
          throw new EOFException("it ended " + (until - filled) + " bytes early");
        }
        put(count);
        room = room();
      }
      if (!isCut()) {
        drain(in);
      }
    } catch (IOException | RuntimeException | InterruptedException e) {
      why = e;
    } finally {
      end(why);
    }
  }

  /** Reads the end, so that the connection can be used again. What comes after is not ours. */
  private static void drain(InputStream in) throws IOException {
    if (in.read() >= 0) {
      LOG.log(System.Logger.Level.DEBUG, "more bytes came than were asked for");
    }
  }

  private InputStream open() throws IOException {
    InputStream in = opener.open(filled, until, passedOver);
    if (in == null) {
      throw new NoPartsException();
    }
    synchronized (lock) {
      stream = in;
      lastBytes = time.nanoTime();
    }
    return in;
  }

  private boolean isCut() {
    synchronized (lock) {
      return cut;
    }
  }

  /** Waits for space until whoever takes makes some or ends it; 0 when the range is there. */
  private int room() throws InterruptedException {
    synchronized (lock) {
      while (filled < until && filled - taken == ring.length) {
        full = true;
        lock.notifyAll();
        lock.wait();
      }
      if (full) {
        full = false;
        lastBytes = time.nanoTime();
      }
      return (int) Math.min(until - filled, ring.length - (filled - taken));
    }
  }

  private void put(int count) {
    synchronized (lock) {
      boolean before = isReady();
      filled += count;
      meter.accept(count);
      lastBytes = time.nanoTime();
      if (!before && isReady()) {
        lock.notifyAll();
      }
    }
  }

  private void end(@Nullable Exception why) {
    synchronized (lock) {
      if (!ended) {
        ended = true;
        failure = why;
        lock.notifyAll();
      }
    }
  }

  /** Whether there is something worth taking, or nothing more will come. */
  boolean isReady() {
    return ended || filled - taken >= Math.min(WORTH, ring.length) || filled >= until;
  }

  /** Whether all was taken. */
  boolean isDone() {
    return taken >= until;
  }

  /** Whether nothing more will come, although something is missing. */
  boolean isBroken() {
    return ended && filled < until;
  }

  /** Whether its thread has ended, or was never begun. */
  boolean isOver() {
    Thread reading = thread;
    return reading == null || !reading.isAlive();
  }

  /** The ring, for another line. Only of a line that is done. */
  byte[] ring() {
    return ring;
  }

  boolean isPart() {
    return part;
  }

  /** Tries in a row that brought no byte, this one included if it brought none. */
  int fruitless() {
    return filled > begun ? 0 : fruitless + 1;
  }

  @Nullable Exception failure() {
    return failure;
  }

  /** The next byte to be taken. */
  long position() {
    return taken;
  }

  long until() {
    return until;
  }

  /** What there is to take, without a break; stays as it is until {@link #took}. */
  ByteBuffer available() {
    int at = (int) (taken % ring.length);
    return ByteBuffer.wrap(ring, at, (int) Math.min(filled - taken, ring.length - at));
  }

  void took(int count) {
    taken += count;
    lock.notifyAll();
  }

  /** Lets the line end soon, after what it is reading. */
  long cut() {
    until = Math.min(until, filled + ring.length - (filled - taken));
    cut = true;
    lock.notifyAll();
    return until;
  }

  /** Of those who may have it, who are asked last. */
  int passedOver() {
    return passedOver;
  }

  /** Whether bytes were promised. */
  boolean isAnswered() {
    return stream != null;
  }

  /** When the last byte came, if the line is waiting for one. */
  boolean isSilentSince(long nanos) {
    return !ended && !full && filled < until && lastBytes - nanos < 0;
  }

  /** Whether, since this was last asked, bytes came that stand before those that are wanted. */
  boolean isSkipping() {
    if (!(stream instanceof Skipping skipping)) {
      return false;
    }
    long before = skipped;
    skipped = skipping.skipped();
    if (skipped == before) {
      return false;
    }
    lastBytes = time.nanoTime();
    return true;
  }

  /** Takes the line for broken. Its thread has to be told, by {@link #release}. */
  void abandon(Exception why) {
    end(why);
  }

  /** Tells the thread of a line that was abandoned to end. Not under the lock. */
  void release() {
    InputStream open;
    Thread reading;
    synchronized (lock) {
      open = stream;
      reading = thread;
    }
    if (reading != null) {
      reading.interrupt();
    }
    if (open != null) {
      closeQuietly(open);
    }
  }

  private static void closeQuietly(InputStream in) {
    try {
      in.close();
    } catch (IOException e) {
      LOG.log(System.Logger.Level.DEBUG, "a stream that was given up could not be closed", e);
    }
  }

  /** Ends the line, and waits for its thread. Not under the lock. */
  void close() {
    Thread reading;
    boolean all;
    synchronized (lock) {
      all = filled >= until;
      abandon(new IOException("closed"));
      reading = thread;
    }
    if (reading == null) {
      return;
    }
    boolean interrupted = Thread.interrupted();
    if (all) {
      interrupted |= join(reading, OWN_END);
    }
    release();
    interrupted |= join(reading, LONGEST_END);
    if (reading.isAlive()) {
      LOG.log(System.Logger.Level.WARNING, "a connection to a registry does not end");
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** Returns whether the caller was interrupted meanwhile. */
  private static boolean join(Thread reading, Duration longest) {
    boolean interrupted = false;
    long deadline = System.nanoTime() + longest.toNanos();
    while (reading.isAlive() && System.nanoTime() - deadline < 0) {
      try {
        reading.join(longest);
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    return interrupted;
  }
}
