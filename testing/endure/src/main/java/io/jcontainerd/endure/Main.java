package io.jcontainerd.endure;

import io.jcontainerd.client.Containerd;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.stream.Stream;

/**
 * {@code endure kill [N] [--packed] [--seed S] [--folder DIR]}, {@code endure power load|verify DIR
 * [--packed] [--ledger FILE]} and {@code endure stuck [--packed] [--folder DIR]}.
 */
final class Main {
  private static final Logger NETTY = Logger.getLogger("io.netty.bootstrap");
  private static final int KILLS = 500;

  private Main() {}

  /** Exits with 0 if all was as promised. */
  public static void main(String[] arguments) throws Exception {
    NETTY.setLevel(Level.SEVERE); // it warns of an option that unix sockets do not have
    List<String> words = new ArrayList<>(List.of(arguments));
    boolean packed = words.remove("--packed");
    Optional<String> seed = option(words, "--seed");
    Optional<String> folder = option(words, "--folder");
    Optional<String> ledger = option(words, "--ledger");
    boolean good;
    if (!words.isEmpty() && words.size() <= 2 && words.getFirst().equals("kill")) {
      int times = words.size() > 1 ? Integer.parseInt(words.get(1)) : KILLS;
      good =
          kill(
              program(packed),
              times,
              seed.map(Long::parseLong)
                  .orElseGet(() -> (long) ThreadLocalRandom.current().nextInt(1_000_000)),
              folder.map(Path::of));
    } else if (words.equals(List.of("stuck"))) {
      good = stuck(program(packed), folder.map(Path::of));
    } else if (words.size() == 3 && words.getFirst().equals("power")) {
      Path where = Path.of(words.get(2)).toAbsolutePath();
      good =
          power(
              program(packed),
              words.get(1),
              where,
              ledger.map(Path::of).orElse(where.resolve("ledger")));
    } else {
      System.err.println("usage: endure kill [N] [--packed] [--seed S] [--folder DIR]");
      System.err.println("       endure power load|verify DIR [--packed] [--ledger FILE]");
      System.err.println("       endure stuck [--packed] [--folder DIR]");
      System.exit(2);
      return;
    }
    System.out.flush();
    System.exit(good ? 0 : 1);
  }

  private static Optional<String> option(List<String> words, String name) {
    int at = words.indexOf(name);
    if (at < 0 || at + 1 >= words.size()) {
      return Optional.empty();
    }
    words.remove(at);
    return Optional.of(words.remove(at));
  }

  private static Path target() {
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
    PrintStream out = System.out;
    String name = "endure-" + ProcessHandle.current().pid();
    Path folder = wanted.map(Path::toAbsolutePath).orElseGet(() -> target().resolve(name));
    Files.createDirectories(folder);
    Path run = Path.of("/run/jcontainerd-" + name);
    DaemonProcess daemon = new DaemonProcess(program, folder, run);
    boolean good = false;
    try {
      good = new Kill(daemon, folder, seed, name, out).run(times);
    } finally {
      List<String> left = Ending.end(daemon, name);
      left.forEach(each -> out.println("  left behind: " + each));
      good &= left.isEmpty();
      if (good) {
        delete(folder);
      } else {
        out.println("kept: " + folder + "; again: ./dev kill " + times + " --seed " + seed);
      }
    }
    return good;
  }

  private static boolean stuck(Path program, Optional<Path> wanted)
      throws IOException, InterruptedException {
    String name = "stuck-" + ProcessHandle.current().pid();
    Path folder = wanted.map(Path::toAbsolutePath).orElseGet(() -> target().resolve(name));
    Files.createDirectories(folder);
    DaemonProcess daemon = new DaemonProcess(program, folder, Path.of("/run/jcontainerd-" + name));
    boolean good = false;
    try {
      Stuck.rootfs(folder);
      daemon.launch();
      Problems problems = new Problems();
      try (Containerd client = daemon.awaitReady()) {
        good = new Stuck(client, folder, name, ociRuntime(), problems, System.out).run();
      } finally {
        daemon.stop();
      }
    } finally {
      List<String> left = Ending.end(daemon, name);
      left.forEach(each -> System.out.println("  left behind: " + each));
      good &= left.isEmpty();
      if (good) {
        delete(folder);
      } else {
        System.out.println("kept: " + folder);
      }
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

  static void delete(Path folder) throws IOException {
    try (Stream<Path> tree = Files.walk(folder)) {
      for (Path path : tree.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(path);
      }
    }
  }
}
