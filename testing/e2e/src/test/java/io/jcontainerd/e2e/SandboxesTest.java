package io.jcontainerd.e2e;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.client.Containerd;
import io.jcontainerd.core.FieldMask;
import io.jcontainerd.core.TypedValue;
import io.jcontainerd.core.events.EventRecord.Following;
import io.jcontainerd.core.events.EventRecord.From;
import io.jcontainerd.core.events.EventRecord.Told;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.filter.Filter;
import io.jcontainerd.core.sandboxes.Sandbox;
import io.jcontainerd.core.sandboxes.SandboxController;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Sandboxes of the daemon, by the Java client: records, pods of its own, and those of shims. */
@Tag("root")
@Timeout(600)
@SuppressWarnings("NullAway.Init")
class SandboxesTest {
  private static final String SPEC = "types.containerd.io/opencontainers/runtime-spec/1/Spec";

  private Path folder;
  private Traces before;
  private Daemon daemon;
  private Containerd client;

  @BeforeEach
  void open() {
    Assumptions.assumeTrue(Daemon.reference() == null, "releases before 1.7 have none");
    folder = Scene.folder("sandboxes");
    before = Traces.now(folder);
    daemon = new Daemon(folder.resolve("d"), false).start();
    connect();
  }

  private void connect() {
    client = Containerd.connect(daemon.socket().toString()).in(folder.getFileName().toString());
  }

  @AfterEach
  void close() {
    if (daemon != null) {
      client.close();
      daemon.close();
      before.assertNothingAdded(folder);
      Command.run("rm", "-rf", folder.toString()).ok();
    }
  }

  private static Sandbox sandbox(String id, String controller, String spec) {
    return new Sandbox(
        id,
        controller,
        new Sandbox.Runtime("io.containerd.runc.v2", Optional.empty()),
        spec.isEmpty() ? Optional.empty() : Optional.of(new TypedValue(SPEC, spec.getBytes(UTF_8))),
        Map.of("who", id),
        Map.of(),
        Instant.EPOCH,
        Instant.EPOCH);
  }

  private static SandboxController.Creation creation(Sandbox record) {
    return new SandboxController.Creation(record, List.of(), Optional.empty(), "", Map.of());
  }

  @Test
  void records_are_kept_changed_and_found_again_by_the_next_daemon() {
    Sandbox stored = client.sandboxes().create(sandbox("web", "podsandbox", "{}"));
    assertThat(stored.createdAt()).isAfter(Instant.EPOCH);
    assertThatThrownBy(() -> client.sandboxes().create(sandbox("web", "shim", "")))
        .isInstanceOf(AlreadyExistsException.class);
    client.sandboxes().create(sandbox("db", "podsandbox", ""));
    Sandbox changed =
        new Sandbox(
            "web",
            "podsandbox",
            stored.runtime(),
            stored.spec(),
            Map.of("who", "somebody"),
            Map.of(),
            stored.createdAt(),
            stored.updatedAt());
    client.sandboxes().update(changed, new FieldMask(List.of("labels.who")));
    daemon.kill();
    daemon.start();
    assertThat(client.sandboxes().get("web").labels()).containsEntry("who", "somebody");
    assertThat(client.sandboxes().list(List.of("labels.who==somebody")))
        .extracting(Sandbox::id)
        .containsExactly("web");
    client.sandboxes().delete("web");
    assertThat(client.sandboxes().list(Filter.ALL)).extracting(Sandbox::id).containsExactly("db");
  }

  /** The namespace's file of a kind, as the pod's document names it. */
  private static String path(Optional<TypedValue> document, String type) {
    String text = new String(document.orElseThrow().value(), UTF_8);
    return Stream.of(text.split("[{}]", -1))
        .filter(part -> part.contains("\"type\":\"" + type + "\""))
        .map(part -> part.replaceFirst(".*\"path\":\"([^\"]*)\".*", "$1"))
        .findFirst()
        .orElseThrow(() -> new AssertionError("no " + type + " in " + text));
  }

  private static String inside(String namespace, String option, String... command) {
    return Command.run(
            Command.line(List.of("nsenter", option + "=" + namespace), command), "", AWHILE)
        .ok()
        .out()
        .strip();
  }

