package io.jcontainerd.testkit.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.FieldMask;
import io.jcontainerd.core.TypedValue;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.filter.Filter;
import io.jcontainerd.core.sandboxes.Sandbox;
import io.jcontainerd.core.sandboxes.SandboxStore;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What any {@link SandboxStore} owes its callers. */
@ExtendWith(ContractReport.class)
public abstract class SandboxStoreContract {
  private static final Instant LONG_AGO = Instant.parse("2001-02-03T04:05:06Z");
  private static final String RUNTIME = "io.example.box.v1";

  /** For subclasses. */
  protected SandboxStoreContract() {}

  /** The namespaced store of this test. */
  protected abstract SandboxStore open();

  private static SandboxStore in(String namespace, SandboxStore store) {
    return InNamespace.of(namespace, SandboxStore.class, store);
  }

  private SandboxStore sandboxes() {
    return in("contract", open());
  }

  private static TypedValue value(String text) {
    return new TypedValue("example.com/thing", text.getBytes(StandardCharsets.UTF_8));
  }

  private static Sandbox sandbox(String id, Map<String, String> labels) {
    return new Sandbox(
        id,
        "shim",
        new Sandbox.Runtime(RUNTIME, Optional.of(value("options"))),
        Optional.of(value("spec")),
        labels,
        Map.of("ext", value("one")),
        LONG_AGO,
        LONG_AGO);
  }

  private static Sandbox change(String id, String runtime) {
    return new Sandbox(
        id,
        "other",
        new Sandbox.Runtime(runtime, Optional.of(value("new options"))),
        Optional.of(value("new spec")),
        Map.of("drop", "", "add", "3"),
        Map.of("more", value("two")),
        LONG_AGO,
        LONG_AGO);
  }

  private static FieldMask mask(String... paths) {
    return new FieldMask(List.of(paths));
  }

  private static List<String> ids(SandboxStore store, String filter) {
    return store.list(Filter.parse(filter)).stream().map(Sandbox::id).toList();
  }

  @Test
  void a_stored_sandbox_is_found_with_times_of_the_store() {
    SandboxStore store = sandboxes();
    Sandbox sent = sandbox("s-1", Map.of("k", "v"));
    Sandbox stored = store.create(sent);
    assertThat(stored.createdAt()).isAfter(LONG_AGO);
    assertThat(stored.updatedAt()).isAfter(LONG_AGO);
    assertThat(stored.sandboxer()).isEqualTo("shim");
    assertThat(stored.runtime()).isEqualTo(sent.runtime());
    assertThat(stored.spec()).isEqualTo(sent.spec());
    assertThat(stored.labels()).isEqualTo(Map.of("k", "v"));
    assertThat(stored.extensions()).isEqualTo(Map.of("ext", value("one")));
    assertThat(store.get("s-1")).isEqualTo(stored);
  }

  @Test
  void an_id_is_an_identifier_and_given_once() {
    SandboxStore store = sandboxes();
    store.create(sandbox("s-1", Map.of()));
    assertThatThrownBy(() -> store.create(sandbox("s-1", Map.of())))
        .isInstanceOf(AlreadyExistsException.class)
        .hasMessageContaining("s-1");
    for (String id : List.of("", "a/b", "-a", "x".repeat(77))) {
      assertThatThrownBy(() -> store.create(sandbox(id, Map.of())))
          .as(id)
          .isInstanceOf(InvalidArgumentException.class);
    }
  }

  @Test
  void neither_a_runtime_nor_a_controller_nor_a_spec_is_needed() {
    SandboxStore store = sandboxes();
    var bare =
        new Sandbox(
            "bare",
            "",
            Sandbox.Runtime.NONE,
            Optional.empty(),
            Map.of(),
            Map.of(),
            LONG_AGO,
            LONG_AGO);
    assertThat(store.create(bare).runtime()).isEqualTo(Sandbox.Runtime.NONE);
    Sandbox read = store.get("bare");
    assertThat(read.spec()).isEmpty();
    assertThat(read.sandboxer()).isEmpty();
  }

  @Test
  void what_is_not_there_is_not_found() {
    SandboxStore store = sandboxes();
    assertThatThrownBy(() -> store.get("none"))
        .isInstanceOf(NotFoundException.class)
        .hasMessageContaining("none");
    assertThatThrownBy(() -> store.update(sandbox("none", Map.of()), FieldMask.ALL))
        .isInstanceOf(NotFoundException.class);
    assertThatThrownBy(() -> store.delete("none")).isInstanceOf(NotFoundException.class);
    assertThat(ids(store, "")).isEmpty();
  }

  @Test
  void a_list_is_in_order_and_filtered() {
    SandboxStore store = sandboxes();
    store.create(sandbox("b", Map.of("tier", "web")));
    store.create(sandbox("a", Map.of("io.example/kind", "x")));
    assertThat(ids(store, "")).containsExactly("a", "b");
    assertThat(ids(store, "id==b")).containsExactly("b");
    assertThat(ids(store, "labels.tier==web")).containsExactly("b");
    assertThat(ids(store, "labels.\"io.example/kind\"==x")).containsExactly("a");
    assertThat(ids(store, "labels.tier")).containsExactly("b");
    assertThat(ids(store, "id~=[ab]")).hasSize(2);
    assertThat(ids(store, "runtime.name==" + RUNTIME)).isEmpty();
    assertThat(store.list(Filter.parse("id==a")).getFirst().extensions()).containsKey("ext");
  }

