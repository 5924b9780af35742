package io.jcontainerd.testkit.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.FieldMask;
import io.jcontainerd.core.TypedValue;
import io.jcontainerd.core.containers.Container;
import io.jcontainerd.core.containers.ContainerStore;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.filter.Filter;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What any {@link ContainerStore} owes its callers. */
@ExtendWith(ContractReport.class)
public abstract class ContainerStoreContract {
  private static final Instant LONG_AGO = Instant.parse("2001-02-03T04:05:06Z");
  private static final String RUNTIME = "io.containerd.runc.v2";

  /** For subclasses. */
  protected ContainerStoreContract() {}

  /** The store of this test. */
  protected abstract ContainerStore open();

  private static TypedValue value(String text) {
    return new TypedValue("example.com/thing", text.getBytes(StandardCharsets.UTF_8));
  }

  private static Container container(String id, Map<String, String> labels) {
    return new Container(
        id,
        labels,
        "docker.io/a:1",
        new Container.Runtime(RUNTIME, Optional.of(value("options"))),
        Optional.of(value("spec")),
        "",
        "",
        Map.of("ext", value("one")),
        "",
        LONG_AGO,
        LONG_AGO);
  }

  private static List<String> ids(ContainerStore store, String filter) {
    return store.list(Filter.parse(filter)).stream().map(Container::id).toList();
  }

  @Test
  void a_stored_container_is_found_with_times_of_the_store() {
    ContainerStore store = open();
    Container stored = store.create(container("c-1", Map.of("k", "v")));
    assertThat(stored.createdAt()).isAfter(LONG_AGO);
    assertThat(stored.labels()).isEqualTo(Map.of("k", "v"));
    assertThat(stored.image()).isEqualTo("docker.io/a:1");
    assertThat(stored.runtime()).isEqualTo(container("c-1", Map.of()).runtime());
    assertThat(stored.spec()).contains(value("spec"));
    assertThat(stored.extensions()).isEqualTo(Map.of("ext", value("one")));
    assertThat(store.get("c-1")).isEqualTo(stored);
  }

  @Test
  void an_id_is_an_identifier_and_given_once() {
    ContainerStore store = open();
    store.create(container("c-1", Map.of()));
    assertThatThrownBy(() -> store.create(container("c-1", Map.of())))
        .isInstanceOf(AlreadyExistsException.class)
        .hasMessageContaining("c-1");
    for (String id : List.of("", "a/b", "-a", "x".repeat(77))) {
      assertThatThrownBy(() -> store.create(container(id, Map.of())))
          .as(id)
          .isInstanceOf(InvalidArgumentException.class);
    }
  }

  @Test
  void what_is_not_there_is_not_found() {
    ContainerStore store = open();
    assertThatThrownBy(() -> store.get("none"))
        .isInstanceOf(NotFoundException.class)
        .hasMessageContaining("none");
    assertThatThrownBy(() -> store.update(container("none", Map.of()), FieldMask.ALL))
        .isInstanceOf(NotFoundException.class);
    assertThatThrownBy(() -> store.delete("none")).isInstanceOf(NotFoundException.class);
  }

  @Test
  void a_list_is_in_order_and_filtered() {
    ContainerStore store = open();
    store.create(container("b", Map.of("tier", "web")));
    store.create(container("a", Map.of("io.example/kind", "x")));
    assertThat(ids(store, "")).containsExactly("a", "b");
    assertThat(ids(store, "id==b")).containsExactly("b");
    assertThat(ids(store, "labels.tier==web")).containsExactly("b");
    assertThat(ids(store, "labels.\"io.example/kind\"==x")).containsExactly("a");
    assertThat(ids(store, "image==docker.io/a:1,runtime.name==" + RUNTIME)).hasSize(2);
    assertThat(ids(store, "image==other")).isEmpty();
  }

  @Test
  void fields_change_by_mask() {
    ContainerStore store = open();
    store.create(container("c", Map.of("keep", "1", "drop", "2")));
    var change =
        new Container(
            "c",
            Map.of("drop", "", "add", "3"),
            "other",
            container("c", Map.of()).runtime(),
            Optional.of(value("new")),
            "",
            "",
            Map.of("more", value("two")),
            "",
            LONG_AGO,
            LONG_AGO);
    store.update(change, mask("labels.drop", "labels.add", "extensions.more"));
    Container labelled = store.get("c");
    assertThat(labelled.labels()).isEqualTo(Map.of("keep", "1", "add", "3"));
    assertThat(labelled.extensions()).isEqualTo(Map.of("ext", value("one"), "more", value("two")));
    assertThat(labelled.image()).isEqualTo("docker.io/a:1");
    store.update(change, mask("spec", "image"));
    assertThat(store.get("c").spec()).contains(value("new"));
    Container changed = store.update(container("c", Map.of("z", "9")), FieldMask.ALL);
    assertThat(changed.labels()).isEqualTo(Map.of("z", "9"));
    assertThat(changed.image()).isEqualTo("docker.io/a:1");
    assertThat(changed.updatedAt()).isAfterOrEqualTo(changed.createdAt());
    assertThat(store.get("c")).isEqualTo(changed);
    assertThatThrownBy(() -> store.update(change, mask("runtime")))
        .isInstanceOf(InvalidArgumentException.class);
  }

