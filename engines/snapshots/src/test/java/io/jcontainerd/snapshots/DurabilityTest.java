package io.jcontainerd.snapshots;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.failure.DeadlineExceededException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.UnknownException;
import io.jcontainerd.core.filter.Filter;
import io.jcontainerd.core.ports.Kernel;
import io.jcontainerd.core.snapshots.Prepared;
import io.jcontainerd.core.snapshots.Snapshotter;
import io.jcontainerd.testkit.faults.Faults;
import io.jcontainerd.testkit.faults.SimulatedCrash;
import io.jcontainerd.testkit.time.Soon;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** When committed snapshots become durable, and what becomes of those that do not. */
@SuppressWarnings("NullAway.Init")
@Timeout(60)
class DurabilityTest {
  private static final String CHAIN = "sha256:" + "c".repeat(64);

  @TempDir Path folder;
  private Bench bench;
  private Snapshotter snapshotter;
  private int extracts;

  @BeforeEach
  void open() {
    bench = new Bench(folder);
    snapshotter = open(bench.kernel, true);
  }

  @AfterEach
  void close() {
    snapshotter.close();
    bench.close();
  }

  private Snapshotter open(Kernel kernel, boolean durable) {
    return OverlaySnapshotter.open(
        Bench.ROOT,
        new Environment(
            bench.store,
            bench.files,
            kernel,
            bench.environment().trees(),
            bench.time,
            new UnpackNotes(),
            durable),
        Bench.SUPPORT,
        OverlaySnapshotter.Options.DEFAULTS);
  }

  private void unpack(String name, String parent) {
    String key = "ns/%d/extract-%d-x %s".formatted(++extracts, extracts, CHAIN);
    Prepared _ = snapshotter.prepare(key, parent, Map.of());
    snapshotter.commit(name, key, Map.of(), "");
  }

  private List<String> names() {
    var names = new ArrayList<String>();
    snapshotter.walk(Filter.ALL, info -> names.add(info.name()));
    return names;
  }

  /** As after a kill, without the orderly close that makes all durable. */
  private void reopen(String boot) {
    bench.kernel.bootId(boot);
    snapshotter = open(bench.kernel, true);
  }

  @Test
  void layers_of_an_image_share_one_synchronisation() {
    unpack("one", "");
    unpack("two", "one");
    unpack("three", "two");
    assertThat(bench.kernel.syncs()).isZero();
    snapshotter.makeDurable();
    snapshotter.makeDurable();
    assertThat(bench.kernel.syncs()).isEqualTo(1);
  }

  @Test
  void what_is_provisional_is_lost_with_the_boot_and_what_is_durable_is_not() {
    unpack("one", "");
    snapshotter.makeDurable();
    unpack("two", "one");
    unpack("three", "two");
    Prepared _ = snapshotter.prepare("ns/9/extract-9-x " + CHAIN, "three", Map.of());
    Prepared _ = snapshotter.prepare("container", "one", Map.of());
    reopen("next");
    assertThat(names()).containsExactly("container", "one");
    assertThat(snapshotter.lost())
        .containsExactlyInAnyOrder("two", "three", "ns/9/extract-9-x " + CHAIN);
    assertThatThrownBy(() -> snapshotter.stat("three")).isInstanceOf(NotFoundException.class);
    reopen("next");
    assertThat(snapshotter.lost()).hasSize(3);
    snapshotter.forgetLost(snapshotter.lost());
    assertThat(snapshotter.lost()).isEmpty();
    unpack("two", "one");
    assertThat(names()).containsExactly("container", "one", "two");
  }

  @Test
  void layers_that_stand_on_what_is_lost_are_lost_too() throws Exception {
    unpack("one", "");
    unpack("two", "one");
    Prepared _ = snapshotter.prepare("ns/9/extract-9-x " + CHAIN, "two", Map.of());
    reopen("next");
    assertThat(names()).isEmpty();
    snapshotter.cleanup();
    assertThat(bench.files.list(Bench.ROOT.resolve("snapshots"))).isEmpty();
  }

  @Test
  void what_somebody_keeps_is_never_lost_even_on_what_is() {
    unpack("one", "");
    unpack("other", "one");
    snapshotter = open(bench.kernel, false);
    Prepared _ = snapshotter.prepare("build", "one", Map.of());
    Prepared _ = snapshotter.prepare("container", "one", Map.of());
    snapshotter.commit("step", "build", Map.of(), ""); // by a daemon that takes it for durable
    bench.store.write(
        tx ->
            tx.update(
                "INSERT OR REPLACE INTO backend_snapshot_boots"
                    + " VALUES ('overlayfs', 1, 'x'), ('overlayfs', 2, 'x')"));
    reopen("next");
    assertThat(names()).containsExactly("container", "one", "step");
    assertThat(snapshotter.lost()).containsExactly("other");
  }

