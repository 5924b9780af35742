package io.jcontainerd.transfer.fetch;

import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.content.Ingest;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.core.registry.Registry;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * One blob on its way into an ingest. What came stays in the ingest, whatever happens.
 *
 * <p>The lock of this object guards the lines; nothing is read, written or opened under it.
 */
public final class Download implements AutoCloseable {
  private static final int BUFFER = 512 << 10;
  private static final int PIECE = 256 << 10;
  private static final int MOST_FRUITLESS = 3;

  /** No more is ahead of what is missing than comes in this time: a kill loses it. */
  private static final long AHEAD_NANOS = 500_000_000;

  /** Smaller parts would be little but requests. */
  private static final int SMALLEST_PART = 256 << 10;

  /** A blob is worth several connections if so many parts are missing. */
  private static final int WORTH_PARTS = 4;

  private final Registry registry;
  private final String reference;
  private final Descriptor blob;
  private final FetchLimits limits;
  private final Time time;
  private final Pace pace;

  /** In order of position; the first is the one that is taken from. */
  private final Deque<Line> lines = new ArrayDeque<>();

  /** All whose threads may still go on. */
  private final Set<Line> started = new HashSet<>();

  /** Of parts that were taken, for the next ones. */
  private final Deque<byte[]> rings = new ArrayDeque<>();

  private int wanted = 1;
  private int extra;
  private long next;

  /** Of those who may have the blob, so many have failed us in the middle of it. */
  private int passedOver;

  private long received;
  private boolean waiting;

  /** When the taker began to wait, or when the last byte came since, over whatever line. */
  private long silentSince;

  private boolean onlyWhole;
  private @Nullable ContainerdException ended;

  /**
   * A download that has not begun.
   *
   * @param reference the image, as the registry knows it
   */
  public Download(
      Registry registry, String reference, Descriptor blob, FetchLimits limits, Time time) {
    this.registry = registry;
    this.reference = reference;
    this.blob = blob;
    this.limits = limits;
    this.time = time;
    this.pace = new Pace(limits.window().toNanos(), time.nanoTime());
  }

  /**
   * Fetches from the ingest's offset to the end of the blob.
   *
   * @param progress hears how many bytes the ingest has
   * @throws ContainerdException if the registry cannot, or the ingest cannot take it
   */
  public void into(Ingest ingest, LongConsumer progress) throws InterruptedException {
    long position = ingest.status().offset();
    next = position;
    if (position >= blob.size()) {
      return;
    }
    Thread watching = Thread.ofVirtual().name("watch " + blob.digest()).start(this::watch);
    try {
      while (position < blob.size()) {
        Line line = ready();
        position = take(line, ingest, position);
        progress.accept(position);
      }
    } finally {
      watching.interrupt();
      close();
    }
  }

  /** Waits for something to take, until {@link #watch} finds that nothing has come for too long. */
  private Line ready() throws InterruptedException {
    while (true) {
      List<Line> begin = new ArrayList<>();
      List<Line> release = new ArrayList<>();
      synchronized (this) {
        if (ended != null) {
          throw ended;
        }
        started.removeIf(Line::isOver);
        replaceBroken(begin, release);
        addMissing(begin);
        Line first = lines.getFirst();
        if (begin.isEmpty() && release.isEmpty()) {
          if (first.isReady() && first.available().hasRemaining()) {
            return first;
          }
          long since = time.nanoTime();
          if (!waiting) {
            waiting = true;
            silentSince = since;
          }
          wait();
          pace.waited(time.nanoTime() - since);
        }
        started.addAll(begin);
      }
      release.forEach(Line::release);
      begin.forEach(Line::start);
    }
  }

  private void replaceBroken(List<Line> begin, List<Line> release) {
    for (Line line : List.copyOf(lines)) {
      if (!line.isBroken()) {
        continue;
      }
      if (line.isPart() && !isWorthAnother(line)) {
        fallBack(release);
        return;
      }
      if (line.isPart() || isWorthMoving(line)) {
        replace(line, line.again(), begin);
      } else if (line == lines.getFirst() && !line.available().hasRemaining()) {
        throw failure(line.failure());
      }
    }
  }

  /** A whole line goes on elsewhere by itself when it breaks, but not when nothing comes. */
  private static boolean isWorthMoving(Line line) {
    return line.failure() instanceof Line.StalledException;
  }

  /** Who has not answered yet may be fetching it from elsewhere itself. */
  private static boolean mayMove(Line line) {
    return line.isAnswered() && line.fruitless() < MOST_FRUITLESS;
  }

  private void replace(Line line, Line by, List<Line> begin) {
    List<Line> all = new ArrayList<>(lines);
    passedOver = Math.max(passedOver, by.passedOver());
    all.set(all.indexOf(line), by);
    lines.clear();
    lines.addAll(all);
    begin.add(by);
  }

  private static boolean isWorthAnother(Line line) {
    return line.failure() instanceof IOException
        && !(line.failure() instanceof Line.NoPartsException)
        && line.fruitless() < MOST_FRUITLESS;
  }

