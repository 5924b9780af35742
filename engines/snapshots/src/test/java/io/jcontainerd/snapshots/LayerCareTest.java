package io.jcontainerd.snapshots;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.check.CheckedTrees;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.failure.UnknownException;
import io.jcontainerd.core.ports.Files;
import io.jcontainerd.core.snapshots.Prepared;
import io.jcontainerd.core.snapshots.Snapshotter;
import io.jcontainerd.testkit.faults.Faults;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the healing of a layer leaves when it fails. */
@SuppressWarnings("NullAway.Init")
class LayerCareTest {
  private static final Path WORKSHOP = Bench.ROOT.resolve("heal");

  @TempDir Path folder;
  private Bench bench;

  @BeforeEach
  void open() {
    bench = new Bench(folder);
    try (Snapshotter snapshotter = open(bench.files)) {
      Prepared _ = snapshotter.prepare("key", "", Map.of());
      snapshotter.commit("layer", "key", Map.of(), "");
    }
  }

  @AfterEach
  void close() {
    bench.close();
  }

  private Snapshotter open(Files files) {
    return OverlaySnapshotter.open(
        Bench.ROOT,
        bench.environment(files, bench.kernel),
        Bench.SUPPORT,
        OverlaySnapshotter.Options.DEFAULTS);
  }

  private static void heal(Snapshotter snapshotter, CheckedTrees.Unpack unpack) throws Exception {
    assertThat(((CheckedTrees) snapshotter).heal("layer", Optional.of(unpack))).isEmpty();
  }

  @Test
  void whatever_fails_the_next_clean_up_leaves_nothing() throws Exception {
    CheckedTrees.Unpack broken =
        _ -> {
          throw new IOException("the blob is broken");
        };
    Faults counting = Faults.none();
    try (Snapshotter snapshotter = open(counting.watch(Files.class, bench.files))) {
      assertThatThrownBy(() -> heal(snapshotter, broken)).hasMessageContaining("broken");
    }
    int before = opening();
    List<String> calls = counting.calls().subList(before, counting.calls().size());
    assertThat(calls).anyMatch(call -> call.contains("heal"));
    for (int i = 1; i <= calls.size(); i++) {
      Faults faults =
          Faults.failing(
              before + i, _ -> new FileSystemException("a disk", null, "input/output error"));
      try (Snapshotter snapshotter = open(faults.watch(Files.class, bench.files))) {
        assertThatThrownBy(() -> heal(snapshotter, broken)).isInstanceOf(UnknownException.class);
        assertThat(faults.struck()).isTrue();
        bench.files.createDirectories(WORKSHOP.resolve("1"), 0700);
        bench.files.createDirectories(WORKSHOP.resolve("1-made"), 0700);
        snapshotter.cleanup();
        assertThat(bench.files.list(WORKSHOP)).as(calls.get(i - 1)).isEmpty();
      }
    }
  }

  private int opening() {
    Faults counting = Faults.none();
    open(counting.watch(Files.class, bench.files)).close();
    return counting.calls().size();
  }

  @Test
  void one_that_is_being_healed_is_left_to_whoever_heals_it() throws Exception {
    try (Snapshotter snapshotter = open(bench.files)) {
      assertThatThrownBy(
              () ->
                  heal(
                      snapshotter,
                      _ -> {
                        assertThatThrownBy(() -> heal(snapshotter, _ -> {}))
                            .isInstanceOf(UnavailableException.class);
                        snapshotter.cleanup();
                        assertThat(bench.files.list(WORKSHOP)).contains("1", "1-made");
                        throw new IOException("the blob is broken");
                      }))
          .isInstanceOf(UnknownException.class)
          .hasMessageContaining("broken");
      assertThat(bench.files.list(WORKSHOP)).isEmpty();
    }
  }
}
