package io.jcontainerd.registry;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.util.Objects;

/**
 * Bytes of a known length from a line that may break: when it does, the rest is asked for anew. It
 * fails when several tries in a row bring no byte, and when there are more bytes than announced.
 */
final class ResumingStream extends InputStream {
  /** Opens the bytes from an offset; what it throws beside an I/O failure is final. */
  @FunctionalInterface
  interface Opener {
    InputStream open(long offset) throws IOException;
  }

  private final Opener opener;
  private final long size;
  private final int attempts;
  private InputStream in;
  private long position;
  private int fruitless;

  ResumingStream(InputStream first, Opener opener, long offset, long size, int attempts) {
    this.in = first;
    this.opener = opener;
    this.position = offset;
    this.size = size;
    this.attempts = attempts;
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
        int count = in.read(into, offset, length);
        if (count > 0) {
          fruitless = 0;
          position += count;
          if (position > size) {
            throw new LengthException("more than the announced " + size + " bytes came");
          }
          return count;
        }
        if (position == size) {
          return -1;
        }
        throw new IOException("only " + position + " of " + size + " bytes came");
      } catch (LengthException | InterruptedIOException e) {
        throw e;
      } catch (IOException e) {
        in.close();
        if (++fruitless >= attempts) {
          throw e;
        }
        in = opener.open(position);
      }
    }
  }

  @Override
  public void close() throws IOException {
    in.close();
  }

  /** Trying again will not help. */
  private static final class LengthException extends IOException {
    private static final long serialVersionUID = 1L;

    LengthException(String message) {
      super(message);
    }
  }
}