  private static final Duration AWHILE = Duration.ofSeconds(90);

  @Test
  void a_pod_of_the_daemons_own_is_made_joined_and_freed() throws Exception {
    SandboxController pods = client.sandboxController("podsandbox");
    String spec =
        """
        {"ociVersion":"1.0.2","hostname":"podhost",
         "linux":{"namespaces":[{"type":"network"},{"type":"uts"},{"type":"ipc"}]}}
        """;
    Sandbox record = client.sandboxes().create(sandbox("pod", "podsandbox", spec));
    pods.create(creation(record));
    assertThatThrownBy(() -> pods.create(creation(record)))
        .isInstanceOf(AlreadyExistsException.class);
    SandboxController.Started started = pods.start("pod");
    assertThat(started.pid()).isZero();
    assertThat(pods.platform("pod").os()).isEqualTo("linux");
    SandboxController.Status ready = pods.status("pod", true);
    assertThat(ready.state()).isEqualTo("SANDBOX_READY");
    assertThat(ready.info()).isNotEmpty();
    String uts = path(started.spec(), "uts");
    assertThat(inside(uts, "--uts", "hostname")).isEqualTo("podhost");
    assertThat(inside(path(started.spec(), "network"), "--net", "cat", "/proc/net/dev"))
        .contains("lo:")
        .doesNotContain("eth");

    daemon.kill();
    daemon.start();
    assertThat(pods.status("pod", false).state()).isEqualTo("SANDBOX_READY");
    assertThat(inside(uts, "--uts", "hostname")).isEqualTo("podhost");

    var end = new FutureTask<>((Callable<SandboxController.End>) () -> pods.await("pod"));
    Thread.ofVirtual().start(end);
    pods.stop("pod", Duration.ofSeconds(5));
    assertThat(end.get(AWHILE.toSeconds(), TimeUnit.SECONDS).status()).isZero();
    assertThat(pods.status("pod", false).state()).isEqualTo("SANDBOX_NOTREADY");
    pods.shutdown("pod");
    assertThat(Path.of(uts)).doesNotExist();
    assertThat(pods.status("pod", false).state()).isEmpty();
    assertThatThrownBy(() -> pods.start("pod")).isInstanceOf(NotFoundException.class);
    client.sandboxes().delete("pod");
    assertThat(topics()).contains("/sandboxes/create", "/sandboxes/start", "/sandboxes/exit");
  }

  private List<String> topics() throws InterruptedException {
    List<String> seen = new ArrayList<>();
    try (Following record =
        client
            .eventRecord()
            .follow(new From.Oldest(), List.of("topic~=|^/sandboxes/|"), List.of())) {
      while (seen.size() < 3) {
        if (record.next(AWHILE).orElseThrow() instanceof Told.Happened happened) {
          seen.add(happened.event().event().topic());
        }
      }
    }
    return seen;
  }

  /** What a shim without the sandbox service answers to it; nothing of it is left. */
  @Test
  void a_shim_that_knows_no_sandboxes_refuses_and_is_ended() throws Exception {
    SandboxController shims = client.sandboxController("shim");
    Sandbox record = client.sandboxes().create(sandbox("vm", "shim", "{}"));
    assertThatThrownBy(
            () -> {
              shims.create(creation(record));
              shims.start("vm");
            })
        .isInstanceOf(ContainerdException.class);
    assertThat(shims.status("vm", false).state()).isEmpty();
    shims.stop("vm", Duration.ZERO);
    assertThatThrownBy(() -> shims.shutdown("vm")).isInstanceOf(NotFoundException.class);
    assertThat(left(daemon.state().resolve("io.containerd.sandbox.controller.v1.shim"))).isEmpty();
    Await.until(
        "its process has ended",
        () ->
            Traces.processes(folder).stream()
                .map(Traces::commandLine)
                .noneMatch(line -> line.contains("\0-id\0vm\0")));
  }

  private static List<Path> left(Path bundles) throws IOException {
    if (!Files.isDirectory(bundles)) {
      return List.of();
    }
    try (Stream<Path> tree = Files.walk(bundles, 2)) {
      return tree.filter(path -> path.getFileName().toString().equals("vm")).toList();
    }
  }
}
