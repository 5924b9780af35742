package io.jcontainerd.metadata;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.FieldMask;
import io.jcontainerd.core.content.ContentStore;
import io.jcontainerd.core.content.Ingest;
import io.jcontainerd.core.content.IngestRequest;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.leases.Lease;
import io.jcontainerd.core.namespaces.NamespaceStore.Namespace;
import io.jcontainerd.testkit.contract.ContentStoreContract;
import io.jcontainerd.testkit.contract.InNamespace;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NamespacedContentStoreTest extends ContentStoreContract {
  @TempDir Path folder;
  private @Nullable Fixture fixture;

  private Fixture fixture() {
    if (fixture == null) {
      fixture = new Fixture(folder);
    }
    return fixture;
  }

  @AfterEach
  void close() {
    if (fixture != null) {
      fixture.close();
    }
  }

  @Override
  protected ContentStore open() {
    if (fixture != null) {
      fixture.reopen();
    }
    return in("ns", fixture());
  }

  private static ContentStore in(String namespace, Fixture fixture) {
    return InNamespace.of(namespace, ContentStore.class, fixture.metadata.content());
  }

  @Test
  void a_namespace_is_required() {
    assertThatThrownBy(() -> fixture().metadata.content().find(digest(HELLO)))
        .isInstanceOf(FailedPreconditionException.class)
        .hasMessage("namespace is required");
  }

  @Test
  void a_blob_of_one_namespace_is_not_seen_in_another() {
    ContentStore one = in("one", fixture());
    ContentStore two = in("two", fixture());
    write(one, "ref", HELLO);
    assertThat(two.find(digest(HELLO))).isEmpty();
    assertThatThrownBy(() -> two.reader(digest(HELLO)).close())
        .isInstanceOf(NotFoundException.class);
    assertThatThrownBy(() -> two.delete(digest(HELLO))).isInstanceOf(NotFoundException.class);
  }

  @Test
  void a_shared_blob_is_taken_over_without_bytes() {
    ContentStore one = in("one", fixture());
    ContentStore two = in("two", fixture());
    write(one, "ref", HELLO);
    try (Ingest ingest = two.ingest(request("other", HELLO))) {
      assertThat(ingest.status().offset()).isEqualTo(HELLO.length);
      assertThat(ingest.digest()).isEqualTo(digest(HELLO));
      ingest.commit(HELLO.length, Optional.of(digest(HELLO)), Map.of("a", "b"));
    }
    assertThat(read(two, digest(HELLO))).isEqualTo(HELLO);
    assertThat(two.info(digest(HELLO)).labels()).containsEntry("a", "b");
    assertThat(one.info(digest(HELLO)).labels()).isEmpty();
  }

  @Test
  void a_shared_ingest_can_start_over_and_can_go_on() {
    ContentStore one = in("one", fixture());
    ContentStore two = in("two", fixture());
    write(one, "ref", HELLO);
    byte[] more =
        (new String(HELLO, StandardCharsets.UTF_8) + "!").getBytes(StandardCharsets.UTF_8);
    try (Ingest ingest = two.ingest(request("longer", HELLO))) {
      ingest.write(ByteBuffer.wrap("!".getBytes(StandardCharsets.UTF_8)));
      assertThat(ingest.status().offset()).isEqualTo(more.length);
      assertThat(ingest.digest()).isEqualTo(digest(more));
    }
    try (Ingest ingest = two.ingest(request("anew", HELLO))) {
      ingest.truncate(0);
      assertThat(ingest.status().offset()).isZero();
      ingest.write(ByteBuffer.wrap(HELLO));
      ingest.commit(HELLO.length, Optional.of(digest(HELLO)), Map.of());
    }
    assertThat(read(two, digest(HELLO))).isEqualTo(HELLO);
  }

  @Test
  void isolated_namespaces_bring_their_own_bytes_unless_the_owner_shares() {
    fixture =
        new Fixture(
            folder,
            MetadataOptions.DEFAULTS.withContentSharing(MetadataOptions.ContentSharing.ISOLATED));
    ContentStore one = in("one", fixture);
    ContentStore two = in("two", fixture);
    write(one, "ref", HELLO);
    try (Ingest ingest = two.ingest(request("mine", HELLO))) {
      assertThat(ingest.status().offset()).isZero();
      ingest.write(ByteBuffer.wrap(HELLO));
      ingest.commit(HELLO.length, Optional.of(digest(HELLO)), Map.of());
    }
    assertThat(read(two, digest(HELLO))).isEqualTo(HELLO);
    fixture
        .metadata
        .namespaces()
        .update(
            new Namespace("one", Map.of("containerd.io/namespace.shareable", "true")),
            FieldMask.ALL);
    try (Ingest ingest = in("three", fixture).ingest(request("theirs", HELLO))) {
      assertThat(ingest.status().offset()).isEqualTo(HELLO.length);
    }
  }

  @Test
  void bytes_go_only_when_no_namespace_has_the_blob() {
    ContentStore one = in("one", fixture());
    ContentStore two = in("two", fixture());
    Map<String, String> root = Map.of("containerd.io/gc.root", "x");
    fixture().in("one", () -> fixture().blob("x", root));
    fixture().in("two", () -> fixture().blob("x", root));
    Digest digest = Fixture.digest("x");
    one.delete(digest);
    fixture().collect();
    assertThat(two.find(digest)).isPresent();
    assertThat(fixture().backendBlobs()).containsExactly(digest);
    two.delete(digest);
    assertThat(fixture().backendBlobs()).containsExactly(digest);
    fixture().collect();
    assertThat(fixture().backendBlobs()).isEmpty();
  }

  @Test
  void a_blob_condemned_and_written_again_stays() {
    Map<String, String> root = Map.of("containerd.io/gc.root", "x");
    Digest digest = fixture().in("one", () -> fixture().blob("x", root));
    in("one", fixture()).delete(digest);
    fixture().in("one", () -> fixture().blob("x", root));
    fixture().collect();
    assertThat(read(in("one", fixture()), digest)).isEqualTo(Fixture.bytes("x"));
  }

  @Test
  void a_lease_gets_what_is_written_even_when_it_existed() {
    Fixture f = fixture();
    f.in("ns", () -> f.metadata.leases().create("l1", Map.of()));
    f.in("ns", () -> f.metadata.leases().create("l2", Map.of()));
    Digest digest = f.with("l1", () -> f.blob("x"));
    assertThat(f.in("ns", () -> f.metadata.leases().listResources("l1")))
        .containsExactly(new Lease.Resource(digest.toString(), "content"));
    assertThatThrownBy(() -> f.with("l2", () -> f.blob("x")))
        .isInstanceOf(AlreadyExistsException.class);
    assertThat(f.in("ns", () -> f.metadata.leases().listResources("l2")))
        .containsExactly(new Lease.Resource(digest.toString(), "content"));
  }

  @Test
  void an_unknown_lease_is_not_found() {
    assertThatThrownBy(() -> fixture().with("nobody", () -> fixture().blob("x")))
        .isInstanceOf(NotFoundException.class)
        .hasMessageContaining("lease \"nobody\"");
  }

  private static Ingest watched(Ingest real, Runnable afterCommit) {
    return (Ingest)
        Proxy.newProxyInstance(
            Ingest.class.getClassLoader(),
            new Class<?>[] {Ingest.class},
            (_, method, arguments) -> {
              Object result = method.invoke(real, arguments);
              if (method.getName().equals("commit")) {
                afterCommit.run();
              }
              return result;
            });
  }

  /** Lets something happen between the backend's commit of a blob and the tables'. */
  private Fixture afterBackendCommit(Runnable happens) {
    Fixture f = fixture();
    f.beforeBlobs =
        real ->
            (ContentStore)
                Proxy.newProxyInstance(
                    ContentStore.class.getClassLoader(),
                    new Class<?>[] {ContentStore.class},
                    (_, method, arguments) -> {
                      try {
                        Object result = method.invoke(real, arguments);
                        return result instanceof Ingest ingest ? watched(ingest, happens) : result;
                      } catch (InvocationTargetException e) {
                        throw e.getTargetException();
                      }
                    });
    f.reopen();
    return f;
  }

  @Test
  void a_commit_under_a_lease_that_is_gone_keeps_the_ingest() {
    Fixture f = fixture();
    f.in("ns", () -> f.metadata.leases().create("l", Map.of()));
    f.with(
        "l",
        () -> {
          try (Ingest ingest = f.metadata.content().ingest(new IngestRequest("ref"))) {
            ingest.write(ByteBuffer.wrap(HELLO));
            f.metadata.leases().delete("l", false);
            assertThatThrownBy(() -> ingest.commit(0, Optional.empty(), Map.of()))
                .isInstanceOf(NotFoundException.class)
                .hasMessageContaining("lease");
          }
          return true;
        });
    assertThat(f.backendBlobs()).isEmpty();
    try (Ingest ingest = in("ns", f).ingest(new IngestRequest("ref"))) {
      assertThat(ingest.status().offset()).isEqualTo(HELLO.length);
      ingest.commit(0, Optional.empty(), Map.of());
    }
    assertThat(read(in("ns", f), digest(HELLO))).isEqualTo(HELLO);
  }

  @Test
  void a_cancel_after_the_bytes_are_a_blob_wastes_nothing() {
    Fixture f = afterBackendCommit(() -> Thread.currentThread().interrupt());
    try {
      write(in("ns", f), "ref", HELLO);
    } finally {
      assertThat(Thread.interrupted()).isTrue();
    }
    assertThat(read(in("ns", f), digest(HELLO))).isEqualTo(HELLO);
  }

  @Test
  void a_blob_that_could_not_be_recorded_is_recorded_by_another_try() {
    AtomicBoolean once = new AtomicBoolean();
    Fixture f =
        afterBackendCommit(
            () -> {
              if (once.compareAndSet(false, true)) {
                Call.in("ns").run(() -> fixture().metadata.leases().delete("l", false));
              }
            });
    f.in("ns", () -> f.metadata.leases().create("l", Map.of()));
    f.with(
        "l",
        () -> {
          try (Ingest ingest = f.metadata.content().ingest(new IngestRequest("ref"))) {
            ingest.write(ByteBuffer.wrap(HELLO));
            assertThatThrownBy(() -> ingest.commit(0, Optional.empty(), Map.of()))
                .isInstanceOf(NotFoundException.class);
            f.metadata.leases().create("l", Map.of());
            assertThat(ingest.status().offset()).isEqualTo(HELLO.length);
            return ingest.commit(0, Optional.empty(), Map.of());
          }
        });
    assertThat(read(in("ns", f), digest(HELLO))).isEqualTo(HELLO);
  }

  @Test
  void a_writer_whose_ref_was_aborted_since_its_blob_came_learns_that_it_exists() {
    ContentStore store = in("ns", fixture());
    try (Ingest slow = store.ingest(request("slow", HELLO))) {
      slow.write(ByteBuffer.wrap(HELLO));
      write(store, "quick", HELLO);
      store.abort("slow");
      assertThatThrownBy(() -> slow.commit(HELLO.length, Optional.empty(), Map.of()))
          .isInstanceOf(AlreadyExistsException.class);
    }
    try (Ingest aborted = store.ingest(new IngestRequest("other"))) {
      store.abort("other");
      assertThatThrownBy(() -> aborted.commit(0, Optional.empty(), Map.of()))
          .isInstanceOf(NotFoundException.class);
    }
  }
}
