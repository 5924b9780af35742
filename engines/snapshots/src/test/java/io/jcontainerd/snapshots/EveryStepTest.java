package io.jcontainerd.snapshots;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.ResourceExhaustedException;
import io.jcontainerd.core.failure.UnknownException;
import io.jcontainerd.core.filter.Filter;
import io.jcontainerd.core.ports.Files;
import io.jcontainerd.core.ports.Kernel;
import io.jcontainerd.core.ports.NoSpaceException;
import io.jcontainerd.core.snapshots.Prepared;
import io.jcontainerd.core.snapshots.Snapshotter;
import io.jcontainerd.testkit.faults.Faults;
import io.jcontainerd.testkit.faults.SimulatedCrash;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Preparing, committing, removing and cleaning, with every file or kernel call failing in turn. */
@SuppressWarnings("NullAway.Init")
class EveryStepTest {
  @TempDir Path folder;

  /** A snapshotter to try, an action on it, and what must hold once it works again. */
  record Scenario(
      String name,
      boolean overlay,
      Consumer<Snapshotter> before,
      Consumer<Snapshotter> action,
      Consumer<Snapshotter> after) {
    @Override
    public String toString() {
      return (overlay ? "overlayfs " : "native ") + name;
    }

    Snapshotter open(Bench bench, Faults faults) {
      Environment environment =
          bench.environment(
              faults.watch(Files.class, bench.files), faults.watch(Kernel.class, bench.kernel));
      return overlay
          ? OverlaySnapshotter.open(
              Bench.ROOT,
              environment,
              Bench.SUPPORT,
              new OverlaySnapshotter.Options(java.util.List.of(), false, false, false))
          : NativeSnapshotter.open(Bench.ROOT, environment);
    }
  }

  private static void base(Snapshotter snapshotter) {
    Prepared _ = snapshotter.prepare("base-key", "", Map.of());
    snapshotter.commit("base", "base-key", Map.of(), "");
    snapshotter.makeDurable();
  }

  private static void active(Snapshotter snapshotter) {
    base(snapshotter);
    prepare(snapshotter);
  }

  private static void prepare(Snapshotter snapshotter) {
    Prepared _ =
        snapshotter.prepare(
            "key",
            "base",
            Map.of(
                IdMapping.UID_LABEL, "0:1000:10",
                IdMapping.GID_LABEL, "0:1000:10"));
  }

  private static void commit(Snapshotter snapshotter) {
    snapshotter.commit("name", "key", Map.of(), "");
  }

  private static void prepared(Snapshotter snapshotter) {
    try {
      prepare(snapshotter);
    } catch (AlreadyExistsException _) {
      // It had come that far.
    }
    assertThat(snapshotter.mounts("key")).isNotEmpty();
  }

  private static void committed(Snapshotter snapshotter) {
    try {
      commit(snapshotter);
    } catch (NotFoundException | AlreadyExistsException _) {
      // It had come that far.
    }
    assertThat(snapshotter.stat("name").parent()).isEqualTo("base");
    assertThat(snapshotter.usage("name").inodes()).isPositive();
  }

  private static void removed(Snapshotter snapshotter) {
    try {
      snapshotter.remove("key");
    } catch (NotFoundException _) {
      // It had come that far.
    }
    assertThatThrownBy(() -> snapshotter.stat("key")).isInstanceOf(NotFoundException.class);
  }

  private static void cleaned(Snapshotter snapshotter) {
    snapshotter.cleanup();
    assertThatThrownBy(() -> snapshotter.stat("key")).isInstanceOf(NotFoundException.class);
  }

  static Stream<Scenario> scenarios() {
    return Stream.of(true, false)
        .flatMap(
            overlay ->
                Stream.of(
                    new Scenario(
                        "prepare",
                        overlay,
                        EveryStepTest::base,
                        EveryStepTest::prepare,
                        EveryStepTest::prepared),
                    new Scenario(
                        "commit",
                        overlay,
                        EveryStepTest::active,
                        EveryStepTest::commit,
                        EveryStepTest::committed),
                    new Scenario(
                        "remove",
                        overlay,
                        EveryStepTest::active,
                        snapshotter -> snapshotter.remove("key"),
                        EveryStepTest::removed),
                    new Scenario(
                        "cleanup",
                        overlay,
                        snapshotter -> {
                          active(snapshotter);
                          snapshotter.remove("key");
                        },
                        Snapshotter::cleanup,
                        EveryStepTest::cleaned)));
  }

  private Bench bench(Scenario scenario, int number) throws Exception {
    Path own = java.nio.file.Files.createDirectory(folder.resolve("run-" + number));
    var bench = new Bench(own);
    scenario.before().accept(scenario.open(bench, Faults.none()));
    return bench;
  }

  private int calls(Scenario scenario) throws Exception {
    try (Bench bench = bench(scenario, 0)) {
      Faults faults = Faults.none();
      scenario.action().accept(scenario.open(bench, faults));
      assertThat(faults.calls()).isNotEmpty();
      return faults.calls().size();
    }
  }

  /** After a clean-up, every record has its folder and every folder its record. */
  private static void tidy(Bench bench, Snapshotter snapshotter) throws Exception {
    snapshotter.cleanup();
    var names = new java.util.ArrayList<String>();
    snapshotter.walk(Filter.ALL, info -> names.add(info.name()));
    assertThat(bench.files.list(Bench.ROOT.resolve("snapshots"))).hasSameSizeAs(names);
    assertThat(bench.files.openHandles()).isZero();
    assertThat(bench.kernel.mountTable()).isEmpty();
  }

  @ParameterizedTest
  @MethodSource("scenarios")
  void a_failure_at_any_step_leaves_it_as_before_or_done(Scenario scenario) throws Exception {
    int calls = calls(scenario);
    for (boolean full : new boolean[] {true, false}) {
      for (int n = 1; n <= calls; n++) {
        try (Bench bench = bench(scenario, full ? n : calls + n)) {
          Faults faults =
              Faults.failing(
                  n,
                  _ ->
                      full
                          ? new NoSpaceException("a file")
                          : new FileSystemException("a file", null, "input/output error"));
          try {
            scenario.action().accept(scenario.open(bench, faults));
          } catch (ContainerdException e) {
            assertThat(e)
                .as("failure at %s", faults.calls())
                .isInstanceOf(full ? ResourceExhaustedException.class : UnknownException.class);
            assertThat(e.getMessage())
                .matches("(snapshot \"key\"|snapshotter (overlayfs|native)): .+: .+");
          }
          assertThat(faults.struck()).isTrue();
          Snapshotter again = scenario.open(bench, Faults.none());
          scenario.after().accept(again);
          tidy(bench, again);
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("scenarios")
  void death_at_any_step_leaves_it_as_before_or_done(Scenario scenario) throws Exception {
    int calls = calls(scenario);
    for (int n = 1; n <= calls; n++) {
      try (Bench bench = bench(scenario, n)) {
        Faults faults = Faults.crashing(n);
        assertThatThrownBy(() -> scenario.action().accept(scenario.open(bench, faults)))
            .isInstanceOf(SimulatedCrash.class);
        Snapshotter again = scenario.open(bench, Faults.none());
        scenario.after().accept(again);
        tidy(bench, again);
      }
    }
  }
}
