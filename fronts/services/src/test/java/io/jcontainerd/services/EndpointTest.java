package io.jcontainerd.services;

import static io.jcontainerd.services.GrpcFailures.assertFails;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Empty;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.stub.ClientCalls;
import io.jcontainerd.api.services.containers.v1.Container;
import io.jcontainerd.api.services.containers.v1.ContainersGrpc;
import io.jcontainerd.api.services.containers.v1.DeleteContainerRequest;
import io.jcontainerd.api.services.containers.v1.ListContainerMessage;
import io.jcontainerd.api.services.containers.v1.ListContainersRequest;
import io.jcontainerd.api.services.content.v1.ContentGrpc;
import io.jcontainerd.api.services.content.v1.WriteContentRequest;
import io.jcontainerd.api.services.content.v1.WriteContentResponse;
import io.jcontainerd.core.Call;
import io.jcontainerd.core.failure.ConflictException;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.services.rpc.Endpoint;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Blocking methods behind gRPC, whatever they do. */
@Timeout(120)
class EndpointTest {
  @TempDir Path folder;

  @Test
  void headers_and_deadline_are_the_bound_call_and_the_thread_is_virtual() throws Exception {
    CompletableFuture<Call> seen = new CompletableFuture<>();
    CompletableFuture<Thread> thread = new CompletableFuture<>();
    try (SocketServer server =
        deleting(
            _ -> {
              seen.complete(Call.current());
              thread.complete(Thread.currentThread());
              return Empty.getDefaultInstance();
            })) {
      delete(server.as(Call.in("moby").withLease("lease-1")));
    }

    assertThat(seen.get().namespace()).isEqualTo("moby");
    assertThat(seen.get().lease()).contains("lease-1");
    assertThat(Duration.between(Time.SYSTEM.now(), seen.get().deadline().orElseThrow()))
        .isBetween(Duration.ZERO, SocketServer.PATIENCE);
    assertThat(thread.get().isVirtual()).isTrue();
    assertThat(thread.get().getName())
        .isEqualTo("grpc containerd.services.containers.v1.Containers/Delete");
  }

  @Test
  void a_failure_of_the_family_is_its_status_and_anything_else_is_unknown() throws Exception {
    AtomicInteger round = new AtomicInteger();
    try (SocketServer server =
        deleting(
            _ -> {
              if (round.getAndIncrement() == 0) {
                throw new ConflictException("thing x");
              }
              throw new IllegalStateException("a bug");
            })) {
      Channel client = server.bare();
      assertFails(() -> delete(client), Status.Code.FAILED_PRECONDITION, "thing x: conflict");
      assertFails(() -> delete(client), Status.Code.UNKNOWN, "IllegalStateException: a bug");
    }
  }

  @Test
  void a_client_that_cancels_interrupts_the_handler() throws Exception {
    CountDownLatch waiting = new CountDownLatch(1);
    CountDownLatch interrupted = new CountDownLatch(1);
    try (SocketServer server = deleting(_ -> forever(waiting, interrupted))) {
      ClientCall<DeleteContainerRequest, Empty> call =
          server.bare().newCall(ContainersGrpc.getDeleteMethod(), SocketServer.patience());
      var answer = ClientCalls.futureUnaryCall(call, DeleteContainerRequest.getDefaultInstance());
      assertThat(waiting.await(60, TimeUnit.SECONDS)).isTrue();

      call.cancel("no longer wanted", null);

      assertThat(interrupted.await(60, TimeUnit.SECONDS)).isTrue();
      assertThat(answer)
          .failsWithin(60, TimeUnit.SECONDS)
          .withThrowableOfType(ExecutionException.class)
          .withMessageContaining("CANCELLED: no longer wanted");
    }
  }

  @Test
  void a_deadline_interrupts_the_handler() throws Exception {
    CountDownLatch waiting = new CountDownLatch(1);
    CountDownLatch interrupted = new CountDownLatch(1);
    try (SocketServer server = deleting(_ -> forever(waiting, interrupted))) {
      // one that passes before the call has come to its handler shows nothing
      for (long millis = 200; waiting.getCount() > 0; millis *= 2) {
        assertThat(millis).as("a deadline that is late enough").isLessThan(60_000);
        CallOptions options =
            SocketServer.patience().withDeadlineAfter(millis, TimeUnit.MILLISECONDS);
        assertFails(
            () ->
                ClientCalls.blockingUnaryCall(
                    server.bare(),
                    ContainersGrpc.getDeleteMethod(),
                    options,
                    DeleteContainerRequest.getDefaultInstance()),
            Status.Code.DEADLINE_EXCEEDED,
            "");
      }
      assertThat(interrupted.await(60, TimeUnit.SECONDS)).isTrue();
    }
  }

  @Test
  void a_handler_that_waits_stops_no_other_call() throws Exception {
    int many = 50;
    CountDownLatch all = new CountDownLatch(many);
    try (SocketServer server =
        deleting(
            _ -> {
              all.countDown();
              all.await(); // only when all are here does any go on
              return Empty.getDefaultInstance();
            })) {
      var answers =
          IntStream.range(0, many)
              .mapToObj(
                  _ ->
                      ClientCalls.futureUnaryCall(
                          server
                              .bare()
                              .newCall(ContainersGrpc.getDeleteMethod(), SocketServer.patience()),
                          DeleteContainerRequest.getDefaultInstance()))
              .toList();
      for (var answer : answers) {
        assertThat(answer.get(60, TimeUnit.SECONDS)).isNotNull();
      }
    }
  }

