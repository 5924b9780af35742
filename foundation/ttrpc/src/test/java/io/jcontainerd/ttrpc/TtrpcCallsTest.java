package io.jcontainerd.ttrpc;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.BytesValue;
import com.google.protobuf.Duration;
import com.google.protobuf.StringValue;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Client and server against each other over a unix socket. */
@Timeout(300)
class TtrpcCallsTest {
  private static final java.time.Duration SOON = java.time.Duration.ofSeconds(60);
  private static final CallOptions QUICK = CallOptions.within(SOON);

  @TempDir Path folder;
  private final CountDownLatch release = new CountDownLatch(1);
  private final CountDownLatch entered = new CountDownLatch(1);
  private final BlockingQueue<String> seen = new LinkedBlockingQueue<>();
  private TtrpcServer server;
  private TtrpcClient client;

  @BeforeEach
  void start() throws Exception {
    TtrpcService service =
        TtrpcService.named("test.v1.Echo")
            .unary(
                "Upper",
                StringValue.parser(),
                (q, c) -> StringValue.of(q.getValue().toUpperCase(java.util.Locale.ROOT)))
            .unary(
                "Fail",
                StringValue.parser(),
                (q, c) -> {
                  throw new TtrpcException(StatusCode.NOT_FOUND, q.getValue());
                })
            .unary(
                "Break",
                StringValue.parser(),
                (q, c) -> {
                  throw new java.io.IOException("disk on fire");
                })
            .unary(
                "Header",
                StringValue.parser(),
                (q, c) -> StringValue.of(c.metadata().first(q.getValue()).orElse("none")))
            .unary(
                "Remaining",
                StringValue.parser(),
                (q, c) ->
                    Duration.newBuilder()
                        .setSeconds(c.remaining().map(java.time.Duration::toSeconds).orElse(-1L))
                        .build())
            .unary(
                "Hold",
                StringValue.parser(),
                (q, c) -> {
                  entered.countDown();
                  assertThat(release.await(60, TimeUnit.SECONDS)).isTrue();
                  seen.add("abandoned " + c.abandoned());
                  return q;
                })
            .waiting(
                "Wait",
                StringValue.parser(),
                (q, c) -> {
                  entered.countDown();
                  try {
                    new CountDownLatch(1).await();
                  } catch (InterruptedException e) {
                    seen.add("interrupted");
                    throw e;
                  }
                  return q;
                })
            .bytes("Big", (q, c) -> new byte[5 << 20])
            .bytes("Same", (q, c) -> q)
            .stream(
                "Count",
                s -> {
                  int upTo = Integer.parseInt(new String(s.receive(), UTF_8));
                  for (int i = 1; i <= upTo; i++) {
                    s.send(Integer.toString(i).getBytes(UTF_8));
                  }
                })
            .stream(
                "Chat",
                s -> {
                  for (byte[] m = s.receive(); m != null; m = s.receive()) {
                    s.send(("re " + new String(m, UTF_8)).getBytes(UTF_8));
                  }
                })
            .stream(
                "Refuse",
                s -> {
                  s.send("one".getBytes(UTF_8));
                  throw new TtrpcException(StatusCode.FAILED_PRECONDITION, "not today");
                })
            .stream(
                "Deaf",
                s -> {
                  try {
                    new CountDownLatch(1).await();
                  } finally {
                    seen.add("deaf ended");
                  }
                })
            .build();
    server = new TtrpcServer(List.of(service));
    ServerSocketChannel listener = UnixSockets.listen(folder.resolve("s"));
    server.listen(listener);
    client = TtrpcClient.connect(folder.resolve("s"), SOON);
  }

  @AfterEach
  void stop() {
    release.countDown();
    client.close();
    server.close();
  }

  private String upper(String text) throws InterruptedException {
    return client
        .call("test.v1.Echo", "Upper", StringValue.of(text), StringValue.parser(), QUICK)
        .getValue();
  }

  @Test
  void an_answer_belongs_to_its_question() throws Exception {
    assertThat(upper("abc")).isEqualTo("ABC");
    assertThat(upper("")).isEmpty();
  }

