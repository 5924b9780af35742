package io.jcontainerd.services;

import static org.assertj.core.api.Assertions.assertThat;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.Platform;
import io.jcontainerd.core.TypedValue;
import io.jcontainerd.core.events.Event;
import io.jcontainerd.core.failure.NotImplementedException;
import io.jcontainerd.core.introspection.Introspection;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.testkit.memory.InMemoryContainerStore;
import io.jcontainerd.testkit.memory.InMemoryContentStore;
import io.jcontainerd.testkit.memory.InMemoryImageStore;
import io.jcontainerd.testkit.memory.InMemoryLeaseStore;
import io.jcontainerd.testkit.memory.InMemoryNamespaceStore;
import io.jcontainerd.testkit.memory.InMemorySnapshotter;
import io.jcontainerd.testkit.time.Soon;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The unmodified {@code ctr} of the distribution against the services, with everything in memory.
 */
@Tag("root")
@Timeout(300)
class CtrTest {
  private static final Digest OTHER = Digest.sha256(new byte[] {1});

  @TempDir Path folder;
  private final InMemoryContentStore content = new InMemoryContentStore();
  private final MemoryExchange exchange = new MemoryExchange();
  private final ScriptedRuntime runtime = new ScriptedRuntime();
  private SocketServer server;

  @BeforeEach
  void serve() throws Exception {
    server =
        new SocketServer(
            folder,
            Services.all(
                new Engines(
                    "2.3.4",
                    "abc",
                    new OnePlugin(),
                    new InMemoryNamespaceStore(),
                    new InMemoryContainerStore(),
                    content,
                    new InMemoryImageStore(),
                    new InMemoryLeaseStore(),
                    Map.of("overlayfs", new InMemorySnapshotter()),
                    List.of(),
                    List.of(),
                    false,
                    exchange,
                    runtime,
                    folder.resolve("temp"),
                    Time.SYSTEM)));
  }

  @AfterEach
  void close() {
    server.close();
  }

  @Test
  void version_and_plugins() throws Exception {
    assertThat(ctr("version")).contains("2.3.4").contains("abc").contains("u-u-i-d");
    assertThat(ctr("plugins", "ls")).contains("overlayfs").contains("linux/amd64").contains("ok");
    assertThat(ctr("plugins", "ls", "-d", "id==overlayfs")).contains("/snapshots");
  }

  @Test
  void namespaces() throws Exception {
    ctr("namespaces", "create", "n1", "a=b");
    assertThat(ctr("namespaces", "ls")).contains("n1").contains("a=b");
    ctr("namespaces", "label", "n1", "c=d");
    assertThat(ctr("namespaces", "ls")).contains("c=d");
    assertThat(ctr("namespaces", "rm", "n1")).contains("n1");
    assertThat(ctr("namespaces", "ls")).doesNotContain("n1");
  }

  @Test
  void content_in_and_out() throws Exception {
    byte[] large = new byte[5_000_000];
    new Random(3).nextBytes(large);
    Path file = Files.write(folder.resolve("blob"), large);
    String digest = Digest.sha256(large).toString();

    run(
        file,
        0,
        "content",
        "ingest",
        "--expected-size",
        Integer.toString(large.length),
        "--expected-digest",
        digest,
        "ref");
    assertThat(ctr("content", "ls")).contains(digest).contains("5MB");
    Path out = folder.resolve("out");
    run(Optional.empty(), Optional.of(out), 0, "content", "get", digest);
    assertThat(out).hasBinaryContent(large);
    ctr("content", "label", digest, "x=y");
    assertThat(ctr("content", "ls")).contains("x=y");
    assertThat(run(file, 1, "content", "ingest", "--expected-digest", OTHER.toString(), "bad"))
        .contains("unexpected commit digest");
    assertThat(ctr("content", "active")).contains("bad");
    assertThat(ctr("content", "rm", digest)).contains(digest);
    assertThat(ctr("content", "ls")).doesNotContain(digest);
    assertThat(ctrFails("content", "get", digest)).contains("not found");
  }

  @Test
  void images_and_leases() throws Exception {
    assertThat(ctr("images", "ls", "-q")).isBlank();
    assertThat(ctrFails("images", "label", "none", "a=b")).contains("not found");
    assertThat(ctr("leases", "create", "--id", "l1", "a=b")).contains("l1");
    assertThat(ctr("leases", "ls")).contains("l1").contains("a=b");
    ctr("leases", "rm", "--sync", "l1");
    assertThat(ctr("leases", "ls")).doesNotContain("l1");
  }

