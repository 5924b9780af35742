package io.jcontainerd.endure;

import io.jcontainerd.client.Containerd;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.stream.Stream;

/**
 * Ways to put a daemon to the test: it is killed under load, its power is cut, each stage of its
 * work hangs, it works for long.
 */
final class Main {
  private static final Logger NETTY = Logger.getLogger("io.netty.bootstrap");
  private static final int KILLS = 500;
  private static final int TASK_KILLS = 200;
  private static final int SOAK_CYCLES = 10_000;
  private static final int SOAK_EXECS = 100_000;
  private static final int SOAK_WORKERS = 8;

  private Main() {}

  /** Exits with 0 if all was as promised. */
  public static void main(String[] arguments) throws Exception {
    NETTY.setLevel(Level.SEVERE); // it warns of an option that unix sockets do not have
    boolean good;
    try {
      good = run(new ArrayList<>(List.of(arguments)));
    } catch (UsageException e) {
      System.err.println(e.getMessage());
      System.exit(2);
      return;
    }
    System.out.flush();
    System.exit(good ? 0 : 1);
  }

  private static boolean run(List<String> words)
      throws UsageException, IOException, InterruptedException {
    boolean packed = words.remove("--packed");
    long seed =
        option(words, "--seed")
            .map(Long::parseLong)
            .orElseGet(() -> (long) ThreadLocalRandom.current().nextInt(1_000_000));
    Optional<Path> folder = option(words, "--folder").map(Path::of);
    Optional<Path> ledger = option(words, "--ledger").map(Path::of);
    if (words.isEmpty()) {
      throw new UsageException();
    }
    String command = words.removeFirst();
    return switch (command) {
      case "kill" -> {
        boolean tasks = words.remove("tasks");
        int usual = tasks ? TASK_KILLS : KILLS;
        int times = words.isEmpty() ? usual : Integer.parseInt(words.removeFirst());
        noMore(words);
        yield tasks
            ? killTasks(program(packed), times, seed, folder)
            : kill(program(packed), times, seed, folder);
      }
      case "soak" -> soak(program(packed), words, seed, folder);
      case "stuck" -> {
        Duration promised =
            option(words, "--within")
                .map(seconds -> Duration.ofSeconds(Long.parseLong(seconds)))
                .orElse(Stuck.PROMISED);
        noMore(words);
        yield stuck(program(packed), folder, promised);
      }
      case "power" -> {
        if (words.size() != 2) {
          throw new UsageException();
        }
        Path where = Path.of(words.get(1)).toAbsolutePath();
        yield power(
            program(packed), words.getFirst(), where, ledger.orElse(where.resolve("ledger")));
      }
      default -> throw new UsageException();
    };
  }

  /** Nobody can make sense of the words. */
  private static final class UsageException extends Exception {
    private static final long serialVersionUID = 1;

    @Override
    public String getMessage() {
      return """
          usage: endure kill [tasks] [N] [--packed] [--seed S] [--folder DIR]
                 endure power load|verify DIR [--packed] [--ledger FILE]
                 endure stuck [--within SECONDS] [--packed] [--folder DIR]
                 endure soak [--cycles N] [--execs N] [--workers N] [--minutes M]
                        [--runtime crun|runc] [--packed] [--seed S] [--folder DIR]""";
    }
  }

  private static void noMore(List<String> words) throws UsageException {
    if (!words.isEmpty()) {
      throw new UsageException();
    }
  }

  private static int number(List<String> words, String name, int otherwise) {
    return option(words, name).map(Integer::valueOf).orElse(otherwise);
  }

  private static Optional<String> option(List<String> words, String name) {
    int at = words.indexOf(name);
    if (at < 0 || at + 1 >= words.size()) {
      return Optional.empty();
    }
    words.remove(at);
    return Optional.of(words.remove(at));
  }

  static Path target() {
    return Path.of(System.getProperty("jcontainerd.checkout", ""))
        .toAbsolutePath()
        .resolve("target");
  }

