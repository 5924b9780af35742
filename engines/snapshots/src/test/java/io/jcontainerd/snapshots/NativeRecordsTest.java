package io.jcontainerd.snapshots;

import static org.assertj.core.api.Assertions.assertThat;

import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.core.snapshots.Snapshotter;
import io.jcontainerd.testkit.contract.SnapshotterContract;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@SuppressWarnings("NullAway.Init")
class NativeRecordsTest extends SnapshotterContract {
  @TempDir Path folder;
  private Bench bench;

  @BeforeEach
  void start() {
    bench = new Bench(folder);
  }

  @AfterEach
  void stop() {
    bench.close();
  }

  @Override
  protected Snapshotter open() {
    return NativeSnapshotter.open(Bench.ROOT, bench.environment());
  }

  @Test
  void mounts_are_bind_mounts_of_whole_copies() throws Exception {
    Snapshotter snapshotter = open();
    String ids = Bench.ROOT + "/snapshots/";
    assertThat(prepare(snapshotter, "base", ""))
        .containsExactly(new Mount("bind", ids + "1", List.of("rw", "rbind")));
    bench.files.writeAll(Path.of(ids + "1/file"), new byte[] {1}, 0644);
    commit(snapshotter, "one", "base");
    assertThat(snapshotter.view("view", "one", Map.of()))
        .containsExactly(new Mount("bind", ids + "2", List.of("ro", "rbind")));
    assertThat(bench.files.tree()).contains(ids + "2/file");
    snapshotter.remove("view");
    assertThat(bench.files.tree()).doesNotContain(ids + "2/");
    assertThat(snapshotter.capabilities()).isEmpty();
  }
}
