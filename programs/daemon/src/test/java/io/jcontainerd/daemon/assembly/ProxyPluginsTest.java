package io.jcontainerd.daemon.assembly;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.content.Ingest;
import io.jcontainerd.core.content.IngestRequest;
import io.jcontainerd.core.diff.Applier;
import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.filter.Filter;
import io.jcontainerd.core.introspection.Introspection;
import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.core.snapshots.Prepared;
import io.jcontainerd.core.snapshots.Snapshotter;
import io.jcontainerd.daemon.BuildInfo;
import io.jcontainerd.daemon.config.ConfigLoader;
import io.jcontainerd.daemon.graph.PluginGraph;
import io.jcontainerd.metadata.Metadata;
import io.jcontainerd.testkit.time.Soon;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A graph whose snapshots, content and layers are another process's. */
@Tag("root")
@Timeout(300)
@SuppressWarnings("NullAway.Init")
class ProxyPluginsTest {
  private static final String OWN_CONTENT = "io.containerd.content.v1.content";

  @TempDir Path folder;
  private EngineServer server;
  private PluginGraph graph;

  @AfterEach
  void stop() throws Exception {
    if (graph != null) {
      graph.close();
    }
    if (server != null) {
      server.close();
    }
  }

  private PluginGraph assemble(String proxies) {
    var config =
        ConfigLoader.parse(folder.resolve("config.toml"), "version = 4\nimports = []\n" + proxies);
    return Assembly.of(
        config,
        new BuildInfo("1.2.3", ""),
        folder.resolve("root"),
        folder.resolve("state"),
        Path.of("store.db"));
  }

  private String proxy(String id, String type, String more) {
    return "[proxy_plugins.%s]\ntype = \"%s\"\naddress = \"%s\"\n%s\n"
        .formatted(id, type, server.socket(), more);
  }

  /** Everything but listeners and tasks. */
  private void start(String proxies, String... disabled) throws Exception {
    Files.createDirectories(folder.resolve("state"));
    graph = assemble(proxies);
    var out =
        new ArrayList<>(
            List.of(
                "io.containerd.server.v1.grpc",
                "io.containerd.server.v1.ttrpc",
                "io.containerd.shim.v1.manager",
                "io.containerd.runtime.v2.task"));
    out.addAll(List.of(disabled));
    graph.start(out, List.of("io.containerd.metadata.v1.bolt"));
  }

  private void startAll() throws Exception {
    Path own = Files.createDirectory(folder.resolve("engines"));
    server = EngineServer.alone(Files.createDirectory(folder.resolve("layers")), own);
    start(
        proxy(
                EngineServer.SNAPSHOTTER,
                "snapshot",
                "platform = \"linux/arm64/v8\"\ncapabilities = [\"rebase\", \"x\"]\n"
                    + "exports = { root = \"/the/root\" }")
            + proxy("blobs", "io.containerd.content.v1", "")
            + proxy("layers", "diff", ""),
        OWN_CONTENT);
  }

  private Introspection.Plugin listed(String uri) {
    return graph.plugins().stream()
        .filter(plugin -> (plugin.type() + "." + plugin.id()).equals(uri))
        .findFirst()
        .orElseThrow();
  }

  private Metadata metadata() {
    return graph.wiring().get(Keys.METADATA);
  }

  private static byte[] tar(String name, String text) throws IOException {
    var out = new ByteArrayOutputStream();
    byte[] header = new byte[512];
    byte[] bytes = text.getBytes(UTF_8);
    put(header, 0, name);
    put(header, 100, "0000644\0");
    put(header, 108, "0000000\0");
    put(header, 116, "0000000\0");
    put(header, 124, "%011o\0".formatted(bytes.length));
    put(header, 136, "00000000000\0");
    put(header, 148, "        ");
    put(header, 156, "0");
    put(header, 257, "ustar\00000");
    int sum = 0;
    for (byte b : header) {
      sum += Byte.toUnsignedInt(b);
    }
    put(header, 148, "%06o\0 ".formatted(sum));
    out.write(header);
    out.write(java.util.Arrays.copyOf(bytes, 512));
    out.write(new byte[1024]);
    return out.toByteArray();
  }

  private static void put(byte[] header, int at, String text) {
    byte[] bytes = text.getBytes(UTF_8);
    System.arraycopy(bytes, 0, header, at, bytes.length);
  }

  private Descriptor write(byte[] layer) {
    try (Ingest ingest = metadata().content().ingest(new IngestRequest("layer"))) {
      ingest.write(ByteBuffer.wrap(layer));
      Digest digest = ingest.commit(layer.length, Optional.empty(), Map.of("a", "b"));
      return new Descriptor(
          "application/vnd.oci.image.layer.v1.tar", digest, layer.length, Map.of());
    }
  }

