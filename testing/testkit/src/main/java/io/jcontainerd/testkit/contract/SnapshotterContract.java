package io.jcontainerd.testkit.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.FieldMask;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.filter.Filter;
import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.core.snapshots.Prepared;
import io.jcontainerd.core.snapshots.SnapshotInfo;
import io.jcontainerd.core.snapshots.SnapshotKind;
import io.jcontainerd.core.snapshots.Snapshotter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/**
 * What any {@link Snapshotter} owes its callers as far as records go. What it owes as to files is
 * in {@link SnapshotterFilesContract}.
 */
public abstract class SnapshotterContract {
  /** For subclasses. */
  protected SnapshotterContract() {}

  /** The snapshotter of this test; called again in one test, it finds what was there before. */
  protected abstract Snapshotter open();

  /** Prepares without labels. */
  protected static List<Mount> prepare(Snapshotter snapshotter, String key, String parent) {
    return switch (snapshotter.prepare(key, parent, Map.of())) {
      case Prepared.Writable(var mounts) -> mounts;
      case Prepared.AlreadyThere(var name) ->
          throw new AssertionError(name + " is said to be there already");
    };
  }

  /** Commits without labels. */
  protected static void commit(Snapshotter snapshotter, String name, String key) {
    snapshotter.commit(name, key, Map.of(), "");
  }

  /** Makes a committed snapshot. */
  protected static void layer(Snapshotter snapshotter, String name, String parent) {
    prepare(snapshotter, "prepare-" + name, parent);
    commit(snapshotter, name, "prepare-" + name);
  }

  private static List<String> walk(Snapshotter snapshotter, String filter) {
    var names = new ArrayList<String>();
    snapshotter.walk(Filter.parse(filter), info -> names.add(info.name()));
    return names;
  }

  @Test
  void an_active_snapshot_has_mounts_until_it_is_committed() {
    Snapshotter snapshotter = open();
    List<Mount> mounts = prepare(snapshotter, "active", "");
    assertThat(mounts).isNotEmpty();
    assertThat(snapshotter.mounts("active")).isEqualTo(mounts);
    SnapshotInfo active = snapshotter.stat("active");
    assertThat(active.kind()).isEqualTo(SnapshotKind.ACTIVE);
    assertThat(active.name()).isEqualTo("active");
    assertThat(active.parent()).isEmpty();

    commit(snapshotter, "committed", "active");
    assertThat(snapshotter.stat("committed").kind()).isEqualTo(SnapshotKind.COMMITTED);
    assertThatThrownBy(() -> snapshotter.stat("active"))
        .isInstanceOf(NotFoundException.class)
        .hasMessageContaining("active");
    assertThatThrownBy(() -> snapshotter.mounts("committed"))
        .isInstanceOfAny(FailedPreconditionException.class, NotFoundException.class);
  }

  @Test
  void a_view_is_mounted_read_only_and_cannot_be_committed() {
    Snapshotter snapshotter = open();
    layer(snapshotter, "base", "");
    List<Mount> mounts = snapshotter.view("view", "base", Map.of());
    assertThat(mounts.getLast().options()).contains("ro");
    assertThat(snapshotter.mounts("view")).isEqualTo(mounts);
    assertThat(snapshotter.stat("view").kind()).isEqualTo(SnapshotKind.VIEW);
    assertThat(snapshotter.stat("view").parent()).isEqualTo("base");
    assertThatThrownBy(() -> commit(snapshotter, "committed", "view"))
        .isInstanceOf(FailedPreconditionException.class);
    assertThat(snapshotter.view("empty", "", Map.of())).isNotEmpty();
  }

  @Test
  void only_committed_snapshots_can_be_parents() {
    Snapshotter snapshotter = open();
    prepare(snapshotter, "active", "");
    snapshotter.view("view", "", Map.of());
    for (String parent : List.of("active", "view")) {
      assertThatThrownBy(() -> prepare(snapshotter, "child", parent))
          .isInstanceOf(FailedPreconditionException.class)
          .hasMessageContaining(parent);
      assertThatThrownBy(() -> snapshotter.view("child", parent, Map.of()))
          .isInstanceOf(FailedPreconditionException.class);
    }
    assertThatThrownBy(() -> prepare(snapshotter, "child", "missing"))
        .isInstanceOf(NotFoundException.class)
        .hasMessageContaining("missing");
    assertThat(walk(snapshotter, "")).containsExactly("active", "view");
  }

