package io.jcontainerd.services;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.Any;
import com.google.protobuf.StringValue;
import io.grpc.StatusException;
import io.jcontainerd.api.services.streaming.v1.StreamInit;
import io.jcontainerd.core.Call;
import io.jcontainerd.core.failure.AbortedException;
import io.jcontainerd.core.failure.DeadlineExceededException;
import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.testkit.memory.InMemoryLeaseStore;
import io.jcontainerd.testkit.time.Soon;
import io.jcontainerd.wire.TypedValues;
import io.jcontainerd.wire.streams.ByteReceiver;
import io.jcontainerd.wire.streams.ByteSender;
import io.jcontainerd.wire.streams.MessageStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class StreamingServiceTest {
  private static final Call CALL = Call.in("default");

  @TempDir Path folder;
  private final InMemoryLeaseStore leases = new InMemoryLeaseStore();
  private final StreamRegistry streams = new StreamRegistry(leases);
  private SocketServer server;

  @BeforeEach
  void serve() throws Exception {
    server = new SocketServer(folder, List.of(Services.streaming(streams, Time.SYSTEM)));
  }

  @AfterEach
  void close() throws Exception {
    server.close();
    awaitSize(0); // whatever the client did, nothing is left
  }

  @Test
  void messages_go_both_ways_until_the_daemon_closes() throws Exception {
    ClientStream client = open("s");
    MessageStream daemon = take("s");
    client.send(text("to the daemon"));
    assertThat(daemon.receive()).contains(text("to the daemon"));
    daemon.send(text("to the client"));
    assertThat(client.receive()).contains(text("to the client"));
    daemon.close();
    assertThat(client.receive()).isEmpty();
    awaitSize(0);
  }

  @Test
  void both_ends_speak_at_the_same_time() throws Exception {
    byte[] bytes = new byte[3_000_000];
    new Random(1).nextBytes(bytes);
    ClientStream client = open("s");
    MessageStream daemon = take("s");
    var received =
        inBackground(
            () -> {
              try (var in = new ByteReceiver(daemon)) {
                return in.readAllBytes();
              }
            });
    try (var out = new ByteSender(client)) {
      out.write(bytes);
    }
    assertThat(received.get()).isEqualTo(bytes);
    assertThat(client.receive().isPresent()).as("window updates that were too late").isTrue();
  }

  @Test
  void an_id_is_used_once_in_a_namespace() throws Exception {
    ClientStream client = open("s");
    assertThatThrownBy(() -> open("s"))
        .isInstanceOf(StatusException.class)
        .hasMessage("ALREADY_EXISTS: stream \"s\": already exists");
    ClientStream elsewhere = ClientStream.open(server.in("other"), "s");
    elsewhere.fail("done");
    client.fail("done");
    awaitSize(0);
    open("s").fail("done");
  }

  @Test
  void a_stream_begins_with_its_id_in_a_namespace() {
    assertThatThrownBy(() -> ClientStream.openWith(server.in("default"), text("x")))
        .hasMessageContaining("INVALID_ARGUMENT")
        .hasMessageContaining("StreamInit");
    assertThatThrownBy(() -> open("")).hasMessageContaining("INVALID_ARGUMENT");
    assertThatThrownBy(() -> ClientStream.open(server.bare(), "s"))
        .hasMessageContaining("FAILED_PRECONDITION")
        .hasMessageContaining("namespace is required");
  }

  @Test
  void a_prefixed_type_is_understood() throws Exception {
    Any init = TypedValues.packApi(StreamInit.newBuilder().setId("s").build());
    ClientStream.openWith(
        server.in("default"),
        init.toBuilder().setTypeUrl("type.googleapis.com/" + init.getTypeUrl()).build());
    assertThat(streams.size()).isEqualTo(1);
  }

  @Test
  void a_stream_that_nobody_opened_is_not_found() {
    assertThatThrownBy(() -> take("s"))
        .isInstanceOf(NotFoundException.class)
        .hasMessage("stream \"s\"");
  }

  @Test
  void a_stream_is_used_by_one_call() throws Exception {
    open("s");
    take("s");
    assertThatThrownBy(() -> take("s")).isInstanceOf(FailedPreconditionException.class);
  }

  @Test
  void a_client_that_vanishes_ends_what_waits_for_it() throws Exception {
    ClientStream client = open("s");
    MessageStream daemon = take("s");
    var reading = inBackground(daemon::receive);
    client.fail("gone");
    assertThatThrownBy(reading::get).hasRootCauseMessage("call cancelled");
    assertThatThrownBy(daemon::receive).isInstanceOf(UnavailableException.class);
    assertThatThrownBy(() -> daemon.send(text("x"))).isInstanceOf(UnavailableException.class);
    assertThat(Thread.interrupted()).isFalse();
    awaitSize(0);
  }

  @Test
  void a_failed_stream_is_no_good_end() throws Exception {
    ClientStream client = open("s");
    take("s").fail("the disk is full");
    assertThatThrownBy(client::receive)
        .isInstanceOf(AbortedException.class)
        .hasMessageContaining("the disk is full");
  }

  @Test
  void a_wait_for_a_message_has_a_limit_and_can_go_on() throws Exception {
    ClientStream client = open("s");
    MessageStream daemon = take("s");
    assertThatThrownBy(() -> daemon.receive(Duration.ofMillis(20)))
        .isInstanceOf(DeadlineExceededException.class);
    client.send(text("late"));
    client.send(text("later"));
    assertThat(daemon.receive(Duration.ofSeconds(60))).contains(text("late"));
    assertThat(daemon.receive()).contains(text("later"));
    client.close();
    assertThat(daemon.receive()).isEmpty();
    assertThat(daemon.receive()).isEmpty();
  }

  @Test
  void a_stream_belongs_to_the_lease_of_its_call() throws Exception {
    assertThatThrownBy(() -> ClientStream.open(server.as(CALL.withLease("none")), "s"))
        .hasMessageContaining("NOT_FOUND");
    CALL.run(() -> leases.create("l", Map.of()));
    ClientStream client = ClientStream.open(server.as(CALL.withLease("l")), "s");
    CALL.run(() -> leases.delete("l", false));
    assertThatThrownBy(() -> take("s")).isInstanceOf(NotFoundException.class);
    assertThatThrownBy(client::receive).hasMessageContaining("its lease has ended");
  }

  @Test
  void a_taken_stream_outlives_its_lease() throws Exception {
    CALL.run(() -> leases.create("l", Map.of()));
    ClientStream client = ClientStream.open(server.as(CALL.withLease("l")), "s");
    MessageStream daemon = take("s");
    CALL.run(() -> leases.delete("l", false));
    open("another").fail("done");
    daemon.send(text("x"));
    assertThat(client.receive()).contains(text("x"));
    daemon.close();
  }

  @Test
  void streams_are_bounded_in_number() throws Exception {
    for (int i = 0; i < StreamRegistry.MOST; i++) {
      open("s" + i);
    }
    assertThatThrownBy(() -> open("one more")).hasMessageContaining("RESOURCE_EXHAUSTED");
    ClientStream.open(server.in("other"), "s").fail("done");
  }

  @Test
  void closing_the_registry_ends_streams_and_takes_no_more() throws Exception {
    ClientStream client = open("s");
    streams.close();
    assertThatThrownBy(client::receive).hasMessageContaining("the daemon is stopping");
    assertThatThrownBy(() -> open("t")).hasMessageContaining("UNAVAILABLE");
  }

  private ClientStream open(String id) throws Exception {
    return ClientStream.open(server.in("default"), id);
  }

  private MessageStream take(String id) {
    return CALL.<MessageStream, RuntimeException>call(() -> streams.take(id));
  }

  /** On a thread of its own: how many the common pool has depends on the machine. */
  private static <T> Future<T> inBackground(Callable<T> work) {
    var task = new FutureTask<>(work);
    Thread.ofVirtual().start(task);
    return task;
  }

  private void awaitSize(int size) {
    Soon.until("there are " + size + " streams", () -> streams.size() == size);
  }

  private static Any text(String text) {
    return TypedValues.packApi(StringValue.of(text));
  }
}