  /** Parts cannot be had: what was not taken comes over one line. */
  private void fallBack(List<Line> release) {
    onlyWhole = true;
    wanted = 1;
    giveBack(0);
    next = lines.getFirst().position();
    lines.forEach(line -> line.abandon(new IOException("not needed any more")));
    release.addAll(lines);
    lines.clear();
  }

  private void addMissing(List<Line> begin) {
    if (!lines.isEmpty() && lines.getFirst().isDone()) {
      Line done = lines.removeFirst();
      if (done.isPart()) {
        rings.addLast(done.ring());
      }
    }
    if (wanted == 1 && lines.isEmpty()) {
      add(
          Line.whole(
              this,
              this::openWhole,
              this::came,
              time,
              new byte[buffer()],
              passedOver,
              next,
              blob.size()),
          begin);
    }
    while (wanted > 1 && lines.size() < wanted && next < blob.size()) {
      byte[] ring = rings.isEmpty() ? new byte[limits.partBytes()] : rings.removeLast();
      long until = Math.min(next + part(), blob.size());
      add(Line.part(this, this::openPart, this::came, time, ring, passedOver, next, until), begin);
    }
  }

  private int part() {
    return Math.clamp(
        pace.bytesIn(AHEAD_NANOS) / wanted,
        Math.min(SMALLEST_PART, limits.partBytes()),
        limits.partBytes());
  }

  /** So much as there is to come is enough. */
  private int buffer() {
    return (int) Math.min(BUFFER, blob.size() - next);
  }

  private void add(Line line, List<Line> begin) {
    next = line.until();
    lines.addLast(line);
    begin.add(line);
  }

  private @Nullable InputStream openPart(long from, long until, int last) {
    return registry.fetchPartElsewhere(reference, blob, from, until - from, last).orElse(null);
  }

  private InputStream openWhole(long from, long until, int last) {
    return registry.fetchElsewhere(reference, blob, from, last);
  }

  /** Takes what is there. */
  private long take(Line line, Ingest ingest, long position) {
    ByteBuffer bytes;
    synchronized (this) {
      bytes = line.available();
    }
    int count = bytes.remaining();
    while (bytes.hasRemaining()) {
      int piece = Math.min(PIECE, bytes.remaining());
      ingest.write(bytes.slice(bytes.position(), piece));
      bytes.position(bytes.position() + piece);
    }
    synchronized (this) {
      line.took(count);
      waiting = false;
      adapt(line, pace.look(received, time.nanoTime()));
    }
    return position + count;
  }

  private void came(int count) {
    received += count;
    silentSince = time.nanoTime();
  }

  private void adapt(Line line, Pace.Advice advice) {
    switch (advice) {
      case STAY -> {}
      case FEWER -> {
        wanted = Math.max(1, wanted / 2);
        giveBack(wanted - 1);
      }
      case MORE -> more(line);
    }
  }

  private void more(Line line) {
    long missing = blob.size() - line.position();
    int more = Math.min(2 * wanted, limits.mostLines()) - wanted;
    if (onlyWhole
        || more == 0
        || missing < (long) WORTH_PARTS * limits.partBytes()
        || !limits.extraLines().tryAcquire(more)) {
      pace.settle();
      return;
    }
    extra += more;
    wanted += more;
    if (!line.isPart()) {
      next = line.cut();
    }
  }

  /** Gives connections back, but for these. */
  private void giveBack(int kept) {
    if (extra > kept) {
      limits.extraLines().release(extra - kept);
      extra = kept;
    }
  }

  private RuntimeException failure(@Nullable Exception why) {
    String subject = "image " + reference + ": content " + blob.digest() + ": ";
    return switch (why) {
      case null -> new UnavailableException(subject + "it ended early");
      case RuntimeException known -> known;
      case Exception other -> new UnavailableException(subject + other.getMessage(), other);
    };
  }

  /** Looks for lines that bring nothing, until interrupted. */
  private void watch() {
    long step = Math.min(limits.partStall().toNanos(), limits.patience().toNanos()) / 4;
    try {
      while (true) {
        time.sleep(Duration.ofNanos(step));
        look();
      }
    } catch (InterruptedException _) {
      // the download has ended
    }
  }

  private void look() {
    List<Line> release = new ArrayList<>();
    synchronized (this) {
      long now = time.nanoTime();
      for (Line line : lines) {
        if (line.isSkipping()) {
          silentSince = now;
        }
      }
      if (waiting && now - silentSince > limits.patience().toNanos()) {
        ended =
            new UnavailableException(
                "image %s: content %s: not a byte came for %d seconds"
                    .formatted(reference, blob.digest(), limits.patience().toSeconds()));
        notifyAll();
      }
      for (Line line : lines) {
        if ((line.isPart() || mayMove(line))
            && line.isSilentSince(now - limits.partStall().toNanos())) {
          line.abandon(new Line.StalledException(limits.partStall()));
          release.add(line);
        }
      }
    }
    release.forEach(Line::release);
  }

  /** Ends all connections. Harmless when repeated. */
  @Override
  public void close() {
    List<Line> all;
    synchronized (this) {
      giveBack(0);
      all = List.copyOf(started);
      started.clear();
      lines.clear();
    }
    all.forEach(Line::close);
  }
}
