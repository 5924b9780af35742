package io.jcontainerd.crash;

import io.jcontainerd.crash.faults.FaultRuns;
import io.jcontainerd.crash.states.CrashStates;
import io.jcontainerd.crash.states.MigrationStates;
import io.jcontainerd.crash.states.Scenario;
import io.jcontainerd.crash.states.Scenarios;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;

/** All that is tried, and the counts of it. */
public final class CrashSuite {
  private final Path scratch;
  private final int threads;
  private final Consumer<String> out;

  /**
   * The counts.
   *
   * @param states that were verified, each another one
   * @param calls that were made to fail, one at a time
   * @param failures after any of them
   */
  public record Counts(int states, int calls, int failures) {}

  /**
   * @param scratch an empty folder, best on a file system in memory
   * @param threads to work with
   * @param out gets lines for people
   */
  public CrashSuite(Path scratch, int threads, Consumer<String> out) {
    this.scratch = scratch;
    this.threads = threads;
    this.out = out;
  }

  /**
   * Runs everything.
   *
   * @param wanted how many states of crashes at least
   * @param only scenarios whose names contain this; empty for all
   */
  public Counts run(int wanted, String only) throws Exception {
    FaultRuns.Result calls = new FaultRuns(scratch, threads).run(only);
    tell(calls.lines(), calls.faults());
    CrashStates.Result migrations =
        only.isEmpty()
            ? new MigrationStates(scratch).run()
            : new CrashStates.Result(0, 0, List.of(), List.of());
    tell(migrations.lines(), migrations.faults());
    List<Scenario> scenarios =
        Scenarios.all().stream().filter(scenario -> scenario.name().contains(only)).toList();
    CrashStates.Result states =
        new CrashStates(scratch, threads).run(scenarios, wanted - migrations.states());
    tell(states.lines(), states.faults());
    return new Counts(
        states.states() + migrations.states(),
        calls.calls(),
        states.failed() + migrations.failed() + calls.failed());
  }

  private void tell(List<String> lines, List<String> faults) {
    lines.forEach(out);
    faults.forEach(fault -> out.accept("FAILED " + fault));
  }
}