  @Test
  void a_failure_keeps_its_code_and_its_bare_text() {
    assertThatThrownBy(
            () ->
                client.call(
                    "test.v1.Echo",
                    "Fail",
                    StringValue.of("container not created"),
                    StringValue.parser(),
                    QUICK))
        .isInstanceOfSatisfying(
            TtrpcException.class,
            e -> {
              assertThat(e.code()).isEqualTo(StatusCode.NOT_FOUND);
              assertThat(e.text()).isEqualTo("container not created");
            });
  }

  @Test
  void a_failure_that_has_no_code_is_unknown_with_its_text() {
    assertThatThrownBy(() -> client.call("test.v1.Echo", "Break", new byte[0], QUICK))
        .hasMessage("disk on fire")
        .extracting(e -> ((TtrpcException) e).code())
        .isEqualTo(StatusCode.UNKNOWN);
  }

  @Test
  void what_nobody_serves_is_unimplemented() {
    assertThatThrownBy(() -> client.call("test.v1.None", "Upper", new byte[0], QUICK))
        .hasMessage("service test.v1.None")
        .extracting(e -> ((TtrpcException) e).code())
        .isEqualTo(StatusCode.UNIMPLEMENTED);
    assertThatThrownBy(() -> client.call("test.v1.Echo", "Nothing", new byte[0], QUICK))
        .hasMessage("method Nothing")
        .extracting(e -> ((TtrpcException) e).code())
        .isEqualTo(StatusCode.UNIMPLEMENTED);
  }

  @Test
  void metadata_and_time_left_reach_the_handler() throws Exception {
    CallOptions options = QUICK.with(Metadata.namespace("k8s.io").with("X-Other", "7"));
    for (var pair : List.of(List.of(Metadata.NAMESPACE, "k8s.io"), List.of("x-other", "7"))) {
      StringValue got =
          client.call(
              "test.v1.Echo", "Header", StringValue.of(pair.get(0)), StringValue.parser(), options);
      assertThat(got.getValue()).isEqualTo(pair.get(1));
    }
    Duration with =
        client.call("test.v1.Echo", "Remaining", StringValue.of(""), Duration.parser(), QUICK);
    assertThat(with.getSeconds()).isBetween(1L, SOON.toSeconds());
    Duration without =
        client.call(
            "test.v1.Echo",
            "Remaining",
            StringValue.of(""),
            Duration.parser(),
            CallOptions.untilClosed());
    assertThat(without.getSeconds()).isEqualTo(-1);
  }

  @Test
  void a_question_too_long_is_refused_before_it_is_sent_and_the_connection_lives()
      throws Exception {
    assertThatThrownBy(() -> client.call("test.v1.Echo", "Same", new byte[(4 << 20) + 1], QUICK))
        .extracting(e -> ((TtrpcException) e).code())
        .isEqualTo(StatusCode.RESOURCE_EXHAUSTED);
    assertThat(upper("still")).isEqualTo("STILL");
  }

  @Test
  void an_answer_too_long_is_resource_exhausted_and_the_connection_lives() throws Exception {
    assertThatThrownBy(() -> client.call("test.v1.Echo", "Big", new byte[0], QUICK))
        .extracting(e -> ((TtrpcException) e).code())
        .isEqualTo(StatusCode.RESOURCE_EXHAUSTED);
    assertThat(upper("still")).isEqualTo("STILL");
  }

  @Test
  void messages_of_many_sizes_come_back_as_they_were() throws Exception {
    var random = new java.util.Random(7);
    for (int size : new int[] {0, 1, 9, 10, 16_000, 16_374, 16_384, 16_385, 40_000, 4_000_000}) {
      byte[] message = new byte[size];
      random.nextBytes(message);
      assertThat(client.call("test.v1.Echo", "Same", message, QUICK)).isEqualTo(message);
    }
  }

