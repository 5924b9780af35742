package io.jcontainerd.ttrpc;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Peers that break the rules, stop reading, or die in the middle. */
@Timeout(300)
class HostilePeerTest {
  private static final Duration SOON = Duration.ofSeconds(60);

  @TempDir Path folder;
  private TtrpcServer server;
  private Path socket;

  @BeforeEach
  void start() throws IOException {
    TtrpcService service =
        TtrpcService.named("s")
            .bytes("Same", (q, c) -> q)
            .bytes("Mega", (q, c) -> new byte[1 << 20])
            .stream(
                "Chat",
                s -> {
                  for (byte[] m = s.receive(); m != null; m = s.receive()) {
                    s.send(m);
                  }
                })
            .build();
    server =
        new TtrpcServer(
            List.of(service),
            e -> new TtrpcException(StatusCode.UNKNOWN, String.valueOf(e)),
            Duration.ofMillis(300));
    socket = folder.resolve("s");
    server.listen(UnixSockets.listen(socket));
  }

  @AfterEach
  void stop() {
    server.close();
  }

  /** A peer that writes and reads raw frames. */
  private static final class Raw implements AutoCloseable {
    final SocketChannel channel;
    final FrameReader reader;

    Raw(SocketChannel channel) {
      this.channel = channel;
      this.reader = new FrameReader(channel);
    }

    void send(int id, int type, int flags, byte[] data) throws IOException {
      send(data.length, id, type, flags, data);
    }

    void send(int length, int id, int type, int flags, byte[] data) throws IOException {
      ByteBuffer b = ByteBuffer.allocate(10 + data.length);
      b.putInt(length).putInt(id).put((byte) type).put((byte) flags).put(data).flip();
      while (b.hasRemaining()) {
        channel.write(b);
      }
    }

    Frame read() throws IOException {
      var next = Objects.requireNonNull(reader.next(), "connection ended");
      return ((FrameReader.Incoming.Whole) next).frame();
    }

    TtrpcException failure(int id) throws IOException {
      Frame frame = read();
      assertThat(frame.streamId()).isEqualTo(id);
      assertThat(frame.type()).isEqualTo(Frame.RESPONSE);
      return Objects.requireNonNull(
          Messages.Response.parse(frame.data()).failure(), "answered well");
    }

    @Override
    public void close() throws IOException {
      channel.close();
    }
  }

  private Raw raw() throws Exception {
    return new Raw(UnixSockets.connect(socket, SOON));
  }

  private static byte[] request(String method) {
    return new Messages.Request("s", method, "hi".getBytes(UTF_8), 0, Metadata.EMPTY).encode();
  }

  private void answersStill() throws Exception {
    try (TtrpcClient client = TtrpcClient.connect(socket, SOON)) {
      assertThat(client.call("s", "Same", "ok".getBytes(UTF_8), CallOptions.within(SOON)))
          .asString(UTF_8)
          .isEqualTo("ok");
    }
  }

  @Test
  void ids_must_be_odd_and_grow() throws Exception {
    try (Raw raw = raw()) {
      raw.send(2, 1, 0, request("Same"));
      assertThat(raw.failure(2).code()).isEqualTo(StatusCode.INVALID_ARGUMENT);
      raw.send(5, 1, 0, request("Same"));
      assertThat(Messages.Response.parse(raw.read().data()).payload())
          .asString(UTF_8)
          .isEqualTo("hi");
      raw.send(5, 1, 0, request("Same"));
      assertThat(raw.failure(5).code()).isEqualTo(StatusCode.INVALID_ARGUMENT);
      raw.send(3, 1, 0, request("Same"));
      assertThat(raw.failure(3).code()).isEqualTo(StatusCode.INVALID_ARGUMENT);
      raw.send(7, 1, 0, request("Same"));
      assertThat(raw.read().streamId()).isEqualTo(7);
    }
  }

