package io.jcontainerd.diff.stream;

import io.jcontainerd.oci.tar.ByteSource;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Carries bytes from one thread to another in a fixed set of buffers that go round.
 *
 * <p>One thread fills ({@link #free}, {@link #full}, at last {@link #finish} or {@link #fail}), one
 * drains ({@link #next}). Waiting ends when the other side moves, ends or fails, or when anybody
 * calls {@link #cancel}; both threads must make sure to do one of these in the end. One lock guards
 * everything and is never held while bytes are moved.
 */
public final class BufferPipe implements ByteSource {
  private final Object lock = new Object();
  private final Deque<ByteBuffer> empty;
  private final Deque<ByteBuffer> filled = new ArrayDeque<>();
  private boolean finished;
  private boolean cancelled;
  private @Nullable IOException failure;
  private @Nullable ByteBuffer lent;

  /**
   * @param buffers that go round; the caller may use them again once both threads have ended
   */
  public BufferPipe(List<ByteBuffer> buffers) {
    this.empty = new ArrayDeque<>(buffers);
  }

  /** A cleared buffer to fill, waiting for one. */
  public ByteBuffer free() throws IOException {
    synchronized (lock) {
      await(() -> !empty.isEmpty());
      return empty.remove().clear();
    }
  }

  /** Hands over a buffer that was filled and flipped; an empty one just goes back. */
  public void full(ByteBuffer buffer) {
    synchronized (lock) {
      (buffer.hasRemaining() ? filled : empty).add(buffer);
      lock.notifyAll();
    }
  }

  /** No more bytes will come. */
  public void finish() {
    synchronized (lock) {
      finished = true;
      lock.notifyAll();
    }
  }

  /** The filling side failed; the draining side fails likewise after the bytes before. */
  public void fail(IOException cause) {
    synchronized (lock) {
      if (failure == null) {
        failure = cause;
      }
      finished = true;
      lock.notifyAll();
    }
  }

  /** Ends both sides at their next step. */
  public void cancel() {
    synchronized (lock) {
      cancelled = true;
      lock.notifyAll();
    }
  }

  @Override
  public @Nullable ByteBuffer next() throws IOException {
    synchronized (lock) {
      ByteBuffer previous = lent;
      if (previous != null) {
        lent = null;
        empty.add(previous);
        lock.notifyAll();
      }
      await(() -> !filled.isEmpty() || finished);
      ByteBuffer next = filled.poll();
      if (next == null && failure != null) {
        throw failure;
      }
      lent = next;
      return next;
    }
  }

  private void await(BooleanSupplier ready) throws IOException {
    checkCancelled();
    try {
      while (!ready.getAsBoolean()) {
        lock.wait();
        checkCancelled();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw (IOException) new InterruptedIOException("interrupted").initCause(e);
    }
  }

  private void checkCancelled() throws IOException {
    if (cancelled) {
      throw new InterruptedIOException("cancelled");
    }
  }
}
