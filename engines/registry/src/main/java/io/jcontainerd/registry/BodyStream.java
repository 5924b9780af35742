package io.jcontainerd.registry;

import io.jcontainerd.core.ports.Time;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.BodySubscriber;
import java.net.http.HttpTimeoutException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/**
 * The body of an answer as a stream that gives up when nothing comes for too long, or not all in
 * time, which the JDK's own does not. At most two deliveries are buffered. For one reader.
 */
final class BodyStream extends InputStream implements BodySubscriber<InputStream> {
  /** What the connection tells the reader. */
  private sealed interface Signal {
    record Bytes(List<ByteBuffer> buffers) implements Signal {}

    record Failed(Throwable cause) implements Signal {}

    record Ended() implements Signal {}
  }

  private final Limits limits;
  private final Time time;
  private final long began;
  private final LinkedBlockingQueue<Signal> signals = new LinkedBlockingQueue<>();
  private final CompletableFuture<Flow.Subscription> subscribed = new CompletableFuture<>();
  private final Deque<ByteBuffer> current = new ArrayDeque<>();
  private @Nullable Signal end;
  private volatile boolean closed;

  /**
   * How long is waited.
   *
   * @param stall the longest wait for bytes
   * @param stalled run when there were none for so long
   * @param whole the longest until the end, if there is a limit
   */
  record Limits(Duration stall, Runnable stalled, Optional<Duration> whole) {}

  private BodyStream(Limits limits, Time time) {
    this.limits = limits;
    this.time = time;
    this.began = time.nanoTime();
  }

  /** Makes streams of bodies, with limits by the answer's status. */
  static BodyHandler<InputStream> handler(IntFunction<Limits> limits, Time time) {
    return answer -> new BodyStream(limits.apply(answer.statusCode()), time);
  }

  @Override
  public CompletionStage<InputStream> getBody() {
    return CompletableFuture.completedStage(this);
  }

  @Override
  public void onSubscribe(Flow.Subscription subscription) {
    if (closed || !subscribed.complete(subscription)) {
      subscription.cancel();
    } else {
      subscription.request(2);
    }
  }

  @Override
  public void onNext(List<ByteBuffer> buffers) {
    signals.add(new Signal.Bytes(buffers));
  }

  @Override
  public void onError(Throwable failure) {
    signals.add(new Signal.Failed(failure));
  }

  @Override
  public void onComplete() {
    signals.add(new Signal.Ended());
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
    if (!fill()) {
      return -1;
    }
    ByteBuffer buffer = current.getFirst();
    int count = Math.min(length, buffer.remaining());
    buffer.get(into, offset, count);
    if (!buffer.hasRemaining()) {
      current.removeFirst();
    }
    return count;
  }

  /** Waits until there are bytes; false at the end. */
  private boolean fill() throws IOException {
    while (current.isEmpty()) {
      if (closed) {
        throw new IOException("stream is closed");
      }
      Signal signal = end == null ? next() : end;
      switch (signal) {
        case Signal.Bytes(List<ByteBuffer> buffers) -> {
          buffers.stream().filter(ByteBuffer::hasRemaining).forEach(current::addLast);
          subscribed.join().request(1); // it was there before the bytes
        }
        case Signal.Failed(Throwable cause) -> {
          end = signal;
          throw new IOException("connection broke: " + cause.getMessage(), cause);
        }
        case Signal.Ended() -> {
          end = signal;
          return false;
        }
      }
    }
    return true;
  }

  private Signal next() throws IOException {
    try {
      long stall = limits.stall.toNanos();
      long left = limits.whole.map(this::left).orElse(Long.MAX_VALUE);
      Signal signal = left <= 0 ? null : signals.poll(Math.min(stall, left), TimeUnit.NANOSECONDS);
      if (signal != null) {
        return signal;
      }
      close();
      if (left < stall) {
        throw new HttpTimeoutException(
            "not all of it came within " + limits.whole.orElseThrow().toMillis() + " ms");
      }
      limits.stalled.run();
      throw new HttpTimeoutException("no bytes for " + limits.stall.toMillis() + " ms");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      close();
      throw new InterruptedIOException("interrupted while waiting for bytes");
    }
  }

  private long left(Duration whole) {
    return whole.toNanos() - (time.nanoTime() - began);
  }

  /** Drops the connection unless the body was read to its end. Harmless when repeated. */
  @Override
  public void close() {
    closed = true;
    if (!(end instanceof Signal.Ended) && subscribed.isDone()) {
      subscribed.join().cancel();
    }
  }
}
