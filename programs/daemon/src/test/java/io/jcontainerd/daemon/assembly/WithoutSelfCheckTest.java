package io.jcontainerd.daemon.assembly;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.check.StorageRecords;
import io.jcontainerd.core.failure.DataLossException;
import io.jcontainerd.core.operation.OperationRegistry;
import io.jcontainerd.core.snapshots.Prepared;
import io.jcontainerd.core.snapshots.Snapshotter;
import io.jcontainerd.daemon.config.ConfigLoader;
import io.jcontainerd.daemon.graph.PluginGraph;
import io.jcontainerd.selfcheck.MountGate;
import io.jcontainerd.store.Store;
import io.jcontainerd.store.StoreOptions;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What was found damaged is not served because nobody looks for damage any more. */
@Tag("root")
class WithoutSelfCheckTest {
  private static final int SUSPECT = 1;
  private static final int DAMAGED = 2;

  @TempDir Path folder;

  private <T> T storage(boolean selfCheck, Function<PluginGraph, T> body) {
    String disabled = "disabled_plugins = ['" + Keys.SELF_CHECK.uri() + "']\n";
    var config =
        ConfigLoader.parse(
            folder.resolve("config.toml"),
            "version = 4\nimports = []\n" + (selfCheck ? "" : disabled));
    try (var graph = new PluginGraph()) {
      new StoragePlugins(
              config, folder, folder.resolve("state"), Path.of("store.db"), new OperationRegistry())
          .addTo(graph);
      graph.start(config.daemon().disabledPlugins(), List.of(Keys.METADATA.uri()));
      return body.apply(graph);
    }
  }

  private String layer() {
    return storage(
        true,
        graph -> {
          Snapshotter snapshots = snapshots(graph);
          Call.in("ns")
              .run(
                  () -> {
                    Map<String, String> root = Map.of("containerd.io/gc.root", "yes");
                    snapshots.prepare("key", "", root);
                    snapshots.commit("layer", "key", root, "");
                  });
          List<StorageRecords.Snapshot> all =
              graph.wiring().get(Keys.METADATA).records().snapshots();
          assertThat(all).hasSize(1);
          return all.getFirst().backendKey();
        });
  }

  private static Snapshotter snapshots(PluginGraph graph) {
    return graph.wiring().get(Keys.METADATA).snapshotter("native");
  }

  private void doubt(String key, int state) {
    try (Store store =
        Store.open(folder.resolve("store.db"), StoreOptions.DEFAULTS, List.of(MountGate.SCHEMA))) {
      store.write(
          tx ->
              tx.update(
                  "INSERT OR REPLACE INTO selfcheck_layers VALUES ('native', ?, ?, ?, 0)",
                  key,
                  state,
                  "contents differ"));
    }
  }

  private Prepared prepare(boolean selfCheck) {
    return storage(
        selfCheck,
        graph ->
            Call.in("ns")
                .call(() -> snapshots(graph).prepare("on-" + selfCheck, "layer", Map.of())));
  }

  @Test
  void a_layer_that_was_found_damaged_is_still_refused() {
    doubt(layer(), DAMAGED);
    assertThatThrownBy(() -> prepare(false))
        .isInstanceOf(DataLossException.class)
        .hasMessageContaining("contents differ")
        .hasMessageContaining("is disabled");
    // it is as it was recorded, which the self-check sees
    assertThat(prepare(true)).isInstanceOf(Prepared.Writable.class);
  }

  @Test
  void a_layer_that_was_only_suspected_is_used() {
    doubt(layer(), SUSPECT);
    assertThat(prepare(false)).isInstanceOf(Prepared.Writable.class);
  }
}