  @Test
  void a_request_that_is_no_request_is_refused_and_the_connection_lives() throws Exception {
    try (Raw raw = raw()) {
      raw.send(1, 1, 0, new byte[] {(byte) 0xff, (byte) 0xff, 1});
      assertThat(raw.failure(1).code()).isEqualTo(StatusCode.INVALID_ARGUMENT);
      raw.send(3, 1, 0, request("Same"));
      assertThat(raw.read().streamId()).isEqualTo(3);
    }
  }

  @Test
  void a_frame_too_long_is_skipped_and_refused() throws Exception {
    try (Raw raw = raw()) {
      raw.send(1, 1, 0, new byte[(4 << 20) + 1]);
      TtrpcException failure = raw.failure(1);
      assertThat(failure.code()).isEqualTo(StatusCode.RESOURCE_EXHAUSTED);
      raw.send(3, 1, 0, request("Same"));
      assertThat(raw.read().streamId()).isEqualTo(3);
    }
  }

  @Test
  void frames_of_types_to_come_are_ignored() throws Exception {
    try (Raw raw = raw()) {
      raw.send(9, 77, 0, new byte[] {1});
      raw.send(1, 1, 0, request("Same"));
      assertThat(raw.read().streamId()).isEqualTo(1);
    }
  }

  @Test
  void data_for_a_stream_that_never_was_is_refused() throws Exception {
    try (Raw raw = raw()) {
      raw.send(11, 3, 0, new byte[] {1});
      assertThat(raw.failure(11).code()).isEqualTo(StatusCode.INVALID_ARGUMENT);
      raw.send(13, 1, 0, request("Same"));
      assertThat(raw.read().streamId()).isEqualTo(13);
    }
  }

  @Test
  void unary_requests_may_carry_closing_flags() throws Exception {
    try (Raw raw = raw()) {
      raw.send(1, 1, 1 | 4, request("Same"));
      Frame frame = raw.read();
      assertThat(Messages.Response.parse(frame.data()).payload()).asString(UTF_8).isEqualTo("hi");
    }
  }

  @Test
  void noise_breaks_its_own_connection_at_most() throws Exception {
    long seed = new Random().nextLong();
    var random = new Random(seed);
    for (int i = 0; i < 50; i++) {
      try (Raw raw = raw()) {
        byte[] noise = new byte[random.nextInt(4000)];
        random.nextBytes(noise);
        raw.channel.write(ByteBuffer.wrap(noise));
      }
      answersStill();
    }
    assertThat(server.connections()).as("seed " + seed).isLessThan(60);
  }

  private void awaitNoConnections() {
    long begun = System.nanoTime();
    while (server.connections() > 0) {
      assertThat(System.nanoTime() - begun).as("time").isLessThan(90_000_000_000L);
      Thread.onSpinWait();
    }
  }

  @Test
  void a_peer_that_dies_inside_a_frame_is_forgotten() throws Exception {
    try (Raw raw = raw()) {
      raw.send(100, 1, 1, 0, new byte[] {1, 2, 3});
    }
    answersStill();
    awaitNoConnections();
  }

  @Test
  void a_peer_that_does_not_read_loses_its_connection_and_holds_up_nobody() throws Exception {
    try (Raw raw = raw()) {
      askMuch(raw);
      answersStill();
      // 30 MB of answers do not fit: the server gives the connection up after its stall limit
      awaitNoConnections();
      assertThatThrownBy(
              () -> {
                while (raw.reader.next() != null) {
                  assertThat(raw.channel.isOpen()).isTrue();
                }
                throw new EOFException("ended between frames");
              })
          .isInstanceOf(IOException.class);
    }
    answersStill();
  }

  /** The server may have given it up before all is asked. */
  private static void askMuch(Raw raw) {
    try {
      for (int i = 0; i < 30; i++) {
        raw.send(1 + 2 * i, 1, 0, request("Mega"));
      }
    } catch (IOException _) {
      // it has
    }
  }

