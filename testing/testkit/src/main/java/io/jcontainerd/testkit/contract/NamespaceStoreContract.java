package io.jcontainerd.testkit.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.FieldMask;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.namespaces.NamespaceStore;
import io.jcontainerd.core.namespaces.NamespaceStore.Namespace;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What any {@link NamespaceStore} owes its callers, as far as namespaces are empty. */
@ExtendWith(ContractReport.class)
public abstract class NamespaceStoreContract {
  /** For subclasses. */
  protected NamespaceStoreContract() {}

  /** The store of this test. */
  protected abstract NamespaceStore open();

  @Test
  void namespaces_are_listed_in_order_with_their_labels() {
    NamespaceStore store = open();
    store.create(new Namespace("team-b", Map.of("owner", "bob")));
    store.create(new Namespace("team-a", Map.of()));
    assertThat(store.get("team-b")).isEqualTo(new Namespace("team-b", Map.of("owner", "bob")));
    assertThat(store.list())
        .containsSubsequence(
            new Namespace("team-a", Map.of()), new Namespace("team-b", Map.of("owner", "bob")));
  }

  @Test
  void a_name_is_an_identifier_and_given_once() {
    NamespaceStore store = open();
    store.create(new Namespace("team", Map.of()));
    assertThatThrownBy(() -> store.create(new Namespace("team", Map.of())))
        .isInstanceOf(AlreadyExistsException.class)
        .hasMessageContaining("team");
    assertThatThrownBy(() -> store.create(new Namespace("a/b", Map.of())))
        .isInstanceOf(InvalidArgumentException.class);
  }

  @Test
  void one_that_does_not_exist_has_no_labels_and_cannot_be_removed() {
    NamespaceStore store = open();
    assertThat(store.get("none")).isEqualTo(new Namespace("none", Map.of()));
    assertThatThrownBy(() -> store.delete("none"))
        .isInstanceOf(NotFoundException.class)
        .hasMessageContaining("none");
  }

  @Test
  void labels_change_by_mask() {
    NamespaceStore store = open();
    store.create(new Namespace("team", Map.of("keep", "1", "drop", "2")));
    store.update(
        new Namespace("team", Map.of("drop", "", "add", "3")),
        new FieldMask(List.of("labels.drop", "labels.add")));
    assertThat(store.get("team").labels()).isEqualTo(Map.of("keep", "1", "add", "3"));
    assertThatThrownBy(
            () -> store.update(new Namespace("team", Map.of()), new FieldMask(List.of("name"))))
        .isInstanceOf(InvalidArgumentException.class);
  }

  @Test
  void a_removed_namespace_is_gone() {
    NamespaceStore store = open();
    store.create(new Namespace("team", Map.of("a", "b")));
    store.delete("team");
    assertThat(store.list()).extracting(Namespace::name).doesNotContain("team");
    store.create(new Namespace("team", Map.of()));
    assertThat(store.get("team").labels()).isEmpty();
  }

  @Test
  void an_update_makes_a_namespace_that_is_not_there() {
    NamespaceStore store = open();
    store.update(new Namespace("team", Map.of("a", "b")), new FieldMask(List.of("labels.a")));
    assertThat(store.list()).contains(new Namespace("team", Map.of("a", "b")));
  }

  @Test
  void an_update_of_everything_replaces_the_labels() {
    NamespaceStore store = open();
    store.create(new Namespace("team", Map.of("old", "1")));
    store.update(new Namespace("team", Map.of("new", "2")), FieldMask.ALL);
    assertThat(store.get("team").labels()).isEqualTo(Map.of("new", "2"));
  }

  @Test
  void labels_that_are_too_long_are_refused() {
    NamespaceStore store = open();
    Map<String, String> tooLong = Map.of("k", "v".repeat(4096));
    assertThatThrownBy(() -> store.create(new Namespace("team", tooLong)))
        .isInstanceOf(InvalidArgumentException.class);
    assertThat(store.list()).extracting(Namespace::name).doesNotContain("team");
  }
}
