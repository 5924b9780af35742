package io.jcontainerd.services;

import com.google.protobuf.Any;
import com.google.protobuf.Empty;
import io.grpc.ServerServiceDefinition;
import io.jcontainerd.api.services.streaming.v1.StreamInit;
import io.jcontainerd.api.services.streaming.v1.StreamingGrpc;
import io.jcontainerd.core.failure.DeadlineExceededException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.services.rpc.Endpoint;
import io.jcontainerd.services.rpc.Sink;
import io.jcontainerd.services.rpc.Source;
import io.jcontainerd.wire.TypedValues;
import java.time.Duration;
import java.util.concurrent.TimeoutException;

/** {@code containerd.services.streaming.v1.Streaming}. */
final class StreamingService {
  /** How long a client may take to say which stream it opens. */
  private static final Duration INTRODUCTION = Duration.ofMinutes(1);

  private final StreamRegistry streams;

  StreamingService(StreamRegistry streams) {
    this.streams = streams;
  }

  ServerServiceDefinition define(Time time) {
    return new Endpoint(StreamingGrpc.getServiceDescriptor(), time)
        .bothStream(StreamingGrpc.getStreamMethod(), this::stream)
        .build();
  }

  private void stream(Source<Any> requests, Sink<Any> answers) throws InterruptedException {
    ServedStream stream = streams.add(introduction(requests).getId(), requests, answers);
    try {
      answers.send(TypedValues.packApi(Empty.getDefaultInstance()));
      stream.serve();
    } finally {
      streams.remove(stream);
    }
  }

  private static StreamInit introduction(Source<Any> requests) throws InterruptedException {
    Any first;
    try {
      first =
          requests
              .next(INTRODUCTION)
              .orElseThrow(() -> new InvalidArgumentException("first message must be StreamInit"));
    } catch (TimeoutException e) {
      throw new DeadlineExceededException("stream: its id was not told", e);
    }
    return TypedValues.unpack(
        TypedValues.toCore(first), StreamInit.getDescriptor().getFullName(), StreamInit.parser());
  }
}