  @Test
  void a_commit_that_is_no_unpack_is_synchronised_first_and_never_lost() {
    unpack("one", "");
    Prepared _ = snapshotter.prepare("container", "one", Map.of());
    int before = bench.kernel.syncs();
    snapshotter.commit("built", "container", Map.of(), "");
    assertThat(bench.kernel.syncs()).isEqualTo(before + 1);
    unpack("two", "one");
    bench.kernel.failSyncs(1);
    assertThatThrownBy(snapshotter::makeDurable).isInstanceOf(UnknownException.class);
    assertThat(names()).containsExactly("built", "one");
    reopen("next");
    assertThat(names()).containsExactly("built", "one");
    assertThat(snapshotter.lost()).containsExactly("two");
  }

  @Test
  void a_commit_that_is_no_unpack_and_cannot_be_synchronised_leaves_the_active_snapshot() {
    unpack("one", "");
    Prepared _ = snapshotter.prepare("container", "one", Map.of());
    bench.kernel.failSyncs(1);
    assertThatThrownBy(() -> snapshotter.commit("built", "container", Map.of(), ""))
        .isInstanceOf(UnknownException.class)
        .hasMessageContaining("input/output error");
    assertThat(names()).containsExactly("container", "one");
    snapshotter.commit("built", "container", Map.of(), "");
    reopen("next");
    assertThat(names()).containsExactly("built", "one");
  }

  @Test
  void a_commit_on_another_parent_makes_that_durable_first() {
    unpack("one", "");
    Prepared _ = snapshotter.prepare("container", "", Map.of());
    snapshotter.commit("built", "container", Map.of(), "one");
    reopen("next");
    assertThat(names()).containsExactly("built", "one");
  }

  @Test
  void after_a_mere_crash_of_the_daemon_layers_are_kept_and_made_durable() throws Exception {
    unpack("one", "");
    String boot = bench.kernel.bootId();
    reopen(boot);
    assertThat(names()).containsExactly("one");
    bench.time.awaitSleepers(2); // that of the dead daemon, too
    bench.time.advance(Durability.DELAY.plus(Duration.ofMillis(1)));
    Soon.until("a synchronisation", () -> bench.kernel.syncs() > 0);
    snapshotter.close();
    reopen("next");
    assertThat(names()).containsExactly("one");
  }

  @Test
  void an_orderly_stop_makes_all_durable() {
    unpack("one", "");
    snapshotter.close();
    reopen("next");
    assertThat(names()).containsExactly("one");
    assertThat(snapshotter.lost()).isEmpty();
  }

  @Test
  void whatever_is_kept_waits_for_the_layers_below_it() {
    unpack("one", "");
    unpack("two", "one");
    assertThat(bench.kernel.syncs()).isZero();
    Prepared _ = snapshotter.prepare("container", "two", Map.of());
    assertThat(bench.kernel.syncs()).isEqualTo(1);
    unpack("three", "two");
    snapshotter.view("view", "three", Map.of());
    assertThat(bench.kernel.syncs()).isEqualTo(2);
    reopen("next");
    assertThat(names()).containsExactly("container", "one", "three", "two", "view");
  }

  @Test
  void what_a_failed_synchronisation_was_to_save_is_lost_at_once() {
    unpack("one", "");
    snapshotter.makeDurable();
    unpack("two", "one");
    Faults counting = Faults.none();
    snapshotter = open(counting.watch(Kernel.class, bench.kernel), true);
    Faults faults =
        Faults.failing(
            counting.calls().size() + 1,
            _ -> new FileSystemException("a disk", null, "input/output error"));
    snapshotter = open(faults.watch(Kernel.class, bench.kernel), true);
    assertThatThrownBy(snapshotter::makeDurable)
        .isInstanceOf(UnknownException.class)
        .hasMessageContaining("input/output error");
    assertThat(names()).containsExactly("one");
    assertThat(snapshotter.lost()).containsExactly("two");
    snapshotter.makeDurable();
    unpack("two", "one");
    snapshotter.makeDurable();
    reopen("next");
    assertThat(names()).containsExactly("one", "two");
  }