  @Test
  void a_stream_waits_for_a_client_that_does_not_read() throws Exception {
    AtomicInteger sent = new AtomicInteger();
    CountDownLatch ended = new CountDownLatch(1);
    ListContainerMessage large =
        ListContainerMessage.newBuilder()
            .setContainer(Container.newBuilder().setId("x".repeat(100_000)))
            .build();
    var listing =
        new Endpoint(ContainersGrpc.getServiceDescriptor(), Time.SYSTEM)
            .serverStream(
                ContainersGrpc.getListStreamMethod(),
                (_, answers) -> {
                  try {
                    while (true) {
                      answers.send(large);
                      sent.incrementAndGet();
                    }
                  } finally {
                    ended.countDown();
                  }
                })
            .restNotImplemented("the rest")
            .build();
    try (SocketServer server = new SocketServer(folder, List.of(listing))) {
      ClientCall<ListContainersRequest, ListContainerMessage> call =
          server.bare().newCall(ContainersGrpc.getListStreamMethod(), SocketServer.patience());
      Messages<ListContainerMessage> messages = new Messages<>();
      call.start(messages, new Metadata());
      call.sendMessage(ListContainersRequest.getDefaultInstance());
      call.halfClose();
      call.request(1);
      assertThat(messages.next()).isPresent();
      int stalled = settled(sent);

      assertThat(stalled).isLessThan(200);
      for (int i = 0; i < stalled + 50; i++) {
        call.request(1);
        assertThat(messages.next()).isPresent();
      }
      assertThat(sent.get()).isGreaterThan(stalled);
      call.cancel("enough", null);
      assertThat(ended.await(60, TimeUnit.SECONDS)).isTrue();
    }
  }

  @Test
  void both_sides_of_a_stream_may_end_first() throws Exception {
    CompletableFuture<Optional<WriteContentRequest>> end = new CompletableFuture<>();
    var echo =
        new Endpoint(ContentGrpc.getServiceDescriptor(), Time.SYSTEM)
            .bothStream(
                ContentGrpc.getWriteMethod(),
                (requests, answers) -> {
                  var request = requests.next();
                  answers.send(
                      WriteContentResponse.newBuilder()
                          .setOffset(request.orElseThrow().getOffset())
                          .build());
                  end.complete(requests.next());
                })
            .restNotImplemented("the rest")
            .build();
    try (SocketServer server = new SocketServer(folder, List.of(echo))) {
      ClientCall<WriteContentRequest, WriteContentResponse> call =
          server.bare().newCall(ContentGrpc.getWriteMethod(), SocketServer.patience());
      Messages<WriteContentResponse> messages = new Messages<>();
      call.start(messages, new Metadata());
      call.request(5);
      call.sendMessage(WriteContentRequest.newBuilder().setOffset(7).build());
      assertThat(messages.next().orElseThrow().getOffset()).isEqualTo(7);
      call.halfClose();

      assertThat(messages.next()).isEmpty();
      assertThat(messages.closed.get().isOk()).isTrue();
      assertThat(end.get()).isEmpty();
    }
  }

  @Test
  void a_unary_call_without_a_request_is_refused() throws Exception {
    try (SocketServer server = deleting(_ -> Empty.getDefaultInstance())) {
      ClientCall<DeleteContainerRequest, Empty> call =
          server.bare().newCall(ContainersGrpc.getDeleteMethod(), SocketServer.patience());
      Messages<Empty> messages = new Messages<>();
      call.start(messages, new Metadata());
      call.request(1);
      call.halfClose();

      assertThat(messages.next()).isEmpty();
      assertThat(messages.closed.get().getCode()).isEqualTo(Status.Code.INTERNAL);
    }
  }

  private SocketServer deleting(Endpoint.Unary<DeleteContainerRequest, Empty> handler)
      throws Exception {
    return new SocketServer(
        folder,
        List.of(
            new Endpoint(ContainersGrpc.getServiceDescriptor(), Time.SYSTEM)
                .unary(ContainersGrpc.getDeleteMethod(), handler)
                .restNotImplemented("the rest")
                .build()));
  }

  private static void delete(Channel channel) {
    ClientCalls.blockingUnaryCall(
        channel,
        ContainersGrpc.getDeleteMethod(),
        SocketServer.patience(),
        DeleteContainerRequest.getDefaultInstance());
  }

  private static Empty forever(CountDownLatch waiting, CountDownLatch interrupted)
      throws InterruptedException {
    try {
      waiting.countDown();
      new CountDownLatch(1).await();
      return Empty.getDefaultInstance();
    } catch (InterruptedException e) {
      interrupted.countDown();
      throw e;
    }
  }

  /** The value once it has been the same for a while. */
  private static int settled(AtomicInteger counter) throws InterruptedException {
    LinkedBlockingQueue<Integer> never = new LinkedBlockingQueue<>();
    int before;
    do {
      before = counter.get();
      never.poll(300, TimeUnit.MILLISECONDS);
    } while (counter.get() != before);
    return before;
  }

  /** What a call brings, one after the other. */
  private static final class Messages<A> extends ClientCall.Listener<A> {
    private final LinkedBlockingQueue<Optional<A>> queue = new LinkedBlockingQueue<>();
    final CompletableFuture<Status> closed = new CompletableFuture<>();

    /** The next message; empty at the end. */
    Optional<A> next() throws InterruptedException {
      return Optional.ofNullable(queue.poll(60, TimeUnit.SECONDS))
          .orElseThrow(() -> new AssertionError("neither a message nor an end in 20 seconds"));
    }

    @Override
    public void onMessage(A message) {
      queue.add(Optional.of(message));
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      closed.complete(status);
      queue.add(Optional.empty());
    }
  }
}
