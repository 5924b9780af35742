package io.jcontainerd.metadata;

import static io.jcontainerd.metadata.Fixture.NS;
import static io.jcontainerd.metadata.Fixture.SN;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.leases.Lease;
import io.jcontainerd.core.snapshots.SnapshotKind;
import io.jcontainerd.core.snapshots.Snapshotter;
import io.jcontainerd.testkit.contract.InNamespace;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A commit changes the backend before the tables: nothing between may lose what was written. */
class SnapshotCommitTest {
  @TempDir Path folder;
  private Fixture f;
  private Snapshotter snapshots;

  @BeforeEach
  void open() {
    f = new Fixture(folder);
    snapshots();
    f.in(NS, () -> f.metadata.leases().create("l", Map.of()));
    f.with("l", () -> f.layer("base", "", Map.of()));
    f.with("l", () -> f.snapshots().prepare("key", "base", Map.of()));
  }

  @AfterEach
  void close() {
    f.close();
  }

  private void snapshots() {
    snapshots = InNamespace.leased(NS, "l", Snapshotter.class, f.snapshots());
  }

  private void reopen() {
    f.reopen();
    snapshots();
  }

  private interface Instead {
    @Nullable Object call(Snapshotter real, Object[] arguments) throws Throwable;
  }

  /** Lets a method of the backend do something else from now on. */
  private void instead(String name, Instead instead) {
    f.beforeTrees =
        real ->
            (Snapshotter)
                Proxy.newProxyInstance(
                    Snapshotter.class.getClassLoader(),
                    new Class<?>[] {Snapshotter.class},
                    (_, method, arguments) -> {
                      if (method.getName().equals(name)) {
                        return instead.call(real, arguments);
                      }
                      try {
                        return method.invoke(real, arguments);
                      } catch (InvocationTargetException e) {
                        throw e.getTargetException();
                      }
                    });
    reopen();
    f.beforeTrees = UnaryOperator.identity();
  }

  @SuppressWarnings("unchecked")
  private static void commit(Snapshotter real, Object[] arguments) {
    real.commit(
        (String) arguments[0],
        (String) arguments[1],
        (Map<String, String>) arguments[2],
        (String) arguments[3]);
  }

  private void stillActive() {
    assertThat(snapshots.mounts("key")).isNotEmpty();
    assertThat(snapshots.stat("key").kind()).isEqualTo(SnapshotKind.ACTIVE);
    assertThatThrownBy(() -> snapshots.stat("name")).isInstanceOf(NotFoundException.class);
    assertThat(f.backendSnapshots()).containsExactlyInAnyOrder("base", "key");
    snapshots.commit("name", "key", Map.of("a", "b"), "");
    committed();
  }

  private void committed() {
    assertThat(snapshots.stat("name").kind()).isEqualTo(SnapshotKind.COMMITTED);
    assertThat(snapshots.stat("name").labels()).isEqualTo(Map.of("a", "b"));
    assertThat(snapshots.stat("name").parent()).isEqualTo("base");
    assertThatThrownBy(() -> snapshots.stat("key")).isInstanceOf(NotFoundException.class);
    assertThat(f.in(NS, () -> f.metadata.leases().listResources("l")))
        .contains(new Lease.Resource("name", "snapshots/" + SN))
        .doesNotContain(new Lease.Resource("key", "snapshots/" + SN));
    f.collect();
    assertThat(f.backendSnapshots()).containsExactlyInAnyOrder("base", "name");
    long pending = f.store.read(tx -> tx.number("SELECT count(*) FROM snapshot_commits"));
    assertThat(pending).isZero();
  }

  @Test
  void a_commit_under_an_unknown_lease_leaves_the_active_snapshot_alone() {
    assertThatThrownBy(
            () ->
                Call.in(NS)
                    .withLease("nobody")
                    .run(() -> f.snapshots().commit("name", "key", Map.of(), "")))
        .isInstanceOf(NotFoundException.class)
        .hasMessageContaining("nobody");
    stillActive();
  }

  @Test
  void a_cancel_after_the_backend_is_done_does_not_undo_it() {
    instead(
        "commit",
        (real, arguments) -> {
          commit(real, arguments);
          Thread.currentThread().interrupt();
          return null;
        });
    try {
      snapshots.commit("name", "key", Map.of("a", "b"), "");
    } finally {
      assertThat(Thread.interrupted()).isTrue();
    }
    committed();
  }