  @Test
  void writes_that_were_lost_before_the_synchronisation_are_told() {
    unpack("one", "");
    snapshotter.makeDurable();
    unpack("two", "one");
    bench.kernel.loseWrites(); // whoever opens the file system from here on is told nothing
    assertThatThrownBy(snapshotter::makeDurable).isInstanceOf(UnknownException.class);
    assertThat(names()).containsExactly("one");
    assertThat(snapshotter.lost()).containsExactly("two");
  }

  @Test
  void the_file_system_is_open_for_as_long_as_the_snapshotter() {
    assertThat(bench.kernel.openSynchronisers()).isEqualTo(1);
    unpack("one", "");
    snapshotter.makeDurable();
    assertThat(bench.kernel.openSynchronisers()).isEqualTo(1);
    snapshotter.close();
    assertThat(bench.kernel.openSynchronisers()).isZero();
    snapshotter.close();
  }

  @Test
  void the_file_system_is_closed_if_the_snapshotter_cannot_be_opened() {
    Faults counting = Faults.none();
    open(counting.watch(Kernel.class, bench.kernel), true).close();
    snapshotter.close();
    int opens = 0;
    for (int i = 1; i <= counting.calls().size(); i++) {
      Faults faults =
          Faults.failing(i, _ -> new FileSystemException("a disk", null, "input/output error"));
      Kernel failing = faults.watch(Kernel.class, bench.kernel);
      try (Snapshotter _ = open(failing, true)) {
        opens++; // it failed when it was being closed
      } catch (UnknownException e) {
        assertThat(e).hasMessageContaining("input/output error");
      }
      assertThat(bench.kernel.openSynchronisers()).isZero();
    }
    assertThat(opens).isLessThan(counting.calls().size());
    assertThat(counting.calls())
        .anyMatch(call -> call.startsWith("Kernel.synchroniser"))
        .last()
        .asString()
        .doesNotStartWith("Kernel.synchroniser");
  }

  @Test
  void one_in_the_background_that_fails_is_tried_again_and_later_each_time() throws Exception {
    unpack("one", "");
    bench.refuse("DELETE", "backend_snapshot_syncs"); // its success cannot be noted
    for (int i = 1; i <= 3; i++) {
      bench.time.awaitSleepers(1);
      bench.time.advance(Durability.DELAY.multipliedBy(1L << (i - 1)).minusNanos(1));
      bench.time.awaitSleepers(1);
      assertThat(bench.kernel.syncs()).isEqualTo(i - 1);
      if (i == 3) {
        bench.allow();
      }
      bench.time.advance(Duration.ofNanos(1));
      int expected = i;
      Soon.until("synchronisation " + i, () -> bench.kernel.syncs() >= expected);
    }
    snapshotter.close();
    assertThat(bench.kernel.syncs()).isEqualTo(3);
    reopen("next");
    assertThat(names()).containsExactly("one");
  }

  @Test
  void a_loss_that_could_not_be_noted_is_remembered_by_the_next_process() {
    unpack("one", "");
    snapshotter.makeDurable();
    unpack("two", "one");
    bench.kernel.failSyncs(1);
    bench.refuse("INSERT", "backend_snapshot_losses");
    assertThatThrownBy(snapshotter::makeDurable)
        .isInstanceOf(UnknownException.class)
        .hasMessageContaining("input/output error");
    assertThat(names()).containsExactly("one", "two");
    bench.allow();
    reopen(bench.kernel.bootId());
    assertThat(names()).containsExactly("one");
    assertThat(snapshotter.lost()).containsExactly("two");
    unpack("two", "one");
    reopen(bench.kernel.bootId());
    assertThat(names()).containsExactly("one", "two");
  }

  @Test
  void a_loss_that_could_not_be_noted_is_remembered_by_the_next_synchronisation() {
    unpack("one", "");
    bench.kernel.failSyncs(1);
    bench.refuse("INSERT", "backend_snapshot_losses");
    assertThatThrownBy(snapshotter::makeDurable).isInstanceOf(UnknownException.class);
    bench.allow();
    snapshotter.makeDurable();
    assertThat(names()).isEmpty();
    assertThat(snapshotter.lost()).containsExactly("one");
  }