  @Test
  void keys_and_names_share_one_space() {
    Snapshotter snapshotter = open();
    layer(snapshotter, "base", "");
    prepare(snapshotter, "active", "base");
    for (String taken : List.of("base", "active")) {
      assertThatThrownBy(() -> prepare(snapshotter, taken, ""))
          .isInstanceOf(AlreadyExistsException.class)
          .hasMessageContaining(taken);
      assertThatThrownBy(() -> snapshotter.view(taken, "", Map.of()))
          .isInstanceOf(AlreadyExistsException.class);
    }
    assertThatThrownBy(() -> commit(snapshotter, "base", "active"))
        .isInstanceOf(AlreadyExistsException.class);
    assertThat(snapshotter.stat("active").kind()).isEqualTo(SnapshotKind.ACTIVE);
    commit(snapshotter, "next", "active");
    prepare(snapshotter, "active", "next");
  }

  @Test
  void a_committed_snapshot_cannot_be_committed_again() {
    Snapshotter snapshotter = open();
    layer(snapshotter, "base", "");
    assertThatThrownBy(() -> commit(snapshotter, "again", "base"))
        .isInstanceOf(FailedPreconditionException.class);
    assertThatThrownBy(() -> commit(snapshotter, "again", "missing"))
        .isInstanceOf(NotFoundException.class);
  }

  @Test
  void a_parent_can_be_removed_only_after_its_children() {
    Snapshotter snapshotter = open();
    layer(snapshotter, "base", "");
    layer(snapshotter, "top", "base");
    snapshotter.view("view", "top", Map.of());
    for (String parent : List.of("base", "top")) {
      assertThatThrownBy(() -> snapshotter.remove(parent))
          .isInstanceOf(FailedPreconditionException.class)
          .hasMessageContaining(parent);
    }
    snapshotter.remove("view");
    snapshotter.remove("top");
    snapshotter.remove("base");
    assertThat(walk(snapshotter, "")).isEmpty();
    assertThatThrownBy(() -> snapshotter.remove("base")).isInstanceOf(NotFoundException.class);
    snapshotter.cleanup();
    layer(snapshotter, "base", "");
  }

  @Test
  void what_is_not_there_is_not_found() {
    Snapshotter snapshotter = open();
    assertThatThrownBy(() -> snapshotter.stat("x")).isInstanceOf(NotFoundException.class);
    assertThatThrownBy(() -> snapshotter.mounts("x")).isInstanceOf(NotFoundException.class);
    assertThatThrownBy(() -> snapshotter.usage("x")).isInstanceOf(NotFoundException.class);
    assertThatThrownBy(() -> snapshotter.remove("x")).isInstanceOf(NotFoundException.class);
    var info =
        new SnapshotInfo(
            SnapshotKind.ACTIVE,
            "x",
            "",
            Map.of(),
            java.time.Instant.EPOCH,
            java.time.Instant.EPOCH);
    assertThatThrownBy(() -> snapshotter.update(info, FieldMask.ALL))
        .isInstanceOf(NotFoundException.class);
  }

  @Test
  void an_empty_key_is_refused() {
    Snapshotter snapshotter = open();
    assertThatThrownBy(() -> prepare(snapshotter, "", "")).isInstanceOf(ContainerdException.class);
    prepare(snapshotter, "active", "");
    assertThatThrownBy(() -> commit(snapshotter, "", "active"))
        .isInstanceOf(ContainerdException.class);
  }

