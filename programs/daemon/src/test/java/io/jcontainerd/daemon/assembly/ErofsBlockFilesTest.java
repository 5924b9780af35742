package io.jcontainerd.daemon.assembly;

import static org.assertj.core.api.Assertions.assertThat;

import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.core.snapshots.Prepared;
import io.jcontainerd.core.snapshots.Snapshotter;
import io.jcontainerd.snapshots.ErofsSnapshotter;
import java.nio.file.Files;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The same with a file system of its own for what an active snapshot writes. */
@Tag("root")
class ErofsBlockFilesTest extends ErofsFilesTest {
  private static final long SIZE = 64L << 20;

  @Override
  ErofsSnapshotter.Options options() {
    return new ErofsSnapshotter.Options(List.of(), false, false, SIZE, "auto", List.of(), false);
  }

  /** What is written to goes through one loop device at a time. */
  @Override
  protected Set<Trait> leavesOut() {
    Set<Trait> all = EnumSet.copyOf(super.leavesOut());
    all.add(Trait.MOUNTS_TWICE);
    return all;
  }

  @Override
  protected int depth() {
    return 8;
  }

  @Override
  protected Set<String> capabilities() {
    return Set.of("only-remap-ids");
  }

  @Test
  void no_snapshot_gets_its_parent_with_the_commit() {
    assertThat(open().capabilities()).doesNotContain("rebase").contains("only-remap-ids");
  }

  @Test
  void the_file_system_is_made_when_it_is_mounted() throws Exception {
    Snapshotter snapshotter = open();
    List<Mount> mounts = prepare(snapshotter, "active", "");
    assertThat(mounts)
        .containsExactly(
            new Mount(
                "mkfs/ext4",
                at("1/rwlayer.img").toString(),
                List.of(
                    "X-containerd.mkfs.fs=ext4", "X-containerd.mkfs.size=" + SIZE, "rw", "loop")),
            new Mount(
                "format/mkdir/bind",
                "{{ mount 0 }}/upper",
                List.of("X-containerd.mkdir.path={{ mount 0 }}/upper:0755", "rw", "rbind")));
    assertThat(at("1/rwlayer.img")).doesNotExist();
    mounted(mounts, root -> Files.writeString(root.resolve("a"), "a"));
    assertThat(at("1/rwlayer.img")).hasSize(SIZE);
    commit(snapshotter, "base", "active");
    assertThat(at("1/rwlayer.img")).doesNotExist();
  }

  @Test
  void a_label_tells_another_size() throws Exception {
    Snapshotter snapshotter = open();
    long size = 16L << 20;
    var prepared =
        snapshotter.prepare(
            "active", "", Map.of("containerd.io/snapshot/max-size", Long.toString(size)));
    mounted(
        ((Prepared.Writable) prepared).mounts(),
        root -> assertThat(at("1/rwlayer.img")).hasSize(size));
  }
}
