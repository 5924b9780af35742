package io.jcontainerd.services;

import com.google.protobuf.Any;
import com.google.protobuf.Empty;
import io.grpc.Channel;
import io.grpc.StatusException;
import io.grpc.stub.BlockingClientCall;
import io.jcontainerd.api.services.streaming.v1.StreamInit;
import io.jcontainerd.api.services.streaming.v1.StreamingGrpc;
import io.jcontainerd.core.failure.AbortedException;
import io.jcontainerd.wire.TypedValues;
import io.jcontainerd.wire.streams.MessageStream;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** A client's end of a stream. */
final class ClientStream implements MessageStream {
  private static final long LIMIT_SECONDS = 100;

  private final String id;
  private final BlockingClientCall<Any, Any> call;

  private ClientStream(String id, BlockingClientCall<Any, Any> call) {
    this.id = id;
    this.call = call;
  }

  /** Opens a stream and waits until the daemon knows it. */
  static ClientStream open(Channel channel, String id) throws Exception {
    var stream = new ClientStream(id, StreamingGrpc.newBlockingV2Stub(channel).stream());
    stream.call.write(TypedValues.packApi(StreamInit.newBuilder().setId(id).build()));
    Any first = stream.call.read(LIMIT_SECONDS, TimeUnit.SECONDS);
    if (first == null) {
      throw new AssertionError("the stream ended at once");
    }
    if (!first.getTypeUrl().equals(Empty.getDescriptor().getFullName())) {
      throw new AssertionError("greeted by " + first);
    }
    return stream;
  }

  /** What the daemon does with a first message. */
  static void openWith(Channel channel, Any first) throws Exception {
    var call = StreamingGrpc.newBlockingV2Stub(channel).stream();
    call.write(first);
    call.read(LIMIT_SECONDS, TimeUnit.SECONDS);
  }

  @Override
  public String id() {
    return id;
  }

  @Override
  public void send(Any message) throws InterruptedException {
    try {
      call.write(message);
    } catch (StatusException e) {
      throw new AbortedException(String.valueOf(e.getMessage()), e);
    }
  }

  @Override
  public Optional<Any> receive(Duration longest) throws InterruptedException {
    try {
      return Optional.ofNullable(call.read(LIMIT_SECONDS, TimeUnit.SECONDS));
    } catch (StatusException e) {
      throw new AbortedException(String.valueOf(e.getMessage()), e);
    } catch (TimeoutException e) {
      throw new AssertionError("the daemon says nothing", e);
    }
  }

  @Override
  public void fail(String why) {
    call.cancel(why, null);
  }

  @Override
  public void close() {
    call.halfClose();
  }
}