  @Test
  void what_a_synchronisation_was_to_save_that_a_killed_process_began_is_lost() {
    unpack("one", "");
    Faults counting = Faults.none();
    open(counting.watch(Kernel.class, bench.kernel), true);
    Faults killed = Faults.crashing(counting.calls().size() + 1);
    snapshotter = open(killed.watch(Kernel.class, bench.kernel), true);
    assertThatThrownBy(snapshotter::makeDurable).isInstanceOf(SimulatedCrash.class);
    assertThat(bench.kernel.syncs()).isZero();
    reopen(bench.kernel.bootId());
    assertThat(names()).isEmpty();
    assertThat(snapshotter.lost()).containsExactly("one");
  }

  @Test
  void what_is_being_unpacked_when_a_synchronisation_fails_is_lost_too() {
    unpack("one", "");
    snapshotter.makeDurable();
    String key = "ns/8/extract-8-x " + CHAIN;
    Prepared _ = snapshotter.prepare(key, "one", Map.of());
    Prepared _ = snapshotter.prepare("container", "one", Map.of());
    bench.kernel.failSyncs(1);
    assertThatThrownBy(() -> snapshotter.commit("built", "container", Map.of(), ""))
        .isInstanceOf(UnknownException.class);
    assertThatThrownBy(() -> snapshotter.commit("two", key, Map.of(), ""))
        .isInstanceOf(NotFoundException.class);
    assertThat(names()).containsExactly("container", "one");
    assertThat(snapshotter.lost()).containsExactly(key);
  }

  @Test
  void without_durability_nothing_is_synchronised_and_nothing_lost() {
    snapshotter = open(bench.kernel, false);
    unpack("one", "");
    snapshotter.makeDurable();
    snapshotter.close();
    assertThat(bench.kernel.syncs()).isZero();
    reopen("next");
    assertThat(names()).containsExactly("one");
  }

  /** Makes what is committed durable on a disk that hangs until the gate opens. */
  private final class HangingDisk implements Kernel.Synchroniser {
    final CountDownLatch begun = new CountDownLatch(1);
    final CountDownLatch gate = new CountDownLatch(1);
    final AtomicInteger closed = new AtomicInteger();
    final Durability durability =
        new Durability(
            "hanging",
            new ProvisionalRecords(
                new SnapshotRecords(bench.store, "hanging", bench.time), "hanging"),
            this,
            bench.time,
            bench.kernel.bootId(),
            Duration.ofMillis(20));

    @Override
    public void synchronise() {
      begun.countDown();
      try {
        gate.await();
      } catch (InterruptedException e) {
        throw new AssertionError(e);
      }
    }

    @Override
    public void close() {
      closed.incrementAndGet();
    }

    Future<Boolean> synchroniseAll(ExecutorService threads) throws InterruptedException {
      Future<Boolean> first =
          threads.submit(
              () -> {
                durability.synchroniseAll();
                return true;
              });
      begun.await();
      return first;
    }
  }

  @Test
  void a_call_waits_for_the_synchronisation_of_another_as_long_as_it_has_time() throws Exception {
    var disk = new HangingDisk();
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<Boolean> first = disk.synchroniseAll(threads);
      Call hurried =
          new Call(
              Optional.of("ns"),
              Optional.empty(),
              Optional.of(bench.time.now().plus(Duration.ofMillis(20))));
      assertThatThrownBy(
              () ->
                  hurried.call(
                      () -> {
                        disk.durability.synchroniseAll();
                        return true;
                      }))
          .isInstanceOf(DeadlineExceededException.class)
          .hasMessageStartingWith("synchronising the file system of snapshotter hanging: ");
      disk.gate.countDown();
      assertThat(first.get()).isTrue();
    }
    disk.durability.close();
  }

  @Test
  void a_disk_that_hangs_does_not_hold_up_the_end_and_is_not_closed_while_it_is_used()
      throws Exception {
    var disk = new HangingDisk();
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<Boolean> first = disk.synchroniseAll(threads);
      disk.durability.close();
      assertThat(first.isDone()).isFalse();
      assertThat(disk.closed).hasValue(0);
      disk.gate.countDown();
      assertThat(first.get()).isTrue();
    }
    disk.durability.close();
    assertThat(disk.closed).hasValue(1);
  }

  @Test
  void keys_of_unpackers_are_told_from_those_of_containers() {
    assertThat(Durability.isUnpacking("ns/12/extract-123456-Ab_- " + CHAIN)).isTrue();
    assertThat(Durability.isUnpacking("extract-123456-Ab_- " + CHAIN)).isTrue();
    assertThat(Durability.isUnpacking("ns/12/extract-me")).isFalse();
    assertThat(Durability.isUnpacking("ns/12/c1")).isFalse();
    assertThat(Durability.isUnpacking(CHAIN)).isFalse();
  }
}
