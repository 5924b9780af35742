package io.jcontainerd.crash.faults;

import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.ports.Files;
import io.jcontainerd.core.ports.Kernel;
import io.jcontainerd.crash.states.Scenarios;
import io.jcontainerd.crash.world.Inspector;
import io.jcontainerd.crash.world.World;
import io.jcontainerd.store.Store;
import io.jcontainerd.testkit.faults.Faults;
import io.jcontainerd.testkit.files.InMemoryFiles;
import io.jcontainerd.testkit.kernel.InMemoryKernel;
import io.jcontainerd.testkit.time.VirtualTime;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;

/**
 * Runs scenarios once for every call that they make of a port and every way in which it can fail.
 * After each failure: it was told clearly or did not matter; no file is left open and nothing is
 * mounted; what clients see is as it was before, or as it is when all went well; the same daemon
 * can do it again, and neither a collection nor a restart finds anything that is not recorded.
 */
public final class FaultRuns {
  private static final Duration LONG_AFTER = Duration.ofHours(50);
  private static final int MOST_FAULTS = 3;
  private static final int ENOUGH_FAILED = 20;

  private final Path scratch;
  private final int threads;
  private final AtomicInteger folders = new AtomicInteger();

  /**
   * What came of it.
   *
   * @param calls how many calls were made to fail
   * @param failed after how many of them something was wrong
   * @param lines about each scenario
   * @param faults in words, the first few
   */
  public record Result(int calls, int failed, List<String> lines, List<String> faults) {}

  /**
   * @param scratch for databases; best on a file system in memory
   * @param threads that work on scenarios
   */
  public FaultRuns(Path scratch, int threads) {
    this.scratch = scratch;
    this.threads = threads;
  }

  /** What came of one scenario. */
  private static final class Outcome {
    final List<String> faults = new ArrayList<>();
    String line = "";
    int calls;
    int failed;
  }

  /** Runs those whose name contains the text. */
  public Result run(String text) throws IOException, InterruptedException, ExecutionException {
    List<Future<Outcome>> outcomes = new ArrayList<>();
    try (ExecutorService workers = Executors.newFixedThreadPool(threads)) {
      for (FaultScenario scenario : FaultScenarios.all(scratch)) {
        if (scenario.name().contains(text)) {
          outcomes.add(workers.submit(() -> run(scenario)));
        }
      }
    }
    List<String> lines = new ArrayList<>();
    List<String> faults = new ArrayList<>();
    int calls = 0;
    int failed = 0;
    for (Future<Outcome> each : outcomes) {
      Outcome outcome = each.get();
      lines.add(outcome.line);
      faults.addAll(outcome.faults);
      calls += outcome.calls;
      failed += outcome.failed;
    }
    return new Result(calls, failed, lines, faults);
  }

  /** A world in memory and what stands between it and its ports. */
  private static final class Stage implements AutoCloseable {
    final InMemoryFiles files = new InMemoryFiles();
    final InMemoryKernel kernel = new InMemoryKernel(files);
    final VirtualTime time = new VirtualTime();
    final Path folder;
    Faults faults = Faults.none();
    World world;

    Stage(Path folder, FaultScenario scenario) throws Exception {
      this.folder = java.nio.file.Files.createDirectories(folder);
      world = open(Faults.none());
      boolean ready = false;
      try {
        scenario.before().in(world);
        ready = true;
      } finally {
        if (!ready) {
          close();
        }
      }
    }

    private World open(Faults watching) throws IOException {
      faults = watching;
      Store store = World.openStore(folder);
      return World.open(
          store,
          watching.watch(Files.class, files),
          watching.watch(Kernel.class, kernel),
          time,
          files);
    }

    void restart(Faults watching) throws IOException {
      world.kill();
      world = open(watching);
    }

    @Override
    public void close() throws IOException {
      world.close();
      try (Stream<Path> all = java.nio.file.Files.list(folder)) {
        for (Path file : all.filter(java.nio.file.Files::isRegularFile).toList()) {
          java.nio.file.Files.delete(file);
        }
      }
    }
  }

  private Stage stage(FaultScenario scenario) throws Exception {
    return new Stage(scratch.resolve("faults-" + folders.incrementAndGet()), scenario);
  }