  @Test
  void snapshots() throws Exception {
    assertThat(ctr("snapshots", "prepare", "k")).isBlank();
    assertThat(ctr("snapshots", "mounts", "/t", "k")).startsWith("mount -t ");
    ctr("snapshots", "commit", "n", "k");
    assertThat(ctr("snapshots", "info", "n")).contains("\"Kind\": \"Committed\"");
    assertThat(ctr("snapshots", "ls")).contains("n").contains("Committed");
    ctr("snapshots", "view", "v", "n");
    assertThat(ctr("snapshots", "tree")).contains("n").contains("v");
    assertThat(ctr("snapshots", "usage")).contains("n");
    assertThat(ctrFails("snapshots", "rm", "n")).contains("failed precondition");
    ctr("snapshots", "label", "n", "a=b");
    ctr("snapshots", "rm", "v");
    ctr("snapshots", "rm", "n");
    assertThat(ctrFails("snapshots", "info", "n")).contains("not found");
  }

  @Test
  void containers_and_tasks() throws Exception {
    Path config =
        Files.writeString(
            folder.resolve("config.json"),
            "{\"ociVersion\":\"1.0.2\",\"process\":{\"cwd\":\"/\"}}");
    ctr("containers", "create", "--config", config.toString(), "c1");
    assertThat(ctr("containers", "ls")).contains("c1").contains("io.containerd.runc.v2");
    assertThat(ctr("containers", "info", "c1")).contains("\"ociVersion\": \"1.0.2\"");
    ctr("containers", "label", "c1", "a=b");
    runtime.tasks.add("c1");
    assertThat(ctr("tasks", "ls")).contains("c1").contains("42").contains("RUNNING");
    assertThat(ctr("tasks", "ps", "c1")).contains("42").contains("43");
    ctr("tasks", "kill", "-s", "TERM", "c1");
    ctr("tasks", "pause", "c1");
    ctr("tasks", "resume", "c1");
    assertThat(runtime.asked)
        .contains("default kill c1  15 false", "default pause c1", "default resume c1");
    runtime.tasks.clear();
    ctr("containers", "rm", "c1");
    assertThat(ctrFails("containers", "info", "c1")).contains("not found");
  }

  @Test
  void events() throws Exception {
    Path out = folder.resolve("events");
    Process watcher = start(Optional.empty(), out, "events", "topic~=^/tasks/");
    try {
      exchange.awaitSubscriber();
      Call.in("default")
          .run(
              () ->
                  exchange.publish(
                      new Event(
                          Time.SYSTEM.now(),
                          "default",
                          "/tasks/oom",
                          new TypedValue("containerd.events.TaskOOM", new byte[] {10, 1, 'c'}))));
      Soon.until(
          "the event is printed",
          () -> {
            assertThat(watcher.isAlive()).as("ctr events lives").isTrue();
            return Files.readString(out).contains("\"container_id\":\"c\"");
          });
      assertThat(Files.readString(out)).contains("default", "/tasks/oom");
    } finally {
      watcher.destroyForcibly().waitFor();
    }
    exchange.awaitNoSubscribers();
  }

  private String ctr(String... arguments) throws Exception {
    return run(Optional.empty(), Optional.empty(), 0, arguments);
  }

  private String ctrFails(String... arguments) throws Exception {
    return run(Optional.empty(), Optional.empty(), 1, arguments);
  }

  private String run(Path input, int status, String... arguments) throws Exception {
    return run(Optional.of(input), Optional.empty(), status, arguments);
  }

  private String run(Optional<Path> input, Optional<Path> output, int status, String... arguments)
      throws Exception {
    Path out = output.orElse(folder.resolve("ctr.out"));
    Process process = start(input, out, arguments);
    try {
      assertThat(process.waitFor(60, TimeUnit.SECONDS)).as("%s ends", List.of(arguments)).isTrue();
    } finally {
      process.destroyForcibly();
    }
    String text = output.isPresent() ? "" : Files.readString(out);
    assertThat(process.exitValue()).as("%s says %s", List.of(arguments), text).isEqualTo(status);
    return text;
  }

  private Process start(Optional<Path> input, Path out, String... arguments) throws IOException {
    List<String> command =
        new ArrayList<>(List.of("ctr", "-a", server.path().toString(), "-n", "default"));
    command.addAll(List.of(arguments));
    var builder =
        new ProcessBuilder(command)
            .redirectInput(input.map(Path::toFile).orElse(Path.of("/dev/null").toFile()))
            .redirectErrorStream(true)
            .redirectOutput(out.toFile());
    builder.environment().remove("CONTAINERD_NAMESPACE");
    return builder.start();
  }

  private static final class OnePlugin implements Introspection {
    @Override
    public List<Plugin> plugins() {
      return List.of(
          new Plugin(
              "io.containerd.snapshotter.v1",
              "overlayfs",
              List.of(),
              List.of(new Platform("linux", "amd64", "")),
              Map.of("root", "/snapshots"),
              List.of(),
              Optional.empty()));
    }

    @Override
    public Server server() {
      return new Server("u-u-i-d", 1, 2, List.of());
    }

    @Override
    public TypedValue info(String type, String id, Optional<TypedValue> options) {
      throw new NotImplementedException("plugin info");
    }
  }
}
