package io.jcontainerd.endure;

import io.jcontainerd.linux.process.ProcessIdentity;
import io.jcontainerd.linux.process.Signals;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;

/** Processes below a daemon that can be killed, found while they are young. For one thread. */
final class Victims {
  private static final Duration GLANCE = Duration.ofMillis(2);
  private static final Duration END = Duration.ofSeconds(10);

  private final Path run;

  /**
   * @param run the daemon's folder for what a reboot may take
   */
  Victims(Path run) {
    this.run = run;
  }

  /**
   * Kills the next command of an OCI runtime that begins.
   *
   * @param command of the runtime, such as {@code create}
   * @return whether there was one in time
   */
  boolean killRuntime(String command, Duration longest) throws IOException, InterruptedException {
    Optional<Integer> found =
        await(
            arguments ->
                arguments.contains("--root")
                    && arguments.contains("--log")
                    && arguments.contains(command)
                    && arguments.stream().anyMatch(word -> word.startsWith(run + "/")),
            longest);
    return found.isPresent() && Signals.send(found.get(), Signals.KILL);
  }

  /** Kills the shim hosts, and waits until they are gone; how many there were. */
  int killHosts() throws IOException, InterruptedException {
    int killed = 0;
    for (long host : Processes.hosts(run)) {
      killed += kill((int) host) ? 1 : 0;
    }
    return killed;
  }

  /**
   * Kills the next program that is started as a shim host, or its launcher before it has become
   * one.
   */
  boolean killStartingHost(Duration pause, Duration longest)
      throws IOException, InterruptedException {
    Optional<Integer> found =
        await(
            arguments ->
                arguments.stream().anyMatch(word -> word.contains("shim-host"))
                    && arguments.contains("--events"),
            longest);
    if (found.isEmpty()) {
      return false;
    }
    Thread.sleep(pause);
    return kill(found.get());
  }

  private static boolean kill(int pid) throws IOException, InterruptedException {
    Optional<ProcessIdentity> who = ProcessIdentity.of(pid);
    if (who.isEmpty() || !Signals.send(pid, Signals.KILL)) {
      return false;
    }
    long deadline = System.nanoTime() + END.toNanos();
    while (who.get().isRunning()) {
      if (System.nanoTime() > deadline) {
        throw new IOException("process " + pid + " does not end though it was killed");
      }
      Thread.sleep(GLANCE);
    }
    return true;
  }

  /** The next process to begin whose arguments are such, of this daemon. */
  private Optional<Integer> await(Predicate<List<String>> wanted, Duration longest)
      throws IOException, InterruptedException {
    Set<String> seen = new HashSet<>(numbers());
    long deadline = System.nanoTime() + longest.toNanos();
    while (System.nanoTime() < deadline) {
      for (String number : numbers()) {
        if (!seen.contains(number)) {
          List<String> arguments =
              List.of(Processes.commandLine(Long.parseLong(number)).split("\0", -1));
          if (arguments.stream().anyMatch(word -> word.startsWith(run + "/"))) {
            if (wanted.test(arguments)) {
              return Optional.of(Integer.valueOf(number));
            }
          }
        }
      }
      Thread.sleep(GLANCE);
    }
    return Optional.empty();
  }

  private static Set<String> numbers() throws IOException {
    Set<String> numbers = new HashSet<>();
    try (DirectoryStream<Path> all = Files.newDirectoryStream(Path.of("/proc"), "[0-9]*")) {
      all.forEach(path -> numbers.add(path.getFileName().toString()));
    }
    return numbers;
  }
}