  @Test
  void calls_do_not_wait_for_each_other() throws Exception {
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<byte[]> held =
          threads.submit(() -> client.call("test.v1.Echo", "Hold", new byte[0], QUICK));
      entered.await();
      List<Future<String>> others = new ArrayList<>();
      for (int i = 0; i < 500; i++) {
        String text = "call " + i;
        others.add(threads.submit(() -> upper(text)));
      }
      for (int i = 0; i < 500; i++) {
        assertThat(others.get(i).get()).isEqualTo("CALL " + i);
      }
      assertThat(held.isDone()).isFalse();
      release.countDown();
      held.get();
    }
  }

  /** On a busy machine a call may run out of its time before it comes to the handler. */
  private void runOutOfTimeInside(String method) {
    var time = java.time.Duration.ofMillis(100);
    do {
      CallOptions options = CallOptions.within(time);
      assertThatThrownBy(() -> client.call("test.v1.Echo", method, new byte[0], options))
          .extracting(e -> ((TtrpcException) e).code())
          .isEqualTo(StatusCode.DEADLINE_EXCEEDED);
      time = time.multipliedBy(4);
    } while (entered.getCount() > 0 && time.compareTo(SOON) < 0);
  }

  @Test
  void a_deadline_ends_the_wait_and_the_late_answer_is_dropped() throws Exception {
    runOutOfTimeInside("Hold");
    release.countDown();
    assertThat(seen.poll(60, TimeUnit.SECONDS)).isEqualTo("abandoned true");
    assertThat(upper("next")).isEqualTo("NEXT");
  }

  @Test
  void a_waiting_handler_is_interrupted_at_the_callers_deadline() throws Exception {
    runOutOfTimeInside("Wait");
    assertThat(seen.poll(60, TimeUnit.SECONDS)).isEqualTo("interrupted");
  }

  @Test
  void an_interrupted_caller_leaves_the_connection_to_the_others() throws Exception {
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<byte[]> held =
          threads.submit(() -> client.call("test.v1.Echo", "Hold", new byte[0], QUICK));
      entered.await();
      held.cancel(true);
      assertThat(upper("others")).isEqualTo("OTHERS");
      release.countDown();
    }
  }

  @Test
  void the_servers_end_fails_waiting_calls_and_is_told_once() throws Exception {
    var told = new AtomicInteger();
    var first = new CountDownLatch(1);
    client.onClose(
        () -> {
          told.incrementAndGet();
          first.countDown();
        });
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<byte[]> waiting =
          threads.submit(
              () -> client.call("test.v1.Echo", "Wait", new byte[0], CallOptions.untilClosed()));
      entered.await();
      server.close();
      assertThatThrownBy(waiting::get).hasCauseInstanceOf(ConnectionLostException.class);
    }
    assertThat(first.await(60, TimeUnit.SECONDS)).isTrue();
    assertThat(client.isClosed()).isTrue();
    client.close();
    var late = new CountDownLatch(1);
    client.onClose(late::countDown);
    assertThat(late.await(60, TimeUnit.SECONDS)).isTrue();
    assertThat(told).hasValue(1);
    assertThatThrownBy(() -> upper("x")).isInstanceOf(ConnectionLostException.class);
  }

  @Test
  void a_lost_client_interrupts_who_only_waits_and_not_who_works() throws Exception {
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<byte[]> waiting =
          threads.submit(
              () -> client.call("test.v1.Echo", "Wait", new byte[0], CallOptions.untilClosed()));
      entered.await();
      client.close();
      assertThatThrownBy(waiting::get).hasCauseInstanceOf(ConnectionLostException.class);
    }
    assertThat(seen.poll(60, TimeUnit.SECONDS)).isEqualTo("interrupted");
  }

  @Test
  void shutdown_lets_running_calls_finish_and_reports_those_that_do_not() throws Exception {
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<byte[]> held =
          threads.submit(() -> client.call("test.v1.Echo", "Hold", new byte[] {}, QUICK));
      entered.await();
      Future<Boolean> down = threads.submit(() -> server.shutdown(SOON));
      release.countDown();
      assertThat(held.get()).isEmpty();
      assertThat(down.get()).isTrue();
    }
    assertThatThrownBy(() -> TtrpcClient.connect(folder.resolve("s"), SOON))
        .isInstanceOf(java.io.IOException.class);
  }

  @Test
  void shutdown_gives_up_on_a_call_after_its_limit() throws Exception {
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<byte[]> held =
          threads.submit(() -> client.call("test.v1.Echo", "Hold", new byte[] {}, QUICK));
      entered.await();
      assertThat(server.shutdown(java.time.Duration.ofMillis(50))).isFalse();
      assertThatThrownBy(held::get).hasCauseInstanceOf(ConnectionLostException.class);
      release.countDown();
    }
  }

  @Test
  void a_server_stream_ends_after_its_last_message() throws Exception {
    try (ClientStream s =
        client.serverStream("test.v1.Echo", "Count", "1000".getBytes(UTF_8), QUICK)) {
      for (int i = 1; i <= 1000; i++) {
        assertThat(s.receive()).asString(UTF_8).isEqualTo(Integer.toString(i));
      }
      assertThat(s.receive()).isNull();
      assertThat(s.receive()).isNull();
    }
  }

  @Test
  void both_ends_of_a_stream_may_talk_until_one_has_said_all() throws Exception {
    try (ClientStream s = client.stream("test.v1.Echo", "Chat", QUICK)) {
      s.send("a".getBytes(UTF_8));
      assertThat(s.receive()).asString(UTF_8).isEqualTo("re a");
      s.send("b".getBytes(UTF_8));
      s.send(new byte[0]);
      assertThat(s.receive()).asString(UTF_8).isEqualTo("re b");
      assertThat(s.receive()).asString(UTF_8).isEqualTo("re ");
      s.closeSend();
      s.closeSend();
      assertThat(s.receive()).isNull();
      assertThatThrownBy(() -> s.send(new byte[0])).isInstanceOf(TtrpcException.class);
    }
  }

  @Test
  void a_stream_fails_after_the_messages_that_came_before() throws Exception {
    try (ClientStream s = client.stream("test.v1.Echo", "Refuse", QUICK)) {
      assertThat(s.receive()).asString(UTF_8).isEqualTo("one");
      assertThatThrownBy(s::receive)
          .hasMessage("not today")
          .extracting(e -> ((TtrpcException) e).code())
          .isEqualTo(StatusCode.FAILED_PRECONDITION);
    }
  }

  @Test
  void a_stream_whose_server_does_not_receive_fails_alone() throws Exception {
    try (ClientStream s = client.stream("test.v1.Echo", "Deaf", QUICK)) {
      byte[] much = new byte[1 << 20];
      for (int i = 0; i < 17; i++) {
        s.send(much);
      }
      assertThatThrownBy(s::receive)
          .extracting(e -> ((TtrpcException) e).code())
          .isEqualTo(StatusCode.RESOURCE_EXHAUSTED);
    }
    assertThat(seen.poll(60, TimeUnit.SECONDS)).isEqualTo("deaf ended");
    assertThat(upper("alive")).isEqualTo("ALIVE");
  }

  @Test
  void the_envelopes_are_those_of_the_ttrpc_messages() throws Exception {
    var request =
        new Messages.Request(
            "s", "m", new byte[] {1, 2}, 300, Metadata.EMPTY.with("K", "v").with("k2", ""));
    byte[] encoded = request.encode();
    // service=1 method=2 payload=3 timeout_nano=4 metadata=5{key=1 value=2}
    assertThat(HexFormat.of().formatHex(encoded))
        .isEqualTo(
            "0a0173" + "12016d" + "1a020102" + "20ac02" + "2a060a016b120176" + "2a040a026b32");
    Messages.Request again = Messages.Request.parse(encoded);
    assertThat(again.metadata()).isEqualTo(request.metadata());
    assertThat(again.timeoutNanos()).isEqualTo(300);
    var failure = new TtrpcException(StatusCode.NOT_FOUND, "x");
    assertThat(HexFormat.of().formatHex(new Messages.Response(failure, new byte[0]).encode()))
        .isEqualTo("0a050805" + "120178");
    assertThat(new Messages.Response(null, new byte[0]).encode()).isEmpty();
    assertThat(Optional.ofNullable(Messages.Response.parse(new byte[0]).failure())).isEmpty();
    assertThat(BytesValue.parseFrom(new byte[0]).getValue()).isEmpty();
  }
}