  @Test
  void they_are_listed_with_what_is_configured() throws Exception {
    startAll();
    Introspection.Plugin snapshots = listed("io.containerd.snapshotter.v1.elsewhere");
    assertThat(snapshots.failure()).isEmpty();
    assertThat(snapshots.capabilities()).containsExactly("rebase", "x");
    assertThat(snapshots.exports())
        .containsOnly(
            Map.entry("root", "/the/root"), Map.entry("address", server.socket().toString()));
    assertThat(snapshots.platforms()).singleElement().hasToString(listedPlatform());
    for (String uri : List.of("io.containerd.content.v1.blobs", "io.containerd.differ.v1.layers")) {
      assertThat(listed(uri).failure()).isEmpty();
      assertThat(listed(uri).exports()).containsEntry("address", server.socket().toString());
    }
  }

  private static String listedPlatform() {
    return new io.jcontainerd.core.Platform("linux", "arm64", "v8").toString();
  }

  @Test
  void a_layer_goes_through_all_of_them_and_is_collected() throws Exception {
    startAll();
    Snapshotter snapshots = metadata().snapshotter(EngineServer.SNAPSHOTTER);
    Differ differ =
        Objects.requireNonNull(
            graph.wiring().all(Keys.DIFFER, Differ.class).get("layers"), "the differ");
    Call.in("client").run(() -> metadata().leases().create("lease", Map.of()));
    Call client = Call.in("client").withLease("lease");
    List<Mount> view =
        client.call(
            () -> {
              Descriptor layer = write(tar("file", "text"));
              assertThat(metadata().content().info(layer.digest()).labels())
                  .containsEntry("a", "b");
              var prepared = (Prepared.Writable) snapshots.prepare("key", "", Map.of());
              Descriptor applied =
                  differ
                      .applier()
                      .apply(layer, prepared.mounts(), new Applier.Options(Map.of(), false));
              assertThat(applied.digest()).isEqualTo(layer.digest());
              snapshots.commit("layer", "key", Map.of(), "");
              return snapshots.view("view", "layer", Map.of());
            });
    assertThat(Path.of(view.getFirst().source(), "file")).hasContent("text");
    Call.in("client").run(() -> metadata().leases().delete("lease", true));
    var left = new ArrayList<String>();
    Call.in("client").run(() -> snapshots.walk(Filter.ALL, info -> left.add(info.name())));
    assertThat(left).isEmpty();
    assertThat(Path.of(view.getFirst().source())).doesNotExist();
    assertThat(folder.resolve("engines/content/blobs/sha256")).isEmptyDirectory();
  }

  @Test
  void a_process_that_is_gone_is_named_and_another_takes_its_place() throws Exception {
    startAll();
    Snapshotter snapshots = metadata().snapshotter(EngineServer.SNAPSHOTTER);
    Call client = Call.in("client");
    client.call(() -> snapshots.prepare("before", "", Map.of("containerd.io/gc.root", "test")));
    server.kill();
    // until it is seen that the connection is gone, a failure does not tell with whom it was
    Soon.until(
        "it is named", () -> failure(client, snapshots).contains(server.socket().toString()));
    Files.deleteIfExists(server.socket());
    server = EngineServer.start(folder.resolve("layers"), folder.resolve("engines"));
    assertThat(client.call(() -> patiently(() -> snapshots.mounts("before")))).isNotEmpty();
  }

  private static String failure(Call client, Snapshotter snapshots) {
    UnavailableException failure =
        catchThrowableOfType(
            UnavailableException.class,
            () -> client.call(() -> snapshots.prepare("between", "", Map.of())));
    assertThat(failure).as("of a process that is gone").isNotNull();
    return String.valueOf(failure.getMessage());
  }

  /** A connection that failed is tried again after a pause. */
  private static <T> T patiently(Supplier<T> call) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    while (true) {
      try {
        return call.get();
      } catch (UnavailableException e) {
        if (System.nanoTime() > deadline) {
          throw e;
        }
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(50));
      }
    }
  }

  @Test
  void two_content_stores_are_one_too_many() throws Exception {
    Path own = Files.createDirectory(folder.resolve("engines"));
    server = EngineServer.start(Files.createDirectory(folder.resolve("layers")), own);
    assertThatThrownBy(() -> start(proxy("blobs", "content", "")))
        .isInstanceOf(FailedPreconditionException.class)
        .hasMessageContaining("content, blobs")
        .hasMessageContaining("disabled_plugins");
  }

  @Test
  void what_makes_no_sense_is_said_of_the_plugin() throws Exception {
    start(
        "[proxy_plugins.odd]\ntype = \"odd\"\naddress = \"/x.sock\"\n"
            + "[proxy_plugins.lost]\ntype = \"snapshot\"\n"
            + "[proxy_plugins.flat]\ntype = \"snapshot\"\naddress = \"/x.sock\"\n"
            + "platform = \"linux\"\n");
    assertThat(reason("odd.odd")).contains("proxy_plugins.odd", "\"odd\"", "snapshot, content");
    assertThat(reason("io.containerd.snapshotter.v1.lost")).contains("lost", "no address");
    assertThat(reason("io.containerd.snapshotter.v1.flat")).contains("flat", "\"linux\"");
    assertThatThrownBy(
            () -> assemble("[proxy_plugins.content]\ntype = \"content\"\naddress = \"/x\"\n"))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessageContaining("choose another name");
  }

  private String reason(String uri) {
    return listed(uri).failure().orElseThrow().message();
  }
}