  @Test
  void a_server_that_does_not_read_fails_the_client_within_its_deadline() throws Exception {
    Path deaf = folder.resolve("deaf");
    try (ServerSocketChannel listener = UnixSockets.listen(deaf);
        TtrpcClient client =
            TtrpcClient.over(UnixSockets.connect(deaf, SOON), "deaf", Duration.ofSeconds(30))) {
      CallOptions shortly = CallOptions.within(Duration.ofMillis(50));
      for (int i = 0; i < 12; i++) {
        assertThatThrownBy(() -> client.call("s", "Same", new byte[1 << 20], shortly))
            .extracting(e -> ((TtrpcException) e).code())
            .isEqualTo(StatusCode.DEADLINE_EXCEEDED);
      }
      assertThat(listener.isOpen()).isTrue();
    }
  }

  @Test
  void a_client_whose_server_stalls_is_closed_and_told() throws Exception {
    Path deaf = folder.resolve("deaf");
    try (ServerSocketChannel listener = UnixSockets.listen(deaf);
        TtrpcClient client =
            TtrpcClient.over(UnixSockets.connect(deaf, SOON), "deaf", Duration.ofMillis(200))) {
      var told = new CountDownLatch(1);
      client.onClose(told::countDown);
      for (int i = 0; i < 12; i++) {
        Thread.ofVirtual()
            .start(
                () ->
                    assertThatThrownBy(
                            () ->
                                client.call(
                                    "s", "Same", new byte[1 << 20], CallOptions.within(SOON)))
                        .isInstanceOf(ConnectionLostException.class));
      }
      assertThat(told.await(60, TimeUnit.SECONDS)).isTrue();
      assertThat(listener.isOpen()).isTrue();
    }
  }

  @Test
  void a_client_survives_answers_that_it_did_not_ask_for() throws Exception {
    Path odd = folder.resolve("odd");
    try (ServerSocketChannel listener = UnixSockets.listen(odd);
        TtrpcClient client = TtrpcClient.connect(odd, SOON);
        Raw raw = new Raw(listener.accept())) {
      raw.send(99, 2, 0, new byte[0]);
      raw.send(98, 3, 1, new byte[] {4});
      Thread.ofVirtual()
          .start(
              () -> {
                try {
                  Frame asked = raw.read();
                  raw.send(asked.streamId(), 2, 0, new byte[] {(byte) 0xff});
                  asked = raw.read();
                  raw.send(asked.streamId(), 2, 0, new byte[0]);
                } catch (IOException e) {
                  throw new java.io.UncheckedIOException(e);
                }
              });
      assertThatThrownBy(() -> client.call("s", "Same", new byte[0], CallOptions.within(SOON)))
          .extracting(e -> ((TtrpcException) e).code())
          .isEqualTo(StatusCode.INTERNAL);
      assertThat(client.call("s", "Same", new byte[0], CallOptions.within(SOON))).isEmpty();
    }
  }

  @Test
  void connecting_to_a_full_backlog_ends_at_its_limit() throws Exception {
    Path full = folder.resolve("full");
    try (ServerSocketChannel listener =
        ServerSocketChannel.open(java.net.StandardProtocolFamily.UNIX)) {
      listener.bind(java.net.UnixDomainSocketAddress.of(full), 1);
      var held = new java.util.ArrayList<SocketChannel>();
      try {
        assertThatThrownBy(
                () -> {
                  for (int i = 0; i < 10; i++) {
                    held.add(UnixSockets.connect(full, Duration.ofMillis(100)));
                  }
                })
            .isInstanceOf(java.net.SocketTimeoutException.class);
      } finally {
        for (SocketChannel channel : held) {
          channel.close();
        }
      }
    }
  }

  @Test
  void a_socket_that_nobody_listens_on_fails_at_once() throws Exception {
    Path dead = folder.resolve("dead");
    UnixSockets.listen(dead).close();
    assertThatThrownBy(() -> TtrpcClient.connect(dead, SOON))
        .isInstanceOf(IOException.class)
        .hasMessageContaining(dead.toString());
    assertThatThrownBy(() -> TtrpcClient.connect(folder.resolve("none"), SOON))
        .isInstanceOf(IOException.class);
  }
}
