package io.jcontainerd.ttrpc;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnknownFieldSet;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;

/**
 * Proof on the other implementation: Debian's containerd-shim-runc-v2 (written in Go) answers our
 * client, and its event publisher is served by our server. Messages are written by field number.
 */
@Tag("root")
@Timeout(600)
@EnabledIf("shimInstalled")
class ShimInteropTest {
  private static final Path SHIM = Path.of("/usr/bin/containerd-shim-runc-v2");
  private static final String TASK = "containerd.task.v2.Task";
  private static final CallOptions QUICK = CallOptions.within(Duration.ofSeconds(90));
  private static final String NAMESPACE = "runtime-ttrpc";

  @TempDir Path bundle;
  private final String id = "runtime-" + UUID.randomUUID();
  private final BlockingQueue<String> topics = new LinkedBlockingQueue<>();
  private TtrpcServer events;
  private TtrpcClient shim;
  private long shimPid;

  static boolean shimInstalled() {
    return Files.isExecutable(SHIM) && Files.isExecutable(Path.of("/usr/bin/busybox"));
  }

  @BeforeEach
  void start() throws Exception {
    Path rootfs = Files.createDirectories(bundle.resolve("rootfs/bin"));
    Files.copy(Path.of("/usr/bin/busybox"), rootfs.resolve("sleep"));
    Files.createDirectories(bundle.resolve("rootfs/proc"));
    Files.writeString(
        bundle.resolve("config.json"),
        """
        {"ociVersion":"1.0.2","process":{"user":{"uid":0,"gid":0},"args":["/bin/sleep","600"],
        "cwd":"/","env":[]},"root":{"path":"rootfs"},
        "mounts":[{"destination":"/proc","type":"proc","source":"proc"}],
        "linux":{"cgroupsPath":"/%s","namespaces":[{"type":"pid"},{"type":"mount"},{"type":"ipc"}]}}
        """
            .formatted(id));
    events =
        new TtrpcServer(
            List.of(
                TtrpcService.named("containerd.services.events.ttrpc.v1.Events")
                    .bytes("Forward", (q, c) -> forward(q))
                    .build()));
    Path socket = bundle.resolve("events");
    events.listen(UnixSockets.listen(socket));

    // the shim opens this FIFO for its log and does not live without it
    Path log = bundle.resolve("log");
    assertThat(new ProcessBuilder("mkfifo", log.toString()).start().waitFor()).isZero();
    Thread.ofPlatform().daemon().name("shim log").start(() -> drain(log));

    var builder =
        new ProcessBuilder(
            SHIM.toString(),
            "-namespace",
            NAMESPACE,
            "-address",
            bundle.resolve("grpc").toString(),
            "-publish-binary",
            "/bin/true",
            "-id",
            id,
            "start");
    builder.directory(bundle.toFile()).redirectErrorStream(true);
    builder.environment().put("TTRPC_ADDRESS", socket.toString());
    Process process = builder.start();
    process.getOutputStream().close();
    String address = new String(process.getInputStream().readAllBytes(), UTF_8).strip();
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(address).startsWith("unix:///");
    shim = TtrpcClient.connect(Path.of(address.substring(7)), Duration.ofSeconds(60));
  }

  @AfterEach
  void stop() throws Exception {
    shim.close();
    events.close();
    ProcessHandle.of(shimPid).ifPresent(ProcessHandle::destroyForcibly);
  }

  private static void drain(Path fifo) {
    try (var in = Files.newInputStream(fifo)) {
      in.transferTo(java.io.OutputStream.nullOutputStream());
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  private byte[] forward(byte[] request) throws IOException {
    // ForwardRequest{envelope=1}, Envelope{timestamp=1 namespace=2 topic=3 event=4}
    UnknownFieldSet envelope =
        message(message(request).getField(1).getLengthDelimitedList().getFirst());
    assertThat(text(envelope, 2)).isEqualTo(NAMESPACE);
    topics.add(text(envelope, 3));
    return new byte[0];
  }

  private static UnknownFieldSet message(byte[] bytes) throws IOException {
    return UnknownFieldSet.parseFrom(bytes);
  }

  private static UnknownFieldSet message(ByteString bytes) throws IOException {
    return UnknownFieldSet.parseFrom(bytes);
  }

  private static String text(UnknownFieldSet message, int field) {
    return message.getField(field).getLengthDelimitedList().getFirst().toStringUtf8();
  }

  private static UnknownFieldSet.Builder put(
      UnknownFieldSet.Builder builder, int field, String text) {
    return builder.mergeField(
        field,
        UnknownFieldSet.Field.newBuilder()
            .addLengthDelimited(ByteString.copyFromUtf8(text))
            .build());
  }

  private byte[] call(String method, UnknownFieldSet.Builder request) throws InterruptedException {
    return shim.call(TASK, method, request.build().toByteArray(), QUICK);
  }

  private UnknownFieldSet.Builder withId() {
    return put(UnknownFieldSet.newBuilder(), 1, id);
  }

  @Test
  void the_stock_shim_runs_a_container_for_us_and_its_events_arrive() throws Exception {
    shimPid = message(call("Connect", withId())).getField(1).getVarintList().getFirst();
    assertThat(ProcessHandle.of(shimPid)).isPresent();
    var died = new CountDownLatch(1);
    shim.onClose(died::countDown);

    long pid =
        message(call("Create", put(withId(), 2, bundle.toString())))
            .getField(1)
            .getVarintList()
            .getFirst();
    assertThat(topics.poll(60, TimeUnit.SECONDS)).isEqualTo("/tasks/create");
    call("Start", withId());
    assertThat(topics.poll(60, TimeUnit.SECONDS)).isEqualTo("/tasks/start");
    assertThat(ProcessHandle.of(pid)).isPresent();

    assertThatThrownBy(() -> call("Delete", withId()))
        .isInstanceOf(TtrpcException.class)
        .extracting(e -> ((TtrpcException) e).code())
        .isEqualTo(StatusCode.UNKNOWN);
    assertThatThrownBy(() -> call("Nonsense", withId()))
        .extracting(e -> ((TtrpcException) e).code())
        .isEqualTo(StatusCode.UNIMPLEMENTED);

    // KillRequest{id=1 exec_id=2 signal=3 all=4}
    UnknownFieldSet.Builder kill = withId();
    kill.mergeField(3, UnknownFieldSet.Field.newBuilder().addVarint(9).build());
    call("Kill", kill);
    UnknownFieldSet exit = message(call("Wait", withId()));
    assertThat(exit.getField(1).getVarintList().getFirst()).isEqualTo(137);
    assertThat(topics.poll(60, TimeUnit.SECONDS)).isEqualTo("/tasks/exit");
    call("Delete", withId());
    assertThat(topics.poll(60, TimeUnit.SECONDS)).isEqualTo("/tasks/delete");

    try {
      call("Shutdown", withId());
    } catch (ConnectionLostException e) {
      assertThat(e.code()).isEqualTo(StatusCode.UNAVAILABLE); // it may be gone before its answer
    }
    assertThat(died.await(60, TimeUnit.SECONDS)).isTrue();
  }
}
