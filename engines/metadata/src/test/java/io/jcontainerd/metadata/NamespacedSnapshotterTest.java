package io.jcontainerd.metadata;

import static io.jcontainerd.metadata.Fixture.NS;
import static io.jcontainerd.metadata.Fixture.SN;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.FieldMask;
import io.jcontainerd.core.Labels;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.filter.Filter;
import io.jcontainerd.core.leases.Lease;
import io.jcontainerd.core.snapshots.Prepared;
import io.jcontainerd.core.snapshots.SnapshotInfo;
import io.jcontainerd.core.snapshots.SnapshotKind;
import io.jcontainerd.core.snapshots.Snapshotter;
import io.jcontainerd.testkit.contract.InNamespace;
import io.jcontainerd.testkit.contract.SnapshotterContract;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NamespacedSnapshotterTest extends SnapshotterContract {
  @TempDir Path folder;
  private Fixture f;
  private Snapshotter snapshots;

  @Override
  protected Snapshotter open() {
    return snapshots;
  }

  @BeforeEach
  void openFixture() {
    f = new Fixture(folder);
    snapshots = in(NS);
  }

  @AfterEach
  void close() {
    f.close();
  }

  private Snapshotter in(String namespace) {
    return InNamespace.of(namespace, Snapshotter.class, f.metadata.snapshotter(SN));
  }

  private List<String> walk(String filter) {
    List<String> found = new ArrayList<>();
    snapshots.walk(Filter.parse(filter), info -> found.add(info.name()));
    return found;
  }

  private void layer(String name, String parent) {
    snapshots.prepare("extract " + name, parent, Map.of());
    snapshots.commit(name, "extract " + name, Map.of(), "");
  }

  @Test
  void a_label_without_a_value_is_told_to_the_backend_and_not_kept() {
    var told = new ArrayList<Object>();
    f.beforeTrees =
        real ->
            (Snapshotter)
                Proxy.newProxyInstance(
                    Snapshotter.class.getClassLoader(),
                    new Class<?>[] {Snapshotter.class},
                    (_, method, arguments) -> {
                      if (List.of("prepare", "view", "commit").contains(method.getName())) {
                        told.add(arguments[2]);
                      }
                      return method.invoke(real, arguments);
                    });
    f.reopen();
    snapshots = in(NS);
    Map<String, String> seen = Map.of(Labels.SNAPSHOT_PREFIX + "a", "");
    Map<String, String> labels = Map.of(Labels.SNAPSHOT_PREFIX + "a", "", "b", "");
    Prepared _ = snapshots.prepare("key", "", labels);
    snapshots.commit("name", "key", labels, "");
    snapshots.view("view", "name", labels);
    assertThat(told).containsExactly(seen, seen, seen);
    assertThat(
            f.store
                .read(tx -> tx.all("SELECT labels FROM snapshots", row -> row.text(0)))
                .toString())
        .doesNotContain("snapshot/a");
  }

  @Test
  void an_active_snapshot_becomes_a_committed_one_and_a_parent() {
    assertThat(snapshots.prepare("key", "", Map.of("a", "1")))
        .isInstanceOf(Prepared.Writable.class);
    assertThat(snapshots.stat("key").kind()).isEqualTo(SnapshotKind.ACTIVE);
    assertThat(snapshots.stat("key").labels()).isEqualTo(Map.of("a", "1"));
    snapshots.commit("name", "key", Map.of("b", "2"), "");
    assertThatThrownBy(() -> snapshots.stat("key")).isInstanceOf(NotFoundException.class);
    SnapshotInfo committed = snapshots.stat("name");
    assertThat(committed.kind()).isEqualTo(SnapshotKind.COMMITTED);
    assertThat(committed.labels()).isEqualTo(Map.of("b", "2"));
    snapshots.view("view", "name", Map.of());
    assertThat(snapshots.stat("view").parent()).isEqualTo("name");
    assertThat(snapshots.stat("view").kind()).isEqualTo(SnapshotKind.VIEW);
    assertThat(snapshots.mounts("view")).hasSize(1);
    assertThat(snapshots.usage("name").inodes()).isEqualTo(1);
  }

  @Test
  void keys_in_the_backend_tell_namespace_number_and_key() {
    snapshots.prepare("key", "", Map.of());
    in("other").prepare("key", "", Map.of());
    List<String> keys = new ArrayList<>();
    f.trees.walk(Filter.ALL, info -> keys.add(info.name()));
    assertThat(keys).hasSize(2);
    assertThat(keys.getFirst()).matches("ns/[0-9]+/key");
    assertThat(keys.getLast()).matches("other/[0-9]+/key");
  }

  @Test
  void refusals_are_containerds() {
    layer("base", "");
    snapshots.prepare("active", "base", Map.of());
    assertThatThrownBy(() -> snapshots.prepare("active", "", Map.of()))
        .isInstanceOf(AlreadyExistsException.class);
    assertThatThrownBy(() -> snapshots.prepare("new", "nothing", Map.of()))
        .isInstanceOf(NotFoundException.class)
        .hasMessageContaining("nothing");
    assertThatThrownBy(() -> snapshots.prepare("new", "active", Map.of()))
        .isInstanceOf(FailedPreconditionException.class);
    assertThatThrownBy(() -> snapshots.commit("base", "active", Map.of(), ""))
        .isInstanceOf(AlreadyExistsException.class);
    assertThatThrownBy(() -> snapshots.commit("new", "nothing", Map.of(), ""))
        .isInstanceOf(NotFoundException.class);
    assertThatThrownBy(() -> snapshots.commit("new", "base", Map.of(), ""))
        .isInstanceOf(FailedPreconditionException.class);
    assertThatThrownBy(() -> snapshots.remove("base"))
        .isInstanceOf(FailedPreconditionException.class);
    assertThatThrownBy(() -> snapshots.remove("nothing")).isInstanceOf(NotFoundException.class);
    assertThatThrownBy(() -> snapshots.mounts("nothing")).isInstanceOf(NotFoundException.class);
    assertThatThrownBy(() -> snapshots.prepare("", "", Map.of()))
        .isInstanceOf(InvalidArgumentException.class);
    assertThatThrownBy(() -> f.metadata.snapshotter("nosuch"))
        .isInstanceOf(InvalidArgumentException.class);
  }

  @Test
  void a_key_is_free_again_after_its_removal_even_before_the_sweep() {
    snapshots.prepare("key", "", Map.of());
    snapshots.remove("key");
    snapshots.prepare("key", "", Map.of());
    assertThat(snapshots.stat("key").kind()).isEqualTo(SnapshotKind.ACTIVE);
  }

  @Test
  void a_snapshot_without_a_parent_can_get_one_when_it_is_committed() {
    layer("base", "");
    snapshots.prepare("alone", "", Map.of());
    snapshots.commit("top", "alone", Map.of(), "base");
    assertThat(snapshots.stat("top").parent()).isEqualTo("base");
    assertThatThrownBy(() -> snapshots.remove("base"))
        .isInstanceOf(FailedPreconditionException.class);
  }

  @Test
  void the_backend_sees_only_labels_meant_for_it() {
    Map<String, String> labels =
        Map.of("private", "1", "containerd.io/snapshot/x", "2", Labels.SNAPSHOT_REF, "chain");
    snapshots.prepare("key", "", labels);
    List<Map<String, String>> below = new ArrayList<>();
    f.trees.walk(Filter.ALL, info -> below.add(info.labels()));
    assertThat(below)
        .containsExactly(Map.of("containerd.io/snapshot/x", "2", Labels.SNAPSHOT_REF, "chain"));
    SnapshotInfo info = snapshots.stat("key");
    snapshots.update(
        new SnapshotInfo(
            info.kind(),
            "key",
            "",
            Map.of("containerd.io/snapshot/x", "3", "mine", "4"),
            info.createdAt(),
            info.updatedAt()),
        new FieldMask(List.of("labels.containerd.io/snapshot/x", "labels.mine")));
    assertThat(snapshots.stat("key").labels())
        .containsEntry("containerd.io/snapshot/x", "3")
        .containsEntry("mine", "4")
        .containsEntry("private", "1");
    below.clear();
    f.trees.walk(Filter.ALL, below0 -> below.add(below0.labels()));
    assertThat(below.getFirst())
        .containsEntry("containerd.io/snapshot/x", "3")
        .doesNotContainKey("mine");
    assertThatThrownBy(() -> snapshots.update(info, new FieldMask(List.of("parent"))))
        .isInstanceOf(InvalidArgumentException.class);
  }

  @Test
  void a_target_that_is_there_is_not_prepared_again_and_goes_to_the_lease() {
    layer("chain", "");
    f.in(NS, () -> f.metadata.leases().create("l", Map.of()));
    Prepared prepared =
        f.with(
            "l", () -> f.snapshots().prepare("extract", "", Map.of(Labels.SNAPSHOT_REF, "chain")));
    assertThat(prepared).isEqualTo(new Prepared.AlreadyThere("chain"));
    assertThat(f.in(NS, () -> f.metadata.leases().listResources("l")))
        .containsExactly(new Lease.Resource("chain", "snapshots/" + SN));
    assertThat(walk("")).containsExactly("chain");
  }

  @Test
  void a_target_that_only_the_backend_has_is_taken_over() {
    // As a remote snapshotter does: it answers with a committed snapshot that carries the label.
    Map<String, String> label = Map.of(Labels.SNAPSHOT_REF, "chain");
    f.trees.prepare("remote-temporary", "", Map.of());
    f.trees.commit("chain", "remote-temporary", label, "");
    assertThat(snapshots.prepare("extract", "", label))
        .isEqualTo(new Prepared.AlreadyThere("chain"));
    assertThat(snapshots.stat("chain").kind()).isEqualTo(SnapshotKind.COMMITTED);
    assertThat(in("second").prepare("extract", "", label))
        .isEqualTo(new Prepared.AlreadyThere("chain"));
    snapshots.remove("chain");
    f.in("second", () -> f.container("c", "chain", Map.of()));
    f.collect();
    assertThat(in("second").stat("chain").name()).isEqualTo("chain");
    Call.in("second").run(() -> f.metadata.containers().delete("c"));
    f.collect();
    List<String> left = new ArrayList<>();
    f.trees.walk(Filter.ALL, info -> left.add(info.name()));
    assertThat(left).isEmpty();
  }

  @Test
  void walks_show_the_namespaces_own_in_order_and_filtered() {
    for (String name : List.of("e", "d", "c", "b", "a", "f")) {
      layer(name, "");
    }
    snapshots.prepare("g", "a", Map.of("x", "y"));
    in("other").prepare("z", "", Map.of());
    assertThat(walk("")).containsExactly("a", "b", "c", "d", "e", "f", "g");
    assertThat(walk("kind==active")).containsExactly("g");
    assertThat(walk("parent==a")).containsExactly("g");
    assertThat(walk("labels.x==y")).containsExactly("g");
    assertThat(walk("name~=^[ab]$")).containsExactly("a", "b");
  }

  @Test
  void a_lease_follows_a_snapshot_from_its_key_to_its_name() {
    f.in(NS, () -> f.metadata.leases().create("l", Map.of()));
    f.with("l", () -> f.layer("chain", "", Map.of()));
    assertThat(f.in(NS, () -> f.metadata.leases().listResources("l")))
        .containsExactly(new Lease.Resource("chain", "snapshots/" + SN));
  }

  @Test
  void a_snapshot_that_cannot_be_recorded_is_taken_back() {
    assertThatThrownBy(() -> f.with("nobody", () -> f.layer("chain", "", Map.of())))
        .isInstanceOf(NotFoundException.class)
        .hasMessageContaining("lease");
    assertThat(f.backendSnapshots()).isEmpty();
  }
}
