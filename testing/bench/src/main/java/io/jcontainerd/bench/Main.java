package io.jcontainerd.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * Measures ours and the distribution's containerd in alternating runs.
 *
 * <p>Options: {@code --runs N} (20), {@code --idle N} containers at most in the memory part (100).
 *
 * <p>With {@code storage} as the first word, storage is measured instead: {@code --runs N} (10),
 * {@code --images N} (10000) of five blobs each, {@code --garbage N} blobs in each collection
 * (5000).
 *
 * <p>With {@code tasks} as the first word, the life of tasks is: {@code --runs N} (30) of each at
 * least, {@code --parallel} with some of 1,8,64, {@code --runtime} with some of runc,crun, {@code
 * --idle} with some of 0,10,100,300, {@code --execs N} (1000).
 *
 * <p>With {@code pull} as the first word, pulls are: {@code --runs N} (5), {@code --part}, {@code
 * --layers}, {@code --codec}, {@code --shape} and {@code --sizes} with some, separated by commas,
 * of pull,stages,sizes and 1,6,20 and gzip,zstd and none,1gbit and 100,1000,3000 (megabytes).
 */
public final class Main {
  /** Names a folder on the file system that is measured, if not that of temporary files. */
  private static final String WHERE = "JCONTAINERD_BENCH_FOLDER";

  /** Kept, for a logger that nobody keeps forgets its level: it warns on every connection. */
  private static final Logger BOOTSTRAP = Logger.getLogger("io.netty.bootstrap");

  private final Path top = Path.of(System.getProperty("bench.top"));
  private final Figures figures = new Figures();

  private Main() {}

  /** Measures and exits with status 1 if a target was missed. */
  public static void main(String[] words) throws IOException, InterruptedException {
    BOOTSTRAP.setLevel(Level.SEVERE);
    var main = new Main();
    main.measure(List.of(words));
    List<String> missed = main.figures.missed();
    System.out.println(missed.isEmpty() ? "all targets met" : "targets missed: " + missed);
    System.exit(missed.isEmpty() ? 0 : 1);
  }

  private interface Measurement {
    void in(Path folder) throws IOException, InterruptedException;
  }

  private void measure(List<String> words) throws IOException, InterruptedException {
    Measurement measurement = measurement(words);
    Path parent =
        Path.of(System.getenv().getOrDefault(WHERE, System.getProperty("java.io.tmpdir")));
    Path folder = Files.createTempDirectory(parent, "jcontainerd-bench-");
    try {
      measurement.in(folder);
    } finally {
      remove(folder);
    }
  }

  private Measurement measurement(List<String> words) {
    Path kept = top.resolve("target/bench");
    List<String> rest = words.isEmpty() ? words : words.subList(1, words.size());
    return switch (words.isEmpty() ? "" : words.getFirst()) {
      case "storage" -> {
        Map<String, Integer> numbers =
            numbers(rest, Map.of("--runs", 10, "--images", 10_000, "--garbage", 5_000));
        yield folder ->
            new StorageBench(
                    folder,
                    launcher(),
                    kept,
                    numbers.getOrDefault("--runs", 0),
                    numbers.getOrDefault("--images", 0),
                    numbers.getOrDefault("--garbage", 0),
                    figures)
                .run();
      }
      case "tasks" -> {
        TaskOptions options = TaskOptions.parse(rest);
        yield folder -> new TasksBench(folder, launcher(), options, figures).run();
      }
      case "pull" -> {
        PullOptions options = PullOptions.parse(rest);
        yield folder -> new PullBench(folder, launcher(), kept, options, figures).run();
      }
      default -> {
        Map<String, Integer> numbers = numbers(words, Map.of("--runs", 20, "--idle", 100));
        yield folder ->
            new Bench(
                    folder,
                    launcher(),
                    numbers.getOrDefault("--runs", 0),
                    numbers.getOrDefault("--idle", 0),
                    figures)
                .run();
      }
    };
  }

  /** Options with numbers. */
  private static Map<String, Integer> numbers(List<String> words, Map<String, Integer> usual) {
    Set<String> known = usual.keySet();
    Map<String, Integer> numbers = new HashMap<>(usual);
    for (int i = 0; i < words.size(); i += 2) {
      if (!known.contains(words.get(i))) {
        throw new IllegalArgumentException("unknown option " + words.get(i));
      }
      if (i + 1 == words.size()) {
        throw new IllegalArgumentException("option " + words.get(i) + " needs a value");
      }
      numbers.put(words.get(i), Integer.valueOf(words.get(i + 1)));
    }
    return numbers;
  }

  private static void remove(Path folder) throws IOException, InterruptedException {
    Commands.run(
        List.of(
            "sh",
            "-c",
            "awk -v f=\"$0/\" 'index($2, f) == 1 {print $2}' /proc/mounts | sort -r"
                + " | xargs -r umount -l; rm -rf \"$0\";"
                + " find /sys/fs/cgroup -mindepth 1 -depth -type d -name "
                + Subject.NAMESPACE
                + " -exec rmdir {} +",
            folder.toString()));
  }

  /** The packed distribution if there is one, else the checkout. */
  private Path launcher() throws IOException {
    Path dist = top.resolve("target/dist");
    if (Files.isDirectory(dist)) {
      try (var found = Files.find(dist, 3, (path, _) -> path.endsWith("bin/jcontainerd"))) {
        Optional<Path> packed = found.findFirst();
        if (packed.isPresent()) {
          return packed.get();
        }
      }
    }
    return top.resolve("target/bin/jcontainerd");
  }
}
