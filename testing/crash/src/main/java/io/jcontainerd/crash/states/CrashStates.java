package io.jcontainerd.crash.states;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/** Enumerates the states of scenarios until there are enough, and verifies each of them. */
public final class CrashStates {
  private static final int MOST_FAULTS = 20;
  private static final int ENOUGH_FAILED = 100;
  private static final int PER_POINT = 16;
  private static final int MOST_ROUNDS = 100;

  private final Path scratch;
  private final int threads;
  private final List<Tally> tallies = new ArrayList<>();
  private final Set<String> seen = new HashSet<>();
  private final List<String> faults = new ArrayList<>();
  private final AtomicInteger failed = new AtomicInteger();

  /**
   * What came of it.
   *
   * @param states how many different ones were verified
   * @param failed how many states had any fault
   * @param lines about each scenario
   * @param faults in words, those of the first few states that had any
   */
  public record Result(int states, int failed, List<String> lines, List<String> faults) {}

  /**
   * @param scratch for databases; best on a file system in memory
   * @param threads that verify
   */
  public CrashStates(Path scratch, int threads) {
    this.scratch = scratch;
    this.threads = threads;
  }

  /** One scenario's count. */
  private static final class Tally {
    final Recorded recorded;
    final AtomicInteger states = new AtomicInteger();
    final AtomicInteger failed = new AtomicInteger();

    Tally(Recorded recorded) {
      this.recorded = recorded;
    }

    String line() {
      return "%-62s %4d steps %3d transactions %6d states %d failed"
          .formatted(
              recorded.scenario(),
              recorded.entries().size(),
              recorded.commits(),
              states.get(),
              failed.get());
    }
  }

  /**
   * Verifies every state that follows a rule, and then random ones until there are enough, or until
   * so many failed that more would tell nothing new.
   *
   * @param wanted different states in all; fewer if there are no more
   */
  public Result run(List<Scenario> scenarios, int wanted) throws IOException, InterruptedException {
    for (Scenario scenario : scenarios) {
      Path folder = Files.createDirectories(scratch.resolve("record-" + tallies.size()));
      tallies.add(new Tally(Recorded.of(scenario, folder)));
    }
    BlockingQueue<Path> folders = new ArrayBlockingQueue<>(threads);
    for (int i = 0; i < threads; i++) {
      folders.add(Files.createDirectories(scratch.resolve("verify-" + i)));
    }
    Semaphore places = new Semaphore(4 * threads);
    try (ExecutorService workers = Executors.newFixedThreadPool(threads)) {
      for (int round = 0; round <= MOST_ROUNDS && (round == 0 || seen.size() < wanted); round++) {
        round(round, wanted, state -> verify(state, folders, places, workers));
      }
    }
    return new Result(
        tallies.stream().mapToInt(tally -> tally.states.get()).sum(),
        tallies.stream().mapToInt(tally -> tally.failed.get()).sum(),
        tallies.stream().map(Tally::line).toList(),
        faults);
  }

  /** Takes a state to be verified. */
  @FunctionalInterface
  private interface Taker {
    void take(Job job) throws InterruptedException;
  }

  private record Job(State state, Tally tally) {}

  private void round(int round, int wanted, Taker taker) throws InterruptedException {
    AtomicBoolean interrupted = new AtomicBoolean();
    for (Tally tally : tallies) {
      new Enumeration(tally.recorded)
          .each(
              round == 0 ? 0 : PER_POINT,
              round,
              state -> {
                try {
                  if (seen.add(state.identity())) {
                    taker.take(new Job(state, tally));
                  }
                } catch (InterruptedException _) {
                  interrupted.set(true);
                }
                return !interrupted.get()
                    && failed.get() < ENOUGH_FAILED
                    && (round == 0 || seen.size() < wanted);
              });
      if (interrupted.get()) {
        throw new InterruptedException("enumeration of states");
      }
    }
  }

  private void verify(
      Job job, BlockingQueue<Path> folders, Semaphore places, ExecutorService workers)
      throws InterruptedException {
    places.acquire();
    var _ =
        workers.submit(
            () -> {
              try {
                Path folder = folders.take();
                try {
                  judge(job, new Verifier(folder).faults(job.state()));
                } finally {
                  folders.add(folder);
                }
                return true;
              } finally {
                places.release();
              }
            });
  }

  private void judge(Job job, List<String> found) {
    job.tally().states.incrementAndGet();
    if (found.isEmpty()) {
      return;
    }
    job.tally().failed.incrementAndGet();
    failed.incrementAndGet();
    synchronized (faults) {
      if (faults.size() < MOST_FAULTS) {
        faults.add(job.state().how().get() + "\n  " + String.join("\n  ", found));
      }
    }
  }
}
