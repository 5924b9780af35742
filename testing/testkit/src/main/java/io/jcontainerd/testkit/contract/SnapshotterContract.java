package io.jcontainerd.testkit.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.FieldMask;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.NotImplementedException;
import io.jcontainerd.core.filter.Filter;
import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.core.snapshots.Prepared;
import io.jcontainerd.core.snapshots.SnapshotInfo;
import io.jcontainerd.core.snapshots.SnapshotKind;
import io.jcontainerd.core.snapshots.Snapshotter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * What any {@link Snapshotter} owes its callers as far as records go. What it owes as to files is
 * in {@link SnapshotterFilesContract}.
 */
@ExtendWith(ContractReport.class)
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
          .isInstanceOf(FailedPreconditionException.class);
    }
    snapshotter.remove("view");
    snapshotter.remove("top");
    snapshotter.remove("base");
    assertThat(walk(snapshotter, "")).isEmpty();
    assertThatThrownBy(() -> snapshotter.remove("base")).isInstanceOf(NotFoundException.class);
    cleanUp(snapshotter);
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
    SnapshotInfo info = before.stat("active");
    List<Mount> mounts = before.mounts("active");
    Snapshotter after = open();
    assertThat(after.stat("active")).isEqualTo(info);
    assertThat(after.mounts("active")).isEqualTo(mounts);
    layer(after, "other", "base");
    assertThat(after.mounts("active")).isEqualTo(mounts);
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

  @Test
  void a_key_may_be_any_text() {
    Snapshotter snapshotter = open();
    String key = "default/12/extract-837-Zk_- sha256:\u00e9\ud83d\ude00/../x,\"y\"=z";
    List<Mount> mounts = prepare(snapshotter, key, "");
    assertThat(snapshotter.mounts(key)).isEqualTo(mounts);
    assertThat(snapshotter.stat(key).name()).isEqualTo(key);
    String name = "sha256:" + "a".repeat(64);
    commit(snapshotter, name, key);
    prepare(snapshotter, "../../etc", name);
    assertThat(snapshotter.stat("../../etc").parent()).isEqualTo(name);
    assertThat(walk(snapshotter, "")).containsExactly("../../etc", name);
  }

  @Test
  void keys_that_differ_only_in_case_differ() {
    Snapshotter snapshotter = open();
    prepare(snapshotter, "key", "");
    prepare(snapshotter, "KEY", "");
    snapshotter.remove("key");
    assertThat(walk(snapshotter, "")).containsExactly("KEY");
  }

  @Test
  void a_key_is_free_again_after_its_removal() {
    Snapshotter snapshotter = open();
    for (int i = 0; i < 3; i++) {
      prepare(snapshotter, "again", "");
      snapshotter.remove("again");
      snapshotter.view("again", "", Map.of());
      snapshotter.remove("again");
      layer(snapshotter, "again", "");
      snapshotter.remove("again");
    }
    assertThat(walk(snapshotter, "")).isEmpty();
    cleanUp(snapshotter);
    cleanUp(snapshotter);
  }

  @Test
  void a_walk_may_ask_for_more() {
    Snapshotter snapshotter = open();
    layer(snapshotter, "base", "");
    layer(snapshotter, "top", "base");
    prepare(snapshotter, "active", "top");
    var seen = new ArrayList<SnapshotInfo>();
    snapshotter.walk(
        Filter.ALL,
        info -> {
          assertThat(snapshotter.stat(info.name())).isEqualTo(info);
          assertThat(snapshotter.usage(info.name()).inodes()).isNotNegative();
          seen.add(info);
        });
    assertThat(seen).hasSize(3);
  }

  @Test
  void what_fails_in_a_walk_ends_it() {
    Snapshotter snapshotter = open();
    layer(snapshotter, "base", "");
    layer(snapshotter, "top", "base");
    var seen = new ArrayList<String>();
    assertThatThrownBy(
            () ->
                snapshotter.walk(
                    Filter.ALL,
                    info -> {
                      seen.add(info.name());
                      throw new IllegalStateException("enough");
                    }))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("enough");
    assertThat(seen).hasSize(1);
    layer(snapshotter, "next", "top");
  }

  @Test
  void several_filters_are_alternatives() {
    Snapshotter snapshotter = open();
    layer(snapshotter, "base", "");
    layer(snapshotter, "top", "base");
    prepare(snapshotter, "active", "top");
    var names = new ArrayList<String>();
    snapshotter.walk(
        Filter.any(List.of("name==base", "kind==active")), info -> names.add(info.name()));
    assertThat(names).containsExactly("active", "base");
    assertThatThrownBy(() -> walk(snapshotter, "kind=")).isInstanceOf(ContainerdException.class);
  }

  @Test
  void times_are_told_and_an_update_moves_the_second() {
    Snapshotter snapshotter = open();
    prepare(snapshotter, "active", "");
    SnapshotInfo before = snapshotter.stat("active");
    assertThat(before.createdAt()).isAfter(java.time.Instant.EPOCH);
    assertThat(before.updatedAt()).isAfterOrEqualTo(before.createdAt());
    SnapshotInfo after = snapshotter.update(with(before, Map.of("a", "b")), FieldMask.ALL);
    assertThat(after.createdAt()).isEqualTo(before.createdAt());
    assertThat(after.updatedAt()).isAfterOrEqualTo(before.updatedAt());
    assertThat(after.kind()).isEqualTo(SnapshotKind.ACTIVE);
    assertThat(snapshotter.stat("active")).isEqualTo(after);
  }

  @Test
  void an_update_of_all_labels_by_name_replaces_them() {
    Snapshotter snapshotter = open();
    Prepared _ = snapshotter.prepare("active", "", Map.of("containerd.io/snapshot/a", "1"));
    SnapshotInfo info = snapshotter.stat("active");
    snapshotter.update(with(info, Map.of("b", "2")), new FieldMask(List.of("labels")));
    assertThat(snapshotter.stat("active").labels()).containsExactly(Map.entry("b", "2"));
    assertThat(snapshotter.stat("active").kind()).isEqualTo(SnapshotKind.ACTIVE);
  }

  @Test
  void labels_that_are_too_long_are_refused_and_change_nothing() {
    Snapshotter snapshotter = open();
    Map<String, String> tooLong = Map.of("containerd.io/snapshot/x", "v".repeat(4096));
    assertThatThrownBy(() -> snapshotter.prepare("active", "", tooLong))
        .isInstanceOf(InvalidArgumentException.class);
    assertThat(walk(snapshotter, "")).isEmpty();
    prepare(snapshotter, "active", "");
    SnapshotInfo info = snapshotter.stat("active");
    assertThatThrownBy(() -> snapshotter.update(with(info, tooLong), FieldMask.ALL))
        .isInstanceOf(InvalidArgumentException.class);
    assertThatThrownBy(() -> snapshotter.commit("done", "active", tooLong, ""))
        .isInstanceOf(InvalidArgumentException.class);
    assertThat(snapshotter.stat("active")).isEqualTo(info);
  }

  @Test
  void a_chain_is_told_parent_by_parent() {
    Snapshotter snapshotter = open();
    String parent = "";
    for (int i = 0; i < 12; i++) {
      layer(snapshotter, "chain-" + i, parent);
      parent = "chain-" + i;
    }
    for (int i = 11; i > 0; i--) {
      assertThat(snapshotter.stat("chain-" + i).parent()).isEqualTo("chain-" + (i - 1));
    }
    for (int i = 10; i >= 0; i--) {
      String middle = "chain-" + i;
      assertThatThrownBy(() -> snapshotter.remove(middle))
          .isInstanceOf(FailedPreconditionException.class);
    }
  }

  @Test
  void one_of_many_gets_a_name() throws Exception {
    Snapshotter snapshotter = open();
    int racers = 8;
    for (int i = 0; i < racers; i++) {
      prepare(snapshotter, "racer-" + i, "");
    }
    var tasks = new ArrayList<Callable<Boolean>>();
    for (int i = 0; i < racers; i++) {
      String key = "racer-" + i;
      tasks.add(
          () -> {
            try {
              commit(snapshotter, "won", key);
              return true;
            } catch (AlreadyExistsException e) {
              return false;
            }
          });
    }
    assertThat(Race.of(tasks)).containsOnlyOnce(true);
    assertThat(walk(snapshotter, "kind==committed")).containsExactly("won");
    assertThat(walk(snapshotter, "kind==active")).hasSize(racers - 1);
  }

  @Test
  void one_of_many_gets_a_key() throws Exception {
    Snapshotter snapshotter = open();
    layer(snapshotter, "base", "");
    Callable<Boolean> attempt =
        () -> {
          try {
            prepare(snapshotter, "wanted", "base");
            return true;
          } catch (AlreadyExistsException e) {
            return false;
          }
        };
    assertThat(Race.of(java.util.Collections.nCopies(8, attempt))).containsOnlyOnce(true);
    snapshotter.remove("wanted");
    assertThat(walk(snapshotter, "")).containsExactly("base");
  }

  @Test
  void many_stand_on_one_parent_at_once() throws Exception {
    Snapshotter snapshotter = open();
    layer(snapshotter, "base", "");
    var tasks = new ArrayList<Callable<List<Mount>>>();
    for (int i = 0; i < 16; i++) {
      String key = "child-" + i;
      tasks.add(() -> prepare(snapshotter, key, "base"));
    }
    Set<String> different = new TreeSet<>();
    Race.of(tasks).forEach(mounts -> different.add(mounts.toString()));
    assertThat(different).hasSize(16);
    assertThat(walk(snapshotter, "parent==base")).hasSize(16);
  }

  /** A parent goes away or gets a child; never both. */
  @Test
  void a_removal_and_a_new_child_exclude_each_other() throws Exception {
    Snapshotter snapshotter = open();
    for (int round = 0; round < 8; round++) {
      String base = "base-" + round;
      String child = "child-" + round;
      layer(snapshotter, base, "");
      List<Boolean> done =
          Race.of(
              List.of(
                  () -> {
                    try {
                      snapshotter.remove(base);
                      return true;
                    } catch (FailedPreconditionException e) {
                      return false;
                    }
                  },
                  () -> {
                    try {
                      prepare(snapshotter, child, base);
                      return true;
                    } catch (NotFoundException e) {
                      return false;
                    }
                  }));
      assertThat(done).containsOnlyOnce(true);
      assertThat(walk(snapshotter, "name==" + base)).hasSize(done.getFirst() ? 0 : 1);
    }
  }

  @Test
  void it_can_be_closed_twice() {
    Snapshotter snapshotter = open();
    prepare(snapshotter, "active", "");
    snapshotter.close();
    snapshotter.close();
    assertThat(open().stat("active").kind()).isEqualTo(SnapshotKind.ACTIVE);
  }

  @Test
  void a_label_without_a_value_is_none() {
    Snapshotter snapshotter = open();
    String none = "containerd.io/snapshot/none";
    Prepared _ = snapshotter.prepare("active", "", Map.of(none, "", "some", "x"));
    assertThat(snapshotter.stat("active").labels()).doesNotContainKey(none);
    snapshotter.update(with(snapshotter.stat("active"), Map.of(none, "")), FieldMask.ALL);
    assertThat(snapshotter.stat("active").labels()).doesNotContainKeys(none, "some");
    snapshotter.commit("done", "active", Map.of(none, ""), "");
    assertThat(snapshotter.stat("done").labels()).doesNotContainKey(none);
  }

  /** A clean-up, which a snapshotter need not have. */
  protected static void cleanUp(Snapshotter snapshotter) {
    try {
      snapshotter.cleanup();
    } catch (NotImplementedException e) {
      assertThat(e).hasMessageContaining("leanup"); // it cleans up by itself
    }
  }
}
