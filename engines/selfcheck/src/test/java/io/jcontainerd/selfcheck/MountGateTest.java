package io.jcontainerd.selfcheck;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.failure.DataLossException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.core.snapshots.Prepared;
import io.jcontainerd.core.snapshots.Snapshotter;
import io.jcontainerd.store.Store;
import io.jcontainerd.store.StoreOptions;
import io.jcontainerd.testkit.memory.InMemorySnapshotter;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MountGateTest {
  private static final LayerName LAYER = new LayerName("memory", "layer");

  @TempDir Path folder;
  private Store store;
  private MountGate gate;
  private Snapshotter snapshots;

  @BeforeEach
  void open() {
    store =
        Store.open(folder.resolve("store.db"), StoreOptions.DEFAULTS, List.of(MountGate.SCHEMA));
    gate = new MountGate(store, Time.SYSTEM);
    snapshots = gate.before("memory", new InMemorySnapshotter());
    Call.in("ns")
        .run(
            () -> {
              snapshots.prepare("key", "", Map.of());
              snapshots.commit("layer", "key", Map.of(), "");
            });
  }

  @AfterEach
  void close() {
    store.close();
  }

  private Prepared prepare(String key) {
    return Call.in("ns").call(() -> snapshots.prepare(key, "layer", Map.of()));
  }

  @Test
  void what_is_in_doubt_waits_until_somebody_can_look_at_it() {
    gate.states().suspect(List.of(LAYER), "the power went");
    assertThatThrownBy(() -> prepare("container"))
        .isInstanceOf(UnavailableException.class)
        .hasMessageContaining("not ready");
  }

  @Test
  void what_was_found_damaged_is_refused_without_a_self_check_too() {
    gate.states().quarantine(LAYER, "contents differ");
    gate.staysUnguarded("it is disabled");
    assertThatThrownBy(() -> prepare("container"))
        .isInstanceOf(DataLossException.class)
        .hasMessageContaining("contents differ")
        .hasMessageContaining("it is disabled")
        .hasMessageContaining("remove its image and pull it again");
  }

  @Test
  void what_is_only_suspected_is_used_without_a_self_check_and_stays_suspected() {
    gate.states().suspect(List.of(LAYER), "the power went");
    gate.staysUnguarded("it is disabled");
    assertThat(prepare("container")).isInstanceOf(Prepared.Writable.class);
    assertThat(new MountGate(store, Time.SYSTEM).states().doubt(LAYER)).isPresent();
  }

  @Test
  void what_is_removed_is_in_doubt_no_more() {
    gate.states().quarantine(LAYER, "contents differ");
    gate.staysUnguarded("it is disabled");
    Call.in("ns")
        .run(
            () -> {
              snapshots.remove("layer");
              snapshots.prepare("again", "", Map.of());
              snapshots.commit("layer", "again", Map.of(), "");
            });
    assertThat(prepare("container")).isInstanceOf(Prepared.Writable.class);
  }
}