  private static FieldMask mask(String... paths) {
    return new FieldMask(List.of(paths));
  }

  @Test
  void a_removed_container_is_gone() {
    ContainerStore store = open();
    store.create(container("c", Map.of()));
    store.delete("c");
    assertThat(ids(store, "")).isEmpty();
    store.create(container("c", Map.of()));
  }

  private static Container with(
      Container base, String runtime, String snapshotter, String key, Optional<TypedValue> spec) {
    return new Container(
        base.id(),
        base.labels(),
        base.image(),
        new Container.Runtime(runtime, Optional.empty()),
        spec,
        snapshotter,
        key,
        Map.of(),
        "",
        LONG_AGO,
        LONG_AGO);
  }

  @Test
  void what_a_container_needs_is_asked_for() {
    ContainerStore store = open();
    Container base = container("c", Map.of());
    for (Container lacking :
        List.of(
            with(base, "", "", "", Optional.of(value("spec"))),
            with(base, RUNTIME, "", "", Optional.empty()),
            with(base, RUNTIME, "", "key", Optional.of(value("spec"))))) {
      assertThatThrownBy(() -> store.create(lacking)).isInstanceOf(InvalidArgumentException.class);
    }
    assertThat(ids(store, "")).isEmpty();
    Container whole =
        store.create(with(base, RUNTIME, "overlayfs", "key", Optional.of(value("spec"))));
    assertThat(whole.snapshotter()).isEqualTo("overlayfs");
    assertThat(whole.snapshotKey()).isEqualTo("key");
  }

  @Test
  void runtime_and_snapshotter_stay_what_they_were() {
    ContainerStore store = open();
    Container base = container("c", Map.of());
    Optional<TypedValue> spec = Optional.of(value("spec"));
    Container stored = store.create(with(base, RUNTIME, "overlayfs", "key", spec));
    for (Container changed :
        List.of(
            with(base, "io.other.v1", "overlayfs", "key", spec),
            with(base, RUNTIME, "native", "key", spec))) {
      assertThatThrownBy(() -> store.update(changed, FieldMask.ALL))
          .isInstanceOf(InvalidArgumentException.class);
    }
    assertThat(store.get("c")).isEqualTo(stored);
    Container moved =
        store.update(with(base, RUNTIME, "overlayfs", "other", spec), mask("snapshotkey"));
    assertThat(moved.snapshotKey()).isEqualTo("other");
  }

  @Test
  void values_are_kept_byte_for_byte_whatever_their_type() {
    ContainerStore store = open();
    byte[] bytes = new byte[256];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) i;
    }
    var odd = new TypedValue("github.com/somebody/type/v1", bytes);
    Container made =
        new Container(
            "c",
            Map.of("k=\n\\", "v=\n\\"),
            "",
            new Container.Runtime(RUNTIME, Optional.of(odd)),
            Optional.of(odd),
            "",
            "",
            Map.of("io.example/ext", odd, "other", value("")),
            "",
            LONG_AGO,
            LONG_AGO);
    store.create(made);
    Container read = store.get("c");
    assertThat(read.labels()).isEqualTo(made.labels());
    assertThat(read.runtime()).isEqualTo(made.runtime());
    assertThat(read.spec()).isEqualTo(made.spec());
    assertThat(read.extensions()).isEqualTo(made.extensions());
  }

  @Test
  void labels_that_are_too_long_are_refused() {
    ContainerStore store = open();
    Map<String, String> tooLong = Map.of("k", "v".repeat(4096));
    assertThatThrownBy(() -> store.create(container("c", tooLong)))
        .isInstanceOf(InvalidArgumentException.class);
    Container stored = store.create(container("c", Map.of()));
    assertThatThrownBy(() -> store.update(container("c", tooLong), mask("labels")))
        .isInstanceOf(InvalidArgumentException.class);
    assertThat(store.get("c")).isEqualTo(stored);
  }

  @Test
  void an_extension_that_an_update_does_not_name_stays() {
    ContainerStore store = open();
    store.create(container("c", Map.of()));
    Container base = container("c", Map.of());
    Container without = with(base, RUNTIME, "", "", Optional.of(value("spec")));
    store.update(without, FieldMask.ALL);
    assertThat(store.get("c").extensions()).containsKey("ext");
  }

  @Test
  void one_of_many_gets_an_id() throws Exception {
    ContainerStore store = open();
    Callable<Boolean> attempt =
        () -> {
          try {
            store.create(container("wanted", Map.of()));
            return true;
          } catch (AlreadyExistsException e) {
            return false;
          }
        };
    assertThat(Race.of(Collections.nCopies(8, attempt))).containsOnlyOnce(true);
  }

  @Test
  void a_label_without_a_value_is_none() {
    ContainerStore store = open();
    store.create(container("c", Map.of("none", "", "some", "x")));
    assertThat(store.get("c").labels()).isEqualTo(Map.of("some", "x"));
    store.update(container("c", Map.of("none", "")), mask("labels"));
    assertThat(store.get("c").labels()).isEmpty();
  }
}
