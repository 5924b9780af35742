package io.jcontainerd.bench;

import com.google.protobuf.InvalidProtocolBufferException;
import io.grpc.Channel;
import io.grpc.Context;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import io.jcontainerd.api.events.TaskExit;
import io.jcontainerd.api.services.events.v1.EventsGrpc;
import io.jcontainerd.api.services.events.v1.SubscribeRequest;
import io.jcontainerd.api.types.Envelope;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** When a daemon told the ends of containers, by our clock. For many threads. */
final class ExitEvents implements AutoCloseable {
  private static final long LIMIT_SECONDS = 60;

  private final Map<String, CompletableFuture<Long>> told = new ConcurrentHashMap<>();
  private final Context.CancellableContext context = Context.ROOT.withCancellation();

  private ExitEvents() {}

  static ExitEvents subscribe(Channel channel) {
    var events = new ExitEvents();
    events.context.run(
        () ->
            EventsGrpc.newStub(channel)
                .subscribe(
                    SubscribeRequest.newBuilder().addFilters("topic==\"/tasks/exit\"").build(),
                    events.observer()));
    return events;
  }

  private StreamObserver<Envelope> observer() {
    return new StreamObserver<>() {
      @Override
      public void onNext(Envelope envelope) {
        long now = System.nanoTime();
        try {
          TaskExit exit = TaskExit.parseFrom(envelope.getEvent().getValue());
          of(exit.getId()).complete(now);
        } catch (InvalidProtocolBufferException e) {
          throw Status.INTERNAL.withCause(e).asRuntimeException();
        }
      }

      @Override
      public void onError(Throwable error) {
        told.values().forEach(future -> future.completeExceptionally(error));
      }

      @Override
      public void onCompleted() {
        onError(new IllegalStateException("the daemon ended the events"));
      }
    };
  }

  private CompletableFuture<Long> of(String id) {
    return told.computeIfAbsent(id, _ -> new CompletableFuture<>());
  }

  /** When the end of the container's first process was told, as {@link System#nanoTime}. */
  long of(String id, String what) throws InterruptedException {
    try {
      return of(id).get(LIMIT_SECONDS, TimeUnit.SECONDS);
    } catch (ExecutionException | TimeoutException e) {
      throw new IllegalStateException(what + ": the exit of " + id + " was not told", e);
    } finally {
      told.remove(id);
    }
  }

  @Override
  public void close() {
    context.cancel(null);
  }
}
