package io.jcontainerd.daemon.assembly;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.introspection.Introspection;
import io.jcontainerd.daemon.BuildInfo;
import io.jcontainerd.daemon.config.ConfigLoader;
import io.jcontainerd.daemon.config.LoadedConfig;
import io.jcontainerd.daemon.graph.PluginGraph;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AssemblyTest {
  /** What {@code ctr plugins ls} shows of containerd, by type without its prefix. */
  private static final List<String> KNOWN =
      List.of(
          "content.v1: content",
          "event.v1: exchange",
          "metadata.v1: bolt",
          "gc.v1: scheduler",
          "lease.v1: manager",
          "streaming.v1: manager",
          "image-verifier.v1: bindir",
          "internal.v1: opt tracing",
          "tracing.processor.v1: otlp",
          "ttrpc.v1: otelttrpc",
          "http.v1: pprof",
          "warning.v1: deprecations",
          "mount-manager.v1: bolt",
          "mount-handler.v1: erofs",
          "snapshotter.v1: overlayfs native btrfs devmapper blockfile erofs zfs",
          "differ.v1: walking erofs",
          "service.v1: containers-service content-service diff-service images-service"
              + " introspection-service namespaces-service snapshots-service tasks-service",
          "grpc.v1: containers content diff event-record events healthcheck images introspection"
              + " leases mounts namespaces operations sandbox-controllers sandboxes snapshots storage streaming tasks"
              + " transfer version cri",
          "sandbox.controller.v1: shim",
          "sandbox.store.v1: local",
          "podsandbox.controller.v1: podsandbox",
          "shim.v1: manager",
          "runtime.v2: task",
          "monitor.task.v1: cgroups",
          "monitor.container.v1: restart",
          "cri.v1: images runtime",
          "nri.v1: nri",
          "transfer.v1: local",
          "server.v1: grpc grpc-tcp ttrpc debug metrics",
          "metrics.v1: grpc-prometheus grpc-otel");

  @TempDir Path folder;

  private LoadedConfig config(String toml) {
    return ConfigLoader.parse(folder.resolve("config.toml"), "version = 4\nimports = []\n" + toml);
  }

  private PluginGraph graph(LoadedConfig config) {
    return Assembly.of(
        config,
        new BuildInfo("1.2.3", ""),
        folder.resolve("root"),
        folder.resolve("state"),
        Path.of("store.db"));
  }

  @Test
  void every_plugin_of_containerd_is_there_or_said_to_be_absent() {
    Set<String> expected = new HashSet<>();
    for (String line : KNOWN) {
      String[] parts = line.split(": ", 2);
      for (String id : parts[1].split(" ", -1)) {
        expected.add("io.containerd." + parts[0] + "." + id);
      }
    }
    PluginGraph graph = graph(config(""));
    assertThat(graph.uris()).containsAll(expected);
    assertThat(graph.uris().stream().filter(uri -> uri.startsWith("io.containerd.")))
        .containsExactlyInAnyOrderElementsOf(expected);
  }

  @Test
  void what_is_absent_is_skipped() {
    var graph = new PluginGraph();
    AbsentPlugins.addTo(graph);
    graph.start(List.of(), List.of());
    assertThat(graph.plugins())
        .allSatisfy(
            plugin ->
                assertThat(plugin.failure())
                    .map(Introspection.Failure::message)
                    .contains("skip plugin: not part of this release of jcontainerd"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"overlayfs", "btrfs"})
  void a_proxy_with_the_name_of_a_plugin_is_refused_in_a_sentence(String id) {
    LoadedConfig config =
        config("[proxy_plugins." + id + "]\ntype = \"snapshot\"\naddress = \"/x.sock\"\n");
    assertThatThrownBy(() -> graph(config))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessage(
            "proxy_plugins."
                + id
                + " has the name of the plugin io.containerd.snapshotter.v1."
                + id
                + ", which comes with the daemon; choose another name");
  }

  @Test
  void no_image_goes_past_a_verifier_that_failed_to_start() {
    LoadedConfig config =
        config("[plugins.'io.containerd.image-verifier.v1.bindir']\nbin_dir = \"/a\\u0000b\"\n");
    assertThatThrownBy(
            () -> graph(config).start(List.of(), List.of("io.containerd.transfer.v1.local")))
        .isInstanceOf(FailedPreconditionException.class)
        .hasMessageContaining(
            "plugin io.containerd.image-verifier.v1.bindir is not there: "
                + "java.nio.file.InvalidPathException");
  }

  @Test
  void an_unknown_differ_stops_the_diff_service() {
    LoadedConfig config =
        config("[plugins.'io.containerd.service.v1.diff-service']\ndefault = [\"other\"]\n");
    assertThatThrownBy(
            () -> graph(config).start(List.of(), List.of("io.containerd.service.v1.diff-service")))
        .isInstanceOf(FailedPreconditionException.class)
        .hasMessageContaining("default names the differ other, which is not there");
  }
}
