package io.jcontainerd.ttrpc;

import java.io.EOFException;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.channels.ByteChannel;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One connection with its two virtual threads: one reads frames and hands them to the owner, one
 * writes what the outbox holds. The first of them that fails, or {@link #close}, ends both, closes
 * the channel and tells the owner once.
 */
final class Connection implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger("io.jcontainerd.ttrpc");

  /** What the owner does with what happens. Called by the reader's thread, so it must not wait. */
  interface Owner {
    void received(Frame frame);

    void oversize(int streamId, byte type, long length);

    /**
     * Called once, on a thread of its own; null when this side closed or the peer ended in order.
     */
    void ended(@Nullable IOException why);
  }

  private final String name;
  private final ByteChannel channel;
  private final Outbox outbox;
  private final Owner owner;
  private final AtomicBoolean over = new AtomicBoolean();

  Connection(String name, ByteChannel channel, Duration stallLimit, Owner owner) {
    this.name = name;
    this.channel = channel;
    this.outbox = new Outbox(channel, stallLimit);
    this.owner = owner;
  }

  void start() {
    Thread.ofVirtual().name("ttrpc-read " + name).start(this::read);
    Thread.ofVirtual().name("ttrpc-write " + name).start(this::write);
  }

  boolean isOver() {
    return over.get();
  }

  /**
   * Queues a frame.
   *
   * @param limitNanos how long the caller can wait, {@link Long#MAX_VALUE} for no limit of its own
   * @throws TtrpcException {@link ConnectionLostException} when there is no connection any more, or
   *     of {@link StatusCode#DEADLINE_EXCEEDED}
   */
  void send(Frame frame, long limitNanos) throws InterruptedException {
    send(frame.data().length, () -> frame, limitNanos);
  }

  /** Like the other, for a frame whose id depends on its place in the order. */
  void send(int size, Supplier<Frame> frame, long limitNanos) throws InterruptedException {
    if (size > Frame.MAX_DATA) {
      throw Frame.tooLarge(size);
    }
    switch (outbox.put(size, frame, limitNanos)) {
      case QUEUED -> {}
      case TIMED_OUT ->
          throw new TtrpcException(StatusCode.DEADLINE_EXCEEDED, "context deadline exceeded");
      case CLOSED -> throw new ConnectionLostException("ttrpc: closed", null);
      case STALLED -> {
        var stalled = new IOException("peer of " + name + " does not read what it is sent");
        end(stalled);
        throw new ConnectionLostException("ttrpc: closed: " + stalled.getMessage(), stalled);
      }
    }
  }

  boolean drain(Duration limit) throws InterruptedException {
    return outbox.drain(limit);
  }

  private void read() {
    try {
      var frames = new FrameReader(channel);
      for (var next = frames.next(); next != null; next = frames.next()) {
        switch (next) {
          case FrameReader.Incoming.Whole(var frame) -> owner.received(frame);
          case FrameReader.Incoming.Oversize(int id, byte type, long length) ->
              owner.oversize(id, type, length);
        }
      }
      end(null);
    } catch (EOFException e) {
      end(e);
    } catch (IOException e) {
      end(e);
    } catch (RuntimeException | Error e) {
      LOG.log(Level.ERROR, "ttrpc reader of " + name + " failed", e);
      end(new IOException("reader failed", e));
    }
  }

  private void write() {
    try {
      outbox.write();
    } catch (IOException e) {
      end(e);
    } catch (RuntimeException | Error e) {
      LOG.log(Level.ERROR, "ttrpc writer of " + name + " failed", e);
      end(new IOException("writer failed", e));
    }
  }

  @Override
  public void close() {
    end(null);
  }

  private void end(@Nullable IOException why) {
    if (!over.compareAndSet(false, true)) {
      return;
    }
    outbox.close();
    try {
      channel.close();
    } catch (IOException e) {
      LOG.log(Level.DEBUG, "ttrpc close of " + name, e);
    }
    Thread.ofVirtual().name("ttrpc-end " + name).start(() -> owner.ended(why));
  }
}