  @Test
  void labels_are_kept_and_change_by_mask() {
    Snapshotter snapshotter = open();
    Prepared _ = snapshotter.prepare("active", "", Map.of("containerd.io/snapshot/a", "1"));
    assertThat(snapshotter.stat("active").labels()).containsEntry("containerd.io/snapshot/a", "1");
    snapshotter.commit("done", "active", Map.of("containerd.io/snapshot/b", "2"), "");
    assertThat(snapshotter.stat("done").labels()).containsEntry("containerd.io/snapshot/b", "2");

    SnapshotInfo info = snapshotter.stat("done");
    snapshotter.update(
        with(info, Map.of("c.d", "3", "containerd.io/snapshot/b", "")),
        new FieldMask(List.of("labels.c.d", "labels.containerd.io/snapshot/b")));
    assertThat(snapshotter.stat("done").labels())
        .containsEntry("c.d", "3")
        .doesNotContainKey("containerd.io/snapshot/b");
    SnapshotInfo updated = snapshotter.update(with(info, Map.of("e", "4")), FieldMask.ALL);
    assertThat(updated.labels()).containsEntry("e", "4").doesNotContainKey("c.d");
    assertThat(snapshotter.stat("done").labels()).containsEntry("e", "4");
    assertThatThrownBy(() -> snapshotter.update(info, new FieldMask(List.of("parent"))))
        .isInstanceOf(InvalidArgumentException.class);
  }

  private static SnapshotInfo with(SnapshotInfo info, Map<String, String> labels) {
    return new SnapshotInfo(
        info.kind(), info.name(), info.parent(), labels, info.createdAt(), info.updatedAt());
  }

  @Test
  void a_walk_shows_what_the_filter_matches_in_order() {
    Snapshotter snapshotter = open();
    layer(snapshotter, "base", "");
    layer(snapshotter, "top", "base");
    Prepared _ = snapshotter.prepare("active", "top", Map.of("containerd.io/snapshot/x", "y"));
    snapshotter.view("view", "base", Map.of());
    assertThat(walk(snapshotter, "")).containsExactly("active", "base", "top", "view");
    assertThat(walk(snapshotter, "kind==committed")).containsExactly("base", "top");
    assertThat(walk(snapshotter, "kind==view")).containsExactly("view");
    assertThat(walk(snapshotter, "parent==base")).containsExactly("top", "view");
    assertThat(walk(snapshotter, "name~=^a,kind==active")).containsExactly("active");
    assertThat(walk(snapshotter, "labels.\"containerd.io/snapshot/x\"==y"))
        .containsExactly("active");
  }

  @Test
  void records_are_found_again() {
    Snapshotter before = open();
    layer(before, "base", "");
    prepare(before, "active", "base");
    Snapshotter after = open();
    assertThat(after.stat("active")).isEqualTo(before.stat("active"));
    assertThat(after.mounts("active")).isEqualTo(before.mounts("active"));
    layer(after, "other", "base");
    assertThat(after.mounts("active")).isEqualTo(before.mounts("active"));
  }

  @Test
  void another_parent_can_be_given_with_the_commit_or_is_refused() {
    Snapshotter snapshotter = open();
    layer(snapshotter, "base", "");
    layer(snapshotter, "other", "");
    prepare(snapshotter, "alone", "");
    if (snapshotter.capabilities().contains("rebase")) {
      assertThatThrownBy(() -> snapshotter.commit("moved", "alone", Map.of(), "missing"))
          .isInstanceOf(NotFoundException.class);
      snapshotter.commit("moved", "alone", Map.of(), "base");
      assertThat(snapshotter.stat("moved").parent()).isEqualTo("base");
      assertThatThrownBy(() -> snapshotter.remove("base"))
          .isInstanceOf(FailedPreconditionException.class);
    } else {
      assertThatThrownBy(() -> snapshotter.commit("moved", "alone", Map.of(), "base"))
          .isInstanceOf(FailedPreconditionException.class);
    }
    prepare(snapshotter, "standing", "base");
    assertThatThrownBy(() -> snapshotter.commit("refused", "standing", Map.of(), "other"))
        .isInstanceOf(FailedPreconditionException.class);
    snapshotter.commit("kept", "standing", Map.of(), "base");
    assertThat(snapshotter.stat("kept").parent()).isEqualTo("base");
  }

  @Test
  void usage_is_told_for_every_kind() {
    Snapshotter snapshotter = open();
    layer(snapshotter, "base", "");
    prepare(snapshotter, "active", "base");
    assertThat(snapshotter.usage("base").size()).isNotNegative();
    assertThat(snapshotter.usage("active").inodes()).isNotNegative();
  }
}
