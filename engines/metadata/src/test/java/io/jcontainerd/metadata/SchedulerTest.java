package io.jcontainerd.metadata;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.failure.InternalException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.filter.Filter;
import io.jcontainerd.core.leases.Lease;
import io.jcontainerd.core.snapshots.Snapshotter;
import io.jcontainerd.store.Store;
import io.jcontainerd.store.StoreOptions;
import io.jcontainerd.testkit.memory.InMemoryContentStore;
import io.jcontainerd.testkit.memory.InMemorySnapshotter;
import io.jcontainerd.testkit.time.Soon;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class SchedulerTest {
  private static final GcOptions QUIET = new GcOptions(0.5, 0, 5, Duration.ZERO, Duration.ZERO);

  @TempDir Path folder;
  private Store store;

  @BeforeEach
  void open() {
    store = Store.open(folder.resolve("meta.db"), StoreOptions.DEFAULTS, List.of(Metadata.SCHEMA));
  }

  @AfterEach
  void close() {
    store.close();
  }

  private Metadata metadata(GcOptions options) {
    return Metadata.open(
        store, new InMemoryContentStore(), Map.of(), MetadataOptions.DEFAULTS.withGc(options));
  }

  private static void awaitRuns(Metadata metadata, long runs) {
    Soon.until(runs + " runs", () -> metadata.collectorStats().succeeded() >= runs);
  }

  @Test
  void the_first_run_comes_after_the_start_whatever_happened() {
    GcOptions options = new GcOptions(0.5, 0, 100, Duration.ZERO, Duration.ofMillis(5));
    try (Metadata metadata = metadata(options)) {
      awaitRuns(metadata, 1);
    }
  }

  @Test
  void a_deletion_brings_a_run() {
    try (Metadata metadata = metadata(QUIET)) {
      Call.in("ns").run(() -> metadata.leases().create("l", Map.of()));
      Call.in("ns").run(() -> metadata.leases().delete("l", false));
      awaitRuns(metadata, 1);
    }
  }

  @Test
  void changes_bring_a_run_only_when_there_are_enough() {
    try (Metadata metadata = metadata(QUIET)) {
      metadata.collector().collect();
      for (int i = 0; i < 4; i++) {
        int number = i;
        Call.in("ns").run(() -> metadata.leases().create("l" + number, Map.of()));
      }
      assertThat(metadata.collectorStats().succeeded()).isEqualTo(1);
      Call.in("ns").run(() -> metadata.leases().create("fifth", Map.of()));
      awaitRuns(metadata, 2);
    }
  }

  @Test
  void without_a_bound_of_pauses_runs_go_on() {
    try (Metadata metadata = metadata(new GcOptions(0, 0, 100, Duration.ZERO, Duration.ZERO))) {
      for (int run = 1; run <= 2; run++) {
        String id = "l" + run;
        Call.in("ns").run(() -> metadata.leases().create(id, Map.of()));
        Call.in("ns").run(() -> metadata.leases().delete(id, false));
        awaitRuns(metadata, run);
      }
    }
  }

  @Test
  void enough_deletions_bring_a_run_at_once() {
    GcOptions options = new GcOptions(1e-7, 2, 100, Duration.ZERO, Duration.ZERO);
    try (Metadata metadata = metadata(options)) {
      metadata.collector().collect(); // the next by interval is hours away
      for (String id : List.of("a", "b")) {
        Call.in("ns").run(() -> metadata.leases().create(id, Map.of()));
        Call.in("ns").run(() -> metadata.leases().delete(id, false));
      }
      awaitRuns(metadata, 2);
    }
  }

  @Test
  void who_waits_gets_a_run_that_began_after_he_came() {
    try (Metadata metadata = metadata(QUIET)) {
      for (int i = 0; i < 50; i++) {
        String name = "blob" + i;
        Digest digest = Digest.sha256(Fixture.bytes(name));
        store.change(
            tx -> tx.update("INSERT INTO blobs VALUES ('ns', ?, 1, '', 0, 0)", digest.toString()));
        metadata.collector().collect();
        assertThat(Call.in("ns").call(() -> metadata.content().find(digest))).isEmpty();
      }
    }
  }

  @Test
  void closing_tells_those_that_come_too_late() {
    Metadata metadata = metadata(QUIET);
    metadata.close();
    metadata.close();
    assertThatThrownBy(() -> metadata.collector().collect())
        .isInstanceOf(UnavailableException.class);
  }

  @Test
  void the_defaults_are_containerds_and_nonsense_is_refused() {
    assertThat(GcOptions.DEFAULTS)
        .isEqualTo(new GcOptions(0.02, 0, 100, Duration.ZERO, Duration.ofMillis(100)));
    assertThat(new GcOptions(3, 0, 0, Duration.ZERO, Duration.ZERO).pauseThreshold())
        .isEqualTo(0.5);
    assertThat(new GcOptions(-1, 0, 0, Duration.ZERO, Duration.ZERO).pauseThreshold()).isZero();
    assertThatThrownBy(() -> new GcOptions(Double.NaN, 0, 0, Duration.ZERO, Duration.ZERO))
        .isInstanceOf(InvalidArgumentException.class);
    assertThatThrownBy(() -> new GcOptions(0.1, -1, 0, Duration.ZERO, Duration.ZERO))
        .isInstanceOf(InvalidArgumentException.class);
  }

  /** A snapshotter of which a method fails the first time. */
  private static Snapshotter failingOnce(Snapshotter real, String name, Throwable failure) {
    AtomicBoolean once = new AtomicBoolean();
    return (Snapshotter)
        Proxy.newProxyInstance(
            Snapshotter.class.getClassLoader(),
            new Class<?>[] {Snapshotter.class},
            (_, method, arguments) -> {
              if (method.getName().equals(name) && once.compareAndSet(false, true)) {
                throw failure;
              }
              return Call.in("backend").call(() -> invoke(real, method, arguments));
            });
  }

  private static Object invoke(Snapshotter real, Method method, Object[] arguments)
      throws Exception {
    try {
      return method.invoke(real, arguments);
    } catch (InvocationTargetException e) {
      throw e.getTargetException() instanceof RuntimeException known ? known : e;
    }
  }

  private Metadata metadata(Snapshotter backend) {
    return Metadata.open(
        store,
        new InMemoryContentStore(),
        Map.of("sn", backend),
        MetadataOptions.DEFAULTS.withGc(QUIET));
  }

  private static void awaitEmpty(Snapshotter real) {
    AtomicInteger left = new AtomicInteger();
    Soon.until(
        "nothing is left",
        () -> {
          left.set(0);
          Call.in("backend").run(() -> real.walk(Filter.ALL, _ -> left.incrementAndGet()));
          return left.get() == 0;
        });
  }

  @Test
  void what_cannot_be_removed_yet_is_tried_again_by_itself() {
    Snapshotter real = new InMemorySnapshotter();
    UnavailableException busy = new UnavailableException("in use");
    try (Metadata metadata = metadata(failingOnce(real, "remove", busy))) {
      Call.in("ns").run(() -> metadata.snapshotter("sn").prepare("key", "", Map.of()));
      Call.in("ns").run(() -> metadata.snapshotter("sn").remove("key"));
      awaitEmpty(real);
    }
  }

  @Test
  void an_orphan_that_a_failure_leaves_is_looked_for_without_another_change() {
    Snapshotter real = new InMemorySnapshotter();
    UnavailableException busy = new UnavailableException("in use");
    try (Metadata metadata = metadata(failingOnce(real, "remove", busy))) {
      metadata.collector().collect();
      assertThatThrownBy(
              () ->
                  Call.in("ns")
                      .withLease("nobody")
                      .run(() -> metadata.snapshotter("sn").prepare("key", "", Map.of())))
          .isInstanceOf(NotFoundException.class);
      awaitEmpty(real);
    }
  }

  @Test
  void a_run_that_finds_no_memory_is_not_the_last() {
    Error noMemory = new OutOfMemoryError("Java heap space");
    AtomicInteger cleaned = new AtomicInteger();
    Snapshotter counting =
        (Snapshotter)
            Proxy.newProxyInstance(
                Snapshotter.class.getClassLoader(),
                new Class<?>[] {Snapshotter.class},
                (_, method, arguments) -> {
                  if (method.getName().equals("cleanup")) {
                    cleaned.incrementAndGet();
                  }
                  return invoke(new InMemorySnapshotter(), method, arguments);
                });
    try (Metadata metadata = metadata(failingOnce(counting, "cleanup", noMemory))) {
      assertThatThrownBy(() -> metadata.collector().collect())
          .isInstanceOf(InternalException.class)
          .hasRootCause(noMemory);
      metadata.collector().collect();
      assertThat(metadata.collectorStats().succeeded()).isPositive();
      assertThat(cleaned).as("what the first one left is cleaned by the next").hasPositiveValue();
    }
  }

  private static List<String> leases(Metadata metadata) {
    return Call.in("ns").call(() -> metadata.leases().list(Filter.ALL)).stream()
        .map(Lease::id)
        .toList();
  }

  @Test
  void what_a_lease_kept_goes_when_its_time_is_over_although_nobody_changes_anything() {
    GcOptions options =
        new GcOptions(0.5, 0, 100, Duration.ZERO, Duration.ZERO, Duration.ofHours(1));
    try (Metadata metadata = metadata(options)) {
      String expire = Instant.now().plusSeconds(6).toString();
      Call.in("ns")
          .run(() -> metadata.leases().create("short", Map.of("containerd.io/gc.expire", expire)));
      Call.in("ns").run(() -> metadata.leases().create("long", Map.of()));
      metadata.collector().collect();
      assertThat(leases(metadata)).containsExactly("long", "short");
      awaitRuns(metadata, 2);
      assertThat(leases(metadata)).containsExactly("long");
    }
  }

  @Test
  void a_single_change_brings_a_run_after_a_rest() {
    GcOptions options =
        new GcOptions(0.5, 0, 100, Duration.ZERO, Duration.ZERO, Duration.ofMillis(1200));
    try (Metadata metadata = metadata(options)) {
      metadata.collector().collect();
      Call.in("ns").run(() -> metadata.leases().create("l", Map.of()));
      awaitRuns(metadata, 2);
    }
  }
}
