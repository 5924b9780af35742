package io.jcontainerd.testkit.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.FieldMask;
import io.jcontainerd.core.content.ContentInfo;
import io.jcontainerd.core.content.ContentStore;
import io.jcontainerd.core.content.Ingest;
import io.jcontainerd.core.content.IngestRequest;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.filter.Filter;
import io.jcontainerd.core.leases.LeaseStore;
import io.jcontainerd.core.namespaces.NamespaceStore.Namespace;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What namespaces see of each other's blobs, under either policy. */
@ExtendWith(ContractReport.class)
public abstract class ContentSharingContract {
  private static final AtomicInteger NAMESPACES = new AtomicInteger();
  private static final String SHAREABLE = "containerd.io/namespace.shareable";

  private final int number = NAMESPACES.incrementAndGet();
  private final byte[] bytes =
      ("shared " + ProcessHandle.current().pid() + " " + number).getBytes(StandardCharsets.UTF_8);
  private final Digest digest = Digest.sha256(bytes);

  /** For subclasses. */
  protected ContentSharingContract() {}

  /** The daemon's stores; the tests use namespaces of their own. */
  protected abstract Stores stores();

  /** Whether a namespace must bring its own bytes unless the owner shares. */
  protected abstract boolean isolated();

  private String namespace(String name) {
    return name + "-" + ProcessHandle.current().pid() + "-" + number;
  }

  /** The content of a namespace, held by a lease: collections come when they please. */
  private ContentStore in(String name) {
    LeaseStore leases = InNamespace.of(namespace(name), LeaseStore.class, stores().leases());
    if (leases.list(Filter.parse("id==contract")).isEmpty()) {
      leases.create("contract", Map.of());
    }
    return InNamespace.leased(namespace(name), "contract", ContentStore.class, stores().content());
  }

  private IngestRequest announced() {
    return new IngestRequest("ref", bytes.length, Optional.of(digest));
  }

  private void write(String name, Map<String, String> labels) {
    try (Ingest ingest = in(name).ingest(new IngestRequest("ref"))) {
      ingest.write(ByteBuffer.wrap(bytes));
      ingest.commit(bytes.length, Optional.of(digest), labels);
    }
  }

  private void assumeShared() {
    Assumptions.assumeFalse(isolated(), "content is isolated here");
  }

  private void assumeIsolated() {
    Assumptions.assumeTrue(isolated(), "content is shared here");
  }

  @Test
  void a_blob_of_one_namespace_is_not_seen_in_another() {
    write("one", Map.of("owner", "one"));
    assertThat(in("two").find(digest)).isEmpty();
    assertThatThrownBy(() -> in("two").reader(digest).close())
        .isInstanceOf(NotFoundException.class);
    assertThatThrownBy(() -> in("two").delete(digest)).isInstanceOf(NotFoundException.class);
    var seen = new ArrayList<Digest>();
    in("two").walk(Filter.ALL, info -> seen.add(info.digest()));
    assertThat(seen).isEmpty();
    ContentInfo info = in("one").info(digest);
    assertThatThrownBy(() -> in("two").update(info, FieldMask.ALL))
        .isInstanceOf(NotFoundException.class);
  }

  @Test
  void ingests_of_one_ref_do_not_meet_across_namespaces() {
    try (Ingest one = in("one").ingest(new IngestRequest("ref"));
        Ingest two = in("two").ingest(new IngestRequest("ref"))) {
      one.write(ByteBuffer.wrap(bytes, 0, 3));
      assertThat(two.status().offset()).isZero();
      assertThat(in("two").status("ref").offset()).isZero();
      two.write(ByteBuffer.wrap(bytes));
      two.commit(bytes.length, Optional.of(digest), Map.of());
    }
    assertThat(in("one").status("ref").offset()).isEqualTo(3);
    assertThat(in("two").statuses(Filter.ALL)).isEmpty();
  }

  @Test
  void the_same_bytes_can_be_brought_twice_and_have_labels_of_their_own() {
    write("one", Map.of("owner", "one"));
    write("two", Map.of("owner", "two"));
    assertThat(in("one").info(digest).labels()).isEqualTo(Map.of("owner", "one"));
    assertThat(in("two").info(digest).labels()).isEqualTo(Map.of("owner", "two"));
    in("one").delete(digest);
    collect("one");
    assertThat(in("one").find(digest)).isEmpty();
    assertThat(ContentStoreContract.read(in("two"), digest)).isEqualTo(bytes);
  }

  /** Deletes a lease and waits, in a namespace. */
  private void collect(String name) {
    Call.in(namespace(name))
        .run(
            () -> {
              String lease = stores().leases().create("", Map.of()).id();
              stores().leases().delete(lease, true);
            });
  }

