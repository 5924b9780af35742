package io.jcontainerd.registry;

import io.jcontainerd.core.failure.CancelledException;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.registry.Skipping;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Bytes of a known length from lines that may break: when one does, the rest is asked for anew. It
 * fails when several lines in a row bring next to nothing, telling of each, and when there are more
 * bytes than announced.
 */
final class ResumingStream extends InputStream implements Skipping {
  /** A line with fewer bytes, unless they were the last, brought nothing worth another one. */
  private static final long NEXT_TO_NOTHING = 16 << 10;

  private static final int SCRAP = 64 << 10;

  /** Opens lines. */
  interface Opener {
    /** The bytes from an offset. */
    Opened open(long offset);

    /** Waits before the next line. */
    void pause(Duration wait) throws InterruptedException;
  }

  /**
   * A line.
   *
   * @param ahead how many bytes come before those that were asked for
   * @param host whose
   */
  record Opened(InputStream in, long ahead, String host) {}

  private final String name;
  private final Opener opener;
  private final long size;
  private final int most;
  private final List<String> broken = new ArrayList<>();
  private Opened line;
  private long position;
  private long brought;
  private long ahead;
  private final AtomicLong skipped = new AtomicLong();

  /**
   * Opens the first line.
   *
   * @param name what it is, for messages
   * @param most how many lines in a row may bring next to nothing
   */
  ResumingStream(String name, Opener opener, long offset, long size, int most) {
    this.name = name;
    this.opener = opener;
    this.position = offset;
    this.size = size;
    this.most = most;
    this.line = opener.open(offset);
    this.ahead = line.ahead;
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] into, int offset, int length) throws IOException {
    Objects.checkFromIndexSize(offset, length, into.length);
    if (length == 0) {
      return 0;
    }
    while (true) {
      try {
        skip();
        int count = line.in.read(into, offset, length);
        if (count > 0) {
          took(count);
          return count;
        }
        if (position == size) {
          return -1;
        }
        throw new IOException("the bytes ended");
      } catch (FinalException | InterruptedIOException e) {
        throw e;
      } catch (IOException e) {
        broke(e);
      }
    }
  }

  private void skip() throws IOException {
    if (ahead == 0) {
      return;
    }
    byte[] unwanted = new byte[(int) Math.min(SCRAP, ahead)];
    while (ahead > 0) {
      int count = line.in.read(unwanted, 0, (int) Math.min(unwanted.length, ahead));
      if (count <= 0) {
        throw new IOException("the bytes ended");
      }
      ahead -= count;
      skipped.addAndGet(count);
    }
  }

  @Override
  public long skipped() {
    return skipped.get();
  }

  private void took(int count) throws IOException {
    position += count;
    brought += count;
    if (brought >= NEXT_TO_NOTHING) {
      broken.clear();
    }
    if (position > size) {
      throw new FinalException(name + ": more than the announced " + size + " bytes came");
    }
  }

  private void broke(IOException why) throws IOException {
    line.in.close();
    broken.add("registry " + line.host + ": " + Exchange.text(why));
    if (broken.size() >= most) {
      throw failure(why);
    }
    try {
      if (broken.size() > 1) {
        opener.pause(Exchange.backoff(broken.size() - 1));
      }
      line = opener.open(position);
      ahead = line.ahead;
      brought = 0;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted while waiting for another line");
    } catch (CancelledException e) {
      throw e;
    } catch (ContainerdException e) {
      broken.add(Exchange.text(e));
      throw failure(e);
    }
  }

  private IOException failure(Exception last) {
    return new FinalException(
        "%s: only %d of %d bytes came; %s"
            .formatted(name, position, size, String.join("; ", broken)),
        last);
  }

  @Override
  public void close() throws IOException {
    line.in.close();
  }
}