  /** The daemon that runs from the checkout, or the packed one, which starts quicker. */
  private static Path program(boolean packed) throws IOException {
    if (!packed) {
      return target().resolve("bin/jcontainerd");
    }
    try (Stream<Path> found =
        Files.find(target().resolve("dist"), 3, (path, _) -> path.endsWith("bin/jcontainerd"))) {
      return found.findFirst().orElseThrow(() -> new IOException("no distribution is packed"));
    }
  }

  private static boolean kill(Path program, int times, long seed, Optional<Path> wanted)
      throws IOException, InterruptedException {
    Ground ground = Ground.open(program, "endure", wanted, "");
    boolean good = false;
    try {
      good = new Kill(ground.daemon(), ground.folder(), seed, ground.name(), System.out).run(times);
    } finally {
      good = ground.leave(good, "./dev kill " + times + " --seed " + seed, System.out);
    }
    return good;
  }

  private static boolean killTasks(Path program, int times, long seed, Optional<Path> wanted)
      throws IOException, InterruptedException {
    Ground ground = Ground.open(program, "kills", wanted, "");
    boolean good = false;
    try {
      good = new TaskKills(ground.daemon(), ground.name(), seed, System.out).run(times);
    } finally {
      good = ground.leave(good, "./dev kill tasks " + times + " --seed " + seed, System.out);
    }
    return good;
  }

  private static boolean soak(Path program, List<String> words, long seed, Optional<Path> wanted)
      throws UsageException, IOException, InterruptedException {
    String ociRuntime = option(words, "--runtime").orElse("");
    Optional<Double> minutes = option(words, "--minutes").map(Double::valueOf);
    Soak.Size size =
        new Soak.Size(
            number(words, "--cycles", SOAK_CYCLES),
            number(words, "--execs", SOAK_EXECS),
            number(words, "--workers", SOAK_WORKERS),
            minutes.map(m -> Duration.ofMillis((long) (m * 60_000))).orElse(Duration.ofDays(1)));
    noMore(words);
    Ground ground = Ground.open(program, "soak", wanted, ociRuntime);
    boolean good = false;
    try {
      good = new Soak(ground.daemon(), ground.name(), ociRuntime, size, seed, System.out).run();
    } finally {
      good = ground.leave(good, "./dev soak --seed " + seed, System.out);
    }
    return good;
  }

  private static boolean stuck(Path program, Optional<Path> wanted, Duration promised)
      throws IOException, InterruptedException {
    Ground ground = Ground.open(program, "stuck", wanted, "");
    DaemonProcess daemon = ground.daemon();
    boolean good = false;
    try {
      Stuck.rootfs(ground.folder());
      daemon.launch();
      Problems problems = new Problems();
      try (Containerd client = daemon.awaitReady()) {
        good =
            new Stuck(
                    client,
                    ground.folder(),
                    ground.name(),
                    ociRuntime(),
                    problems,
                    promised,
                    System.out)
                .run();
      } finally {
        daemon.stop();
      }
    } finally {
      good = ground.leave(good, "./dev stuck", System.out);
    }
    return good;
  }

  /** The one that fits most machines; with two cgroup hierarchies crun refuses to work. */
  private static Path ociRuntime() throws IOException {
    for (String name : List.of("/usr/sbin/runc", "/usr/bin/runc", "/usr/bin/crun")) {
      if (Files.isExecutable(Path.of(name))) {
        return Path.of(name);
      }
    }
    throw new IOException("there is neither runc nor crun");
  }

  private static boolean power(Path program, String half, Path folder, Path ledger)
      throws IOException, InterruptedException {
    Files.createDirectories(folder);
    String name = HexFormat.of().toHexDigits(folder.hashCode());
    Path run = Path.of("/run/jcontainerd-endure-" + name);
    Power power = new Power(new DaemonProcess(program, folder, run), ledger, System.out);
    return switch (half) {
      case "load" -> power.load();
      case "verify" -> power.verify();
      default -> throw new IllegalArgumentException("neither load nor verify: " + half);
    };
  }
}