  private Outcome run(FaultScenario scenario) throws Exception {
    boolean start = scenario.kind() == FaultScenario.Kind.START;
    List<String> calls;
    int first;
    Set<String> before;
    Set<String> done;
    try (Stage stage = stage(scenario)) {
      stage.restart(Faults.none());
      first = start ? 0 : stage.faults.calls().size();
      before = visible(stage.world);
      scenario.action().in(stage.world);
      calls = stage.faults.calls();
      done = visible(stage.world);
    }
    Outcome outcome = new Outcome();
    for (Failing failing : Failing.values()) {
      for (int n = first + 1; n <= calls.size(); n++) {
        String call = calls.get(n - 1);
        if (failing.concerns(call) && outcome.failed < ENOUGH_FAILED) {
          outcome.calls++;
          List<String> faults = faults(scenario, failing, n, calls, List.of(before, done));
          if (!faults.isEmpty() && ++outcome.failed <= MOST_FAULTS) {
            outcome.faults.add(
                "%s, %s at call %d, %s\n  %s"
                    .formatted(scenario, failing, n, call, String.join("\n  ", faults)));
          }
        }
      }
    }
    outcome.line =
        "%-62s %4d calls %5d failed in turn, %d wrong"
            .formatted(scenario, calls.size() - first, outcome.calls, outcome.failed);
    return outcome;
  }

  private List<String> faults(
      FaultScenario scenario,
      Failing failing,
      int number,
      List<String> calls,
      List<Set<String>> allowed)
      throws Exception {
    List<String> faults = new ArrayList<>();
    try (Stage stage = stage(scenario)) {
      try {
        stage.restart(failing.at(number, calls, stage.files));
        scenario.action().in(stage.world);
      } catch (ContainerdException e) {
        if (!failing.isClear(e)) {
          faults.add("told unclearly: " + trace(e));
        }
      } catch (IOException e) {
        if (scenario.kind() != FaultScenario.Kind.START) {
          throw e; // the assembly may pass on what it asks of the kernel, an engine may not
        }
      }
      if (stage.faults.calls().size() < number) {
        faults.add("the call did not come");
      }
      if (scenario.kind() == FaultScenario.Kind.START) {
        leaks(stage, "after a start that failed", faults);
        stage.restart(Faults.none());
      }
      if (scenario.kind() != FaultScenario.Kind.SEVERAL_CALLS
          && !allowed.contains(visible(stage.world))) {
        faults.add(
            "neither as before nor done: %s, allowed %s".formatted(visible(stage.world), allowed));
      }
      leaks(stage, "after the failure", faults);
      again(scenario, stage, faults);
    } catch (RuntimeException | Error | IOException e) {
      faults.add(trace(e));
    }
    return faults;
  }

  private static void again(FaultScenario scenario, Stage stage, List<String> faults)
      throws Exception {
    examine(stage.world, "after the failure", faults, false);
    stage.world.metadata().collector().collect();
    examine(stage.world, "after a collection", faults, true);
    scenario.action().in(stage.world);
    leaks(stage, "done again", faults);
    stage.restart(Faults.none());
    stage.time.advance(LONG_AFTER);
    stage.world.metadata().collector().collect();
    examine(stage.world, "after a restart", faults, true);
    leaks(stage, "after a restart", faults);
  }

  private static void leaks(Stage stage, String when, List<String> faults) {
    if (stage.files.openHandles() != 0) {
      faults.add(when + ": " + stage.files.openHandles() + " files are open");
    }
    if (!stage.kernel.mountTable().isEmpty()) {
      faults.add(when + ": mounted: " + stage.kernel.mountTable());
    }
  }

  private static void examine(World world, String when, List<String> faults, boolean tidy)
      throws IOException {
    Inspector inspector = new Inspector(world, Scenarios.IMAGES);
    inspector.whole();
    if (tidy) {
      inspector.tidy();
    }
    inspector.faults().forEach(fault -> faults.add(when + ": " + fault));
  }

  /** What clients can see, in words. */
  private static Set<String> visible(World world) {
    List<String> rows =
        world
            .store()
            .read(
                tx ->
                    tx.all(
                        "SELECT 'image ' || namespace || ' ' || name || ' ' || digest FROM images"
                            + " UNION SELECT 'blob ' || namespace || ' ' || digest || ' ' || labels"
                            + " FROM blobs"
                            + " UNION SELECT 'ingest ' || namespace || ' ' || ref FROM ingests"
                            + " UNION SELECT 'snapshot ' || namespace || ' ' || snapshotter || ' '"
                            + " || key || ' ' || kind || ' ' || parent FROM snapshots"
                            + " UNION SELECT 'container ' || namespace || ' ' || id FROM containers"
                            + " UNION SELECT 'lease ' || namespace || ' ' || id FROM leases",
                        row -> row.text(0)));
    return new TreeSet<>(rows);
  }

  private static String trace(Throwable e) {
    StringWriter trace = new StringWriter();
    e.printStackTrace(new PrintWriter(trace));
    return trace.toString();
  }
}