  @Test
  void a_backend_that_fails_after_it_is_done_has_done_it_all_the_same() {
    instead(
        "commit",
        (real, arguments) -> {
          commit(real, arguments);
          throw new UnavailableException("no answer");
        });
    snapshots.commit("name", "key", Map.of("a", "b"), "");
    committed();
  }

  @Test
  void a_backend_that_fails_before_leaves_the_active_snapshot() {
    instead(
        "commit",
        (_, _) -> {
          throw new UnavailableException("not now");
        });
    assertThatThrownBy(() -> snapshots.commit("name", "key", Map.of(), ""))
        .isInstanceOf(UnavailableException.class);
    reopen();
    stillActive();
  }

  private static final class Killed extends Error {
    private static final long serialVersionUID = 1L;
  }

  /** From the commit on the backend does nothing more, as after a kill. */
  private void killedAtCommit(boolean done) {
    AtomicBoolean dead = new AtomicBoolean();
    f.beforeTrees =
        real ->
            (Snapshotter)
                Proxy.newProxyInstance(
                    Snapshotter.class.getClassLoader(),
                    new Class<?>[] {Snapshotter.class},
                    (_, method, arguments) -> {
                      if (dead.get()) {
                        throw new Killed();
                      }
                      if (method.getName().equals("commit")) {
                        if (done) {
                          commit(real, arguments);
                        }
                        dead.set(true);
                        throw new Killed();
                      }
                      return method.invoke(real, arguments);
                    });
    reopen();
    f.beforeTrees = UnaryOperator.identity();
    assertThatThrownBy(() -> snapshots.commit("name", "key", Map.of("a", "b"), ""))
        .isInstanceOf(Killed.class);
    reopen();
  }

  @Test
  void a_kill_before_the_backend_is_done_leaves_the_active_snapshot() {
    killedAtCommit(false);
    stillActive();
  }

  @Test
  void a_kill_after_the_backend_is_done_ends_with_the_committed_snapshot() {
    killedAtCommit(true);
    committed();
  }

  @Test
  void a_name_that_is_promised_is_taken_and_its_parent_stays() {
    instead(
        "commit",
        (real, arguments) -> {
          f.in(
              NS,
              () -> {
                assertThatThrownBy(() -> f.snapshots().prepare("name", "", Map.of()))
                    .isInstanceOf(AlreadyExistsException.class);
                assertThatThrownBy(() -> f.snapshots().commit("other", "key", Map.of(), ""))
                    .isInstanceOf(UnavailableException.class);
                assertThatThrownBy(() -> f.snapshots().remove("base"))
                    .isInstanceOf(FailedPreconditionException.class);
                return true;
              });
          commit(real, arguments);
          return null;
        });
    snapshots.commit("name", "key", Map.of("a", "b"), "");
    committed();
  }

  @Test
  void who_wants_a_name_that_another_is_taking_hears_that_it_exists_when_it_does() {
    CompletableFuture<Boolean> second = new CompletableFuture<>();
    instead(
        "commit",
        (real, arguments) -> {
          var _ = second.completeAsync(this::existsWhenTaken);
          assertThatThrownBy(() -> second.get(300, TimeUnit.MILLISECONDS))
              .isInstanceOf(TimeoutException.class);
          commit(real, arguments);
          return null;
        });
    f.with("l", () -> f.snapshots().prepare("another", "base", Map.of()));
    snapshots.commit("name", "key", Map.of("a", "b"), "");
    assertThat(second.join()).isTrue();
    assertThat(snapshots.stat("another").kind()).isEqualTo(SnapshotKind.ACTIVE);
    snapshots.remove("another");
    committed();
  }

  /** Whether a second commit is refused, and what it is refused for is there. */
  private boolean existsWhenTaken() {
    return f.in(
        NS,
        () -> {
          assertThatThrownBy(() -> f.snapshots().commit("name", "another", Map.of(), ""))
              .isInstanceOf(AlreadyExistsException.class);
          return f.snapshots().stat("name").kind() == SnapshotKind.COMMITTED;
        });
  }

  @Test
  void what_is_removed_while_it_is_committed_goes_and_leaves_nothing() {
    instead(
        "commit",
        (real, arguments) -> {
          commit(real, arguments);
          f.in(
              NS,
              () -> {
                f.snapshots().remove("key");
                return true;
              });
          return null;
        });
    assertThatThrownBy(() -> snapshots.commit("name", "key", Map.of(), ""))
        .isInstanceOf(NotFoundException.class);
    f.collect();
    assertThat(f.backendSnapshots()).containsExactly("base");
  }
}