  @Test
  void fields_change_by_mask() {
    SandboxStore store = sandboxes();
    store.create(sandbox("s", Map.of("keep", "1", "drop", "2")));
    Sandbox change = change("s", RUNTIME);
    store.update(change, mask("labels.drop", "labels.add", "extensions.more"));
    Sandbox labelled = store.get("s");
    assertThat(labelled.labels()).isEqualTo(Map.of("keep", "1", "add", "3"));
    assertThat(labelled.extensions()).isEqualTo(Map.of("ext", value("one"), "more", value("two")));
    assertThat(labelled.spec()).contains(value("spec"));
    Sandbox specified = store.update(change, mask("spec", "runtime"));
    assertThat(specified.spec()).contains(value("new spec"));
    assertThat(specified.runtime()).isEqualTo(change.runtime());
    assertThat(store.get("s")).isEqualTo(specified);
    store.update(sandbox("s", Map.of()), mask("extensions"));
    assertThat(store.get("s").extensions())
        .isEqualTo(Map.of("ext", value("one"), "more", value("two")));
  }

  @Test
  void all_that_may_change_changes_without_a_mask() {
    SandboxStore store = sandboxes();
    Sandbox first = store.create(sandbox("s", Map.of("keep", "1")));
    Sandbox changed = store.update(change("s", RUNTIME), FieldMask.ALL);
    assertThat(changed.labels()).isEqualTo(Map.of("add", "3"));
    assertThat(changed.extensions()).isEqualTo(Map.of("ext", value("one"), "more", value("two")));
    assertThat(changed.spec()).contains(value("new spec"));
    assertThat(changed.runtime().options()).contains(value("new options"));
    assertThat(changed.sandboxer()).isEqualTo("shim");
    assertThat(changed.createdAt()).isEqualTo(first.createdAt());
    assertThat(changed.updatedAt()).isAfterOrEqualTo(first.updatedAt());
    assertThat(store.get("s")).isEqualTo(changed);
  }

  @Test
  void a_runtime_keeps_its_name_and_other_fields_stay() {
    SandboxStore store = sandboxes();
    Sandbox stored = store.create(sandbox("s", Map.of()));
    for (FieldMask refused : List.of(FieldMask.ALL, mask("runtime"))) {
      assertThatThrownBy(() -> store.update(change("s", "io.other.v1"), refused))
          .isInstanceOf(InvalidArgumentException.class);
    }
    for (String path : List.of("id", "sandboxer", "created_at", "runtime.name")) {
      assertThatThrownBy(() -> store.update(change("s", RUNTIME), mask(path)))
          .as(path)
          .isInstanceOf(InvalidArgumentException.class);
    }
    assertThat(store.get("s")).isEqualTo(stored);
  }

  @Test
  void values_are_kept_byte_for_byte_whatever_their_type() {
    SandboxStore store = sandboxes();
    byte[] bytes = new byte[256];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) i;
    }
    var odd = new TypedValue("github.com/somebody/type/v1", bytes);
    var made =
        new Sandbox(
            "s",
            "podsandbox",
            new Sandbox.Runtime(RUNTIME, Optional.of(odd)),
            Optional.of(odd),
            Map.of("k=\n\\", "v=\n\\"),
            Map.of("io.example/ext", odd, "other", value("")),
            LONG_AGO,
            LONG_AGO);
    store.create(made);
    Sandbox read = store.get("s");
    assertThat(read.labels()).isEqualTo(made.labels());
    assertThat(read.runtime()).isEqualTo(made.runtime());
    assertThat(read.spec()).isEqualTo(made.spec());
    assertThat(read.extensions()).isEqualTo(made.extensions());
  }

  @Test
  void what_is_refused_is_not_kept() {
    SandboxStore store = sandboxes();
    Map<String, String> tooLong = Map.of("k", "v".repeat(4096));
    assertThatThrownBy(() -> store.create(sandbox("s", tooLong)))
        .isInstanceOf(InvalidArgumentException.class);
    assertThat(ids(store, "")).isEmpty();
    Sandbox stored = store.create(sandbox("s", Map.of("none", "")));
    assertThat(stored.labels()).isEmpty();
    assertThatThrownBy(() -> store.update(sandbox("s", tooLong), mask("labels")))
        .isInstanceOf(InvalidArgumentException.class);
    assertThat(store.get("s")).isEqualTo(stored);
  }

  @Test
  void a_removed_sandbox_is_gone_with_its_extensions() {
    SandboxStore store = sandboxes();
    store.create(sandbox("s", Map.of()));
    store.delete("s");
    assertThat(ids(store, "")).isEmpty();
    assertThat(store.create(change("s", RUNTIME)).extensions()).containsOnlyKeys("more");
    assertThat(store.get("s").extensions()).containsOnlyKeys("more");
  }

  @Test
  void namespaces_do_not_see_each_other() {
    SandboxStore shared = open();
    SandboxStore one = in("contract", shared);
    SandboxStore two = in("contract-other", shared);
    one.create(sandbox("s", Map.of("of", "one")));
    assertThatThrownBy(() -> two.get("s")).isInstanceOf(NotFoundException.class);
    two.create(sandbox("s", Map.of("of", "two")));
    assertThat(one.get("s").labels()).isEqualTo(Map.of("of", "one"));
    two.delete("s");
    assertThat(ids(one, "")).containsExactly("s");
    assertThat(ids(two, "")).isEmpty();
  }

  @Test
  void one_of_many_gets_an_id() throws Exception {
    SandboxStore store = open();
    Callable<Boolean> attempt =
        () ->
            Call.in("contract")
                .call(
                    () -> {
                      try {
                        return store.create(sandbox("wanted", Map.of())).id().equals("wanted");
                      } catch (AlreadyExistsException _) {
                        return false;
                      }
                    });
    assertThat(Race.of(Collections.nCopies(8, attempt))).containsOnlyOnce(true);
  }
}
