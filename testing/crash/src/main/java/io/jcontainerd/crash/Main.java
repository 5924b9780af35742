package io.jcontainerd.crash;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.logging.LogManager;
import java.util.stream.Stream;

/** {@code ./dev crash}: tries crashes and failing calls, prints counts, fails if any failed. */
public final class Main {
  private static final int STATES = 20_000;
  private static final int STATES_OF_LONG = 100_000;
  private static final Path MEMORY = Path.of("/dev/shm");

  private Main() {}

  /**
   * Runs.
   *
   * @param arguments {@code --long} for more states, {@code --only TEXT} for some scenarios, {@code
   *     --states N}
   */
  public static void main(String[] arguments) throws Exception {
    int states = STATES;
    String only = "";
    List<String> given = List.of(arguments);
    for (int i = 0; i < given.size(); i++) {
      switch (given.get(i)) {
        case "--long" -> states = STATES_OF_LONG;
        case "--only" -> only = given.get(++i);
        case "--states" -> states = Integer.parseInt(given.get(++i));
        default -> {
          System.err.println("usage: crash [--long] [--states N] [--only TEXT]");
          System.exit(2);
        }
      }
    }
    System.exit(run(states, only) ? 0 : 1);
  }

  private static boolean run(int wanted, String only) throws Exception {
    LogManager.getLogManager().reset(); // what goes wrong here goes wrong on purpose
    Path scratch = scratch();
    long began = System.nanoTime();
    try {
      CrashSuite.Counts counts =
          new CrashSuite(scratch, Runtime.getRuntime().availableProcessors(), System.out::println)
              .run(wanted, only);
      System.out.printf(
          "%d states enumerated, %d calls failed, failures: %d, in %d s%n",
          counts.states(),
          counts.calls(),
          counts.failures(),
          Duration.ofNanos(System.nanoTime() - began).toSeconds());
      boolean enough = !only.isEmpty() || counts.states() >= wanted;
      if (!enough) {
        System.out.printf("there should be %d states%n", wanted);
      }
      return enough && counts.failures() == 0;
    } finally {
      remove(scratch);
    }
  }

  /** A folder for databases, in memory where there is such a place. */
  public static Path scratch() throws IOException {
    return Files.isWritable(MEMORY)
        ? Files.createTempDirectory(MEMORY, "jcontainerd-crash")
        : Files.createTempDirectory("jcontainerd-crash");
  }

  /** Removes a folder with all that is in it. */
  public static void remove(Path folder) throws IOException {
    try (Stream<Path> tree = Files.walk(folder)) {
      tree.sorted(Comparator.reverseOrder())
          .forEach(
              path -> {
                try {
                  Files.delete(path);
                } catch (IOException e) {
                  throw new UncheckedIOException(e);
                }
              });
    }
  }
}
