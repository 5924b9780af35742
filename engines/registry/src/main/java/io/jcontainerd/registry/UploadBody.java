package io.jcontainerd.registry;

import io.jcontainerd.core.registry.Registry;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.ByteBuffer;
import java.util.Objects;
import java.util.concurrent.Flow;
import org.jspecify.annotations.Nullable;

/**
 * A part of something to push, as the body of a request. It tells a failure to read it from a
 * failure to send it. Safe for many threads; every use reads it anew.
 *
 * @param source the whole
 * @param size of the whole, in bytes
 * @param offset where the part begins
 * @param length how many bytes it has
 */
record UploadBody(Registry.Source source, long size, long offset, long length) {
  /** What one use of a body came to. */
  static final class Use implements BodyPublisher {
    private final BodyPublisher publisher;
    private final Runnable moved;
    private volatile boolean sent;
    private volatile @Nullable IOException unreadable;

    /**
     * One use of a body.
     *
     * @param moved run whenever bytes went to the line
     */
    Use(UploadBody body, Runnable moved) {
      this.moved = moved;
      this.sent = body.length == 0;
      this.publisher =
          body.length == 0
              ? BodyPublishers.noBody()
              : BodyPublishers.fromPublisher(
                  BodyPublishers.ofInputStream(() -> new Reader(open(body), body, this)),
                  body.length);
    }

    private InputStream open(UploadBody body) {
      try {
        InputStream in = body.source.open();
        try {
          in.skipNBytes(body.offset);
          return in;
        } catch (IOException e) {
          in.close();
          throw e;
        }
      } catch (IOException e) {
        unreadable = e;
        throw new UncheckedIOException(e);
      }
    }

    /** Whether all bytes went to the line. */
    boolean isSent() {
      return sent;
    }

    /** Why it could not be read; absent if it could. */
    @Nullable IOException unreadable() {
      return unreadable;
    }

    @Override
    public long contentLength() {
      return publisher.contentLength();
    }

    @Override
    public void subscribe(Flow.Subscriber<? super ByteBuffer> subscriber) {
      publisher.subscribe(new Watching(subscriber, this));
    }
  }

  /** Tells of every delivery. */
  private record Watching(Flow.Subscriber<? super ByteBuffer> to, Use use)
      implements Flow.Subscriber<ByteBuffer> {
    @Override
    public void onSubscribe(Flow.Subscription subscription) {
      use.moved.run();
      to.onSubscribe(subscription);
    }

    @Override
    public void onNext(ByteBuffer bytes) {
      use.moved.run();
      to.onNext(bytes);
    }

    @Override
    public void onError(Throwable failure) {
      to.onError(failure);
    }

    @Override
    public void onComplete() {
      use.moved.run();
      use.sent = true;
      to.onComplete();
    }
  }

  /** Exactly the part, or a failure: a source that ends early or goes on is another one. */
  private static final class Reader extends InputStream {
    private final InputStream in;
    private final UploadBody body;
    private final Use use;
    private long left;

    Reader(InputStream in, UploadBody body, Use use) {
      this.in = in;
      this.body = body;
      this.use = use;
      this.left = body.length;
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] into, int at, int length) throws IOException {
      Objects.checkFromIndexSize(at, length, into.length);
      if (length == 0) {
        return 0;
      }
      try {
        if (left == 0) {
          return -1;
        }
        int count = in.read(into, at, (int) Math.min(length, left));
        if (count < 0) {
          throw new IOException("it ends before its " + body.size + " bytes");
        }
        left -= count;
        if (left == 0 && body.offset + body.length == body.size && in.read() >= 0) {
          throw new IOException("it has more than its " + body.size + " bytes");
        }
        return count;
      } catch (IOException e) {
        use.unreadable = e;
        throw e;
      }
    }

    @Override
    public void close() throws IOException {
      in.close();
    }
  }
}
