package io.jcontainerd.testkit.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.filter.Filter;
import io.jcontainerd.core.leases.Lease;
import io.jcontainerd.core.leases.LeaseStore;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What any {@link LeaseStore} owes its callers, without the collection of garbage. */
@ExtendWith(ContractReport.class)
public abstract class LeaseStoreContract {
  /** For subclasses. */
  protected LeaseStoreContract() {}

  /** The store of this test. */
  protected abstract LeaseStore open();

  private static List<String> ids(LeaseStore store, String filter) {
    return store.list(Filter.parse(filter)).stream().map(Lease::id).sorted().toList();
  }

  @Test
  void a_lease_is_found_by_its_id_and_labels() {
    LeaseStore store = open();
    Lease lease = store.create("mine", Map.of("k", "v"));
    assertThat(lease.id()).isEqualTo("mine");
    assertThat(lease.labels()).isEqualTo(Map.of("k", "v"));
    assertThat(lease.createdAt()).isAfter(Instant.EPOCH);
    store.create("other", Map.of());
    assertThat(ids(store, "")).containsExactly("mine", "other");
    assertThat(ids(store, "id==other")).containsExactly("other");
    assertThat(ids(store, "labels.k==v")).containsExactly("mine");
    assertThat(store.list(Filter.parse("id==mine"))).containsExactly(lease);
  }

  @Test
  void an_id_is_made_up_when_none_is_given_and_given_once() {
    LeaseStore store = open();
    String first = store.create("", Map.of()).id();
    String second = store.create("", Map.of()).id();
    assertThat(first).isNotEmpty().isNotEqualTo(second);
    assertThatThrownBy(() -> store.create(first, Map.of()))
        .isInstanceOf(AlreadyExistsException.class)
        .hasMessageContaining(first);
  }

  @Test
  void what_is_not_there_is_not_found() {
    LeaseStore store = open();
    var resource = new Lease.Resource("snap", "snapshots/overlayfs");
    assertThatThrownBy(() -> store.delete("none", false))
        .isInstanceOf(NotFoundException.class)
        .hasMessageContaining("none");
    assertThatThrownBy(() -> store.addResource("none", resource))
        .isInstanceOf(NotFoundException.class);
    assertThatThrownBy(() -> store.listResources("none")).isInstanceOf(NotFoundException.class);
  }

  @Test
  void resources_come_and_go() {
    LeaseStore store = open();
    store.create("mine", Map.of());
    var snapshot = new Lease.Resource("snap", "snapshots/overlayfs");
    var ingest = new Lease.Resource("ref-1", "ingests");
    assertThat(store.listResources("mine")).isEmpty();
    store.addResource("mine", snapshot);
    store.addResource("mine", snapshot);
    store.addResource("mine", ingest);
    assertThat(store.listResources("mine")).containsExactlyInAnyOrder(snapshot, ingest);
    store.deleteResource("mine", snapshot);
    store.deleteResource("mine", snapshot);
    assertThat(store.listResources("mine")).containsExactly(ingest);
  }

  @Test
  void an_ended_lease_is_gone_with_its_resources() {
    LeaseStore store = open();
    store.create("mine", Map.of());
    store.addResource("mine", new Lease.Resource("ref-1", "ingests"));
    store.delete("mine", true);
    assertThat(ids(store, "")).isEmpty();
    store.create("mine", Map.of());
    assertThat(store.listResources("mine")).isEmpty();
  }

  @Test
  void labels_that_are_too_long_are_refused() {
    LeaseStore store = open();
    assertThatThrownBy(() -> store.create("mine", Map.of("k", "v".repeat(4096))))
        .isInstanceOf(InvalidArgumentException.class);
    assertThat(ids(store, "")).isEmpty();
  }

  @Test
  void a_resource_is_of_a_known_type() {
    LeaseStore store = open();
    store.create("mine", Map.of());
    for (String type : List.of("container", "snapshots", "snapshots/a/b", "")) {
      assertThatThrownBy(() -> store.addResource("mine", new Lease.Resource("x", type)))
          .as(type)
          .isInstanceOf(ContainerdException.class);
    }
    assertThatThrownBy(() -> store.addResource("mine", new Lease.Resource("x", "content")))
        .isInstanceOf(InvalidArgumentException.class);
    var image = new Lease.Resource("docker.io/library/x:1", "images");
    var blob = new Lease.Resource("sha256:" + "a".repeat(64), "content");
    store.addResource("mine", image);
    store.addResource("mine", blob);
    assertThat(store.listResources("mine")).containsExactlyInAnyOrder(image, blob);
  }

  @Test
  void a_lease_that_was_deleted_can_be_made_anew_and_holds_nothing() {
    LeaseStore store = open();
    store.create("mine", Map.of("a", "b"));
    store.addResource("mine", new Lease.Resource("x", "ingests"));
    store.delete("mine", false);
    assertThat(store.create("mine", Map.of()).labels()).isEmpty();
    assertThat(store.listResources("mine")).isEmpty();
  }

  @Test
  void a_label_without_a_value_is_none() {
    LeaseStore store = open();
    store.create("mine", Map.of("none", "", "some", "x"));
    assertThat(store.list(Filter.ALL).getFirst().labels()).isEqualTo(Map.of("some", "x"));
  }
}