  @Test
  void a_shared_blob_is_taken_over_without_bytes() {
    assumeShared();
    write("one", Map.of("owner", "one"));
    try (Ingest ingest = in("two").ingest(announced())) {
      assertThat(ingest.status().offset()).isEqualTo(bytes.length);
      assertThat(ingest.digest()).isEqualTo(digest);
      assertThat(in("two").find(digest)).isEmpty();
      ingest.commit(bytes.length, Optional.of(digest), Map.of("owner", "two"));
    }
    assertThat(ContentStoreContract.read(in("two"), digest)).isEqualTo(bytes);
    assertThat(in("two").info(digest).labels()).isEqualTo(Map.of("owner", "two"));
    assertThat(in("two").statuses(Filter.ALL)).isEmpty();
  }

  @Test
  void a_shared_blob_cannot_be_taken_over_as_something_else() {
    assumeShared();
    write("one", Map.of());
    Digest other = Digest.sha256("other".getBytes(StandardCharsets.UTF_8));
    try (Ingest ingest = in("two").ingest(announced())) {
      assertThatThrownBy(() -> ingest.commit(bytes.length + 1, Optional.of(digest), Map.of()))
          .isInstanceOf(FailedPreconditionException.class);
    }
    try (Ingest ingest = in("two").ingest(announced())) {
      assertThatThrownBy(() -> ingest.commit(bytes.length, Optional.of(other), Map.of()))
          .isInstanceOf(FailedPreconditionException.class);
    }
    assertThat(in("two").find(digest)).isEmpty();
    assertThat(in("two").find(other)).isEmpty();
  }

  @Test
  void who_takes_over_may_bring_the_bytes_all_the_same() {
    assumeShared();
    write("one", Map.of());
    try (Ingest ingest = in("two").ingest(announced())) {
      ingest.truncate(0);
      assertThat(ingest.status().offset()).isZero();
      ingest.write(ByteBuffer.wrap(bytes));
      ingest.commit(bytes.length, Optional.of(digest), Map.of());
    }
    assertThat(ContentStoreContract.read(in("two"), digest)).isEqualTo(bytes);
  }

  @Test
  void a_digest_that_is_told_only_at_the_end_finds_the_blob_too() {
    write("one", Map.of());
    try (Ingest ingest = in("two").ingest(new IngestRequest("late"))) {
      assertThat(ingest.status().offset()).isZero();
      ingest.write(ByteBuffer.wrap(bytes));
      assertThat(ingest.commit(bytes.length, Optional.of(digest), Map.of())).isEqualTo(digest);
    }
    assertThat(ContentStoreContract.read(in("two"), digest)).isEqualTo(bytes);
    assertThatThrownBy(() -> write("two", Map.of())).isInstanceOf(AlreadyExistsException.class);
  }

  @Test
  void an_isolated_namespace_brings_its_own_bytes() {
    assumeIsolated();
    write("one", Map.of());
    try (Ingest ingest = in("two").ingest(announced())) {
      assertThat(ingest.status().offset()).isZero();
      assertThatThrownBy(() -> ingest.commit(bytes.length, Optional.of(digest), Map.of()))
          .isInstanceOf(FailedPreconditionException.class);
    }
    assertThat(in("two").find(digest)).isEmpty();
    try (Ingest ingest = in("two").ingest(announced())) {
      ingest.write(ByteBuffer.wrap(bytes));
      ingest.commit(bytes.length, Optional.of(digest), Map.of());
    }
    assertThat(ContentStoreContract.read(in("two"), digest)).isEqualTo(bytes);
  }

  @Test
  void an_isolated_namespace_may_share_what_it_has() {
    assumeIsolated();
    write("one", Map.of());
    stores()
        .namespaces()
        .update(
            new Namespace(namespace("one"), Map.of(SHAREABLE, "false")),
            new FieldMask(List.of("labels." + SHAREABLE)));
    try (Ingest ingest = in("two").ingest(announced())) {
      assertThat(ingest.status().offset()).isZero();
    }
    in("two").abort("ref");
    stores()
        .namespaces()
        .update(
            new Namespace(namespace("one"), Map.of(SHAREABLE, "true")),
            new FieldMask(List.of("labels." + SHAREABLE)));
    try (Ingest ingest = in("two").ingest(announced())) {
      assertThat(ingest.status().offset()).isEqualTo(bytes.length);
      ingest.commit(bytes.length, Optional.of(digest), Map.of());
    }
    assertThat(ContentStoreContract.read(in("two"), digest)).isEqualTo(bytes);
  }
}
