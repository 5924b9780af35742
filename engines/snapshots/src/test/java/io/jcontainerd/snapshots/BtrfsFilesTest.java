package io.jcontainerd.snapshots;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.core.ports.Kernel;
import io.jcontainerd.core.snapshots.Snapshotter;
import io.jcontainerd.linux.Subvolumes;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("root")
class BtrfsFilesTest extends DiskFilesTest {
  @Override
  String ground() {
    return "btrfs";
  }

  @Override
  long groundSize() {
    return 256L << 20;
  }

  @Override
  protected Snapshotter open(Path root) {
    return BtrfsSnapshotter.open(root, environment());
  }

  /** The kernel frees deleted subvolumes when it has time. */
  @Override
  protected Set<Trait> leavesOut() {
    return EnumSet.of(Trait.FREES_ROOM_AT_CLEANUP);
  }

  private Path at(String place) {
    return root().resolve(place);
  }

  @Test
  void mounts_name_the_device_and_the_subvolume() throws Exception {
    Snapshotter snapshotter = open();
    List<Mount> active = prepare(snapshotter, "active", "");
    long id = Subvolumes.id(at("active/1"));
    assertThat(active)
        .singleElement()
        .satisfies(
            mount -> {
              assertThat(mount.type()).isEqualTo("btrfs");
              assertThat(mount.source()).startsWith("/dev/loop");
              assertThat(mount.options()).containsExactly("subvolid=" + id);
            });
    commit(snapshotter, "base", "active");
    assertThat(at("active/1")).doesNotExist();
    assertThat(Subvolumes.is(at("snapshots/1"))).isTrue();
    assertThat(snapshotter.view("view", "base", Map.of()).getFirst().options())
        .containsExactly("subvolid=" + Subvolumes.id(at("view/2")), "ro");
  }

  @Test
  void a_committed_subvolume_cannot_be_written_to() {
    Snapshotter snapshotter = open();
    layer(snapshotter, "base", "");
    assertThatThrownBy(() -> Files.writeString(at("snapshots/1/file"), "x"))
        .hasMessageContaining("Read-only");
  }

  @Test
  void usage_counts_only_what_a_child_adds() throws Exception {
    Snapshotter snapshotter = open();
    mounted(
        prepare(snapshotter, "base-key", ""),
        root -> {
          Files.write(root.resolve("big"), new byte[8 << 20]);
          Files.write(root.resolve("kept"), new byte[1 << 20]);
        });
    commit(snapshotter, "base", "base-key");
    mounted(
        prepare(snapshotter, "child", "base"),
        root -> {
          Files.write(root.resolve("more"), new byte[2 << 20]);
          Files.delete(root.resolve("kept"));
        });
    try (Kernel.Synchroniser synchroniser = kernel().synchroniser(root())) {
      synchroniser.synchronise();
    }
    assertThat(snapshotter.usage("child").size()).isBetween(2L << 20, (2L << 20) + (64 << 10));
    commit(snapshotter, "top", "child");
    assertThat(snapshotter.usage("top").size()).isBetween(2L << 20, (2L << 20) + (64 << 10));
  }

  @Test
  void a_subvolume_with_others_in_it_is_removed() throws Exception {
    Snapshotter snapshotter = open();
    prepare(snapshotter, "active", "");
    Path inner = Files.createDirectories(at("active/1/a/b")).resolve("inner");
    Subvolumes.create(inner);
    Files.writeString(inner.resolve("file"), "x");
    Subvolumes.create(inner.resolve("innermost"));
    snapshotter.remove("active");
    snapshotter.cleanup();
    assertThat(at("active/1")).doesNotExist();
  }

  @Test
  void what_a_killed_commit_left_goes_with_the_next_clean_up() throws Exception {
    Snapshotter snapshotter = open();
    prepare(snapshotter, "active", "");
    layer(snapshotter, "base", "");
    Subvolumes.snapshot(at("active/1"), at("snapshots/1"), true);
    Subvolumes.snapshot(at("snapshots/2"), at("active/2"), false);
    Subvolumes.create(at("view/77"));
    Subvolumes.create(at("active/rm-78"));
    open().cleanup();
    assertThat(at("active/1")).exists();
    assertThat(at("snapshots/1")).doesNotExist();
    assertThat(at("snapshots/2")).exists();
    assertThat(at("active/2")).doesNotExist();
    assertThat(at("view/77")).doesNotExist();
    assertThat(at("active/rm-78")).doesNotExist();
    commit(snapshotter, "done", "active");
    assertThat(at("snapshots/1")).exists();
  }

  @Test
  void a_commit_begun_before_takes_what_was_written_since() throws Exception {
    Snapshotter snapshotter = open();
    prepare(snapshotter, "active", "");
    Subvolumes.snapshot(at("active/1"), at("snapshots/1"), true);
    Files.writeString(at("active/1/late"), "late");
    commit(snapshotter, "done", "active");
    assertThat(at("snapshots/1/late")).hasContent("late");
  }

  @Test
  void another_file_system_is_told_apart() {
    assertThat(BtrfsSnapshotter.reasonAgainst(root(), environment())).isEmpty();
    assertThat(BtrfsSnapshotter.reasonAgainst(Path.of("/proc/x"), environment()))
        .hasValueSatisfying(reason -> assertThat(reason).contains("/proc/x"));
    assertThatThrownBy(
            () -> BtrfsSnapshotter.open(testFolder().resolve("elsewhere"), environment()))
        .isInstanceOf(FailedPreconditionException.class)
        .hasMessageContaining("elsewhere");
  }
}
