package io.jcontainerd.client;

import com.google.protobuf.Any;
import com.google.protobuf.Empty;
import io.grpc.stub.BlockingClientCall;
import io.jcontainerd.api.services.streaming.v1.StreamInit;
import io.jcontainerd.api.services.streaming.v1.StreamingGrpc;
import io.jcontainerd.core.failure.DeadlineExceededException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.wire.TypedValues;
import io.jcontainerd.wire.streams.MessageStream;
import java.time.Duration;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/** A client's end of a stream, of which the daemon knows when {@link #open} has returned. */
final class RemoteStream implements MessageStream {
  private final String id;
  private final BlockingClientCall<Any, Any> call;
  private final AtomicBoolean ended = new AtomicBoolean();

  private RemoteStream(String id, BlockingClientCall<Any, Any> call) {
    this.id = id;
    this.call = call;
  }

  /**
   * Opens a stream with an id of its own.
   *
   * @param what it is for, as the beginning of its id
   */
  static RemoteStream open(Connection connection, String what) throws InterruptedException {
    String id = what + "-" + UUID.randomUUID();
    var stream =
        new RemoteStream(id, StreamingGrpc.newBlockingV2Stub(connection.channel()).stream());
    boolean open = false;
    try {
      stream.send(TypedValues.packApi(StreamInit.newBuilder().setId(id).build()));
      Duration patience = connection.stall();
      Any greeting =
          stream
              .receive(patience)
              .orElseThrow(() -> new UnavailableException("stream " + id + ": the daemon hung up"));
      TypedValues.unpack(
          TypedValues.toCore(greeting), Empty.getDescriptor().getFullName(), Empty.parser());
      open = true;
      return stream;
    } finally {
      if (!open) {
        stream.fail("it could not be opened");
      }
    }
  }

  @Override
  public String id() {
    return id;
  }

  @Override
  public void send(Any message) throws InterruptedException {
    // false says that the daemon has ended the call, and how is told where messages are received
    boolean _ = Connection.<Boolean>sendInterruptibly(() -> call.write(message));
  }

  @Override
  public Optional<Any> receive(Duration longest) throws InterruptedException {
    @Nullable Any message =
        Connection.<@Nullable Any>sendInterruptibly(
            () -> {
              if (longest.isZero()) {
                return call.read();
              }
              try {
                return call.read(longest.toNanos(), TimeUnit.NANOSECONDS);
              } catch (TimeoutException e) {
                throw new DeadlineExceededException(
                    "stream " + id + ": no message in " + longest.toMillis() + " ms", e);
              }
            });
    return Optional.ofNullable(message);
  }

  @Override
  public void fail(String why) {
    ended.set(true);
    call.cancel(why, null);
  }

  @Override
  public void close() {
    if (ended.compareAndSet(false, true)) {
      call.halfClose();
    }
  }
}
