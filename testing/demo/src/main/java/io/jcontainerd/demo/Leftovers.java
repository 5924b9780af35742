package io.jcontainerd.demo;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What a run may leave on the machine, told from what was there by its folders and its name: other
 * things may come and go meanwhile.
 */
final class Leftovers {
  private static final Path CGROUPS = Path.of("/sys/fs/cgroup");
  private static final Path NETNS = Path.of("/run/netns");
  private static final List<Path> OUTSIDE =
      List.of(Path.of("/run"), Path.of("/tmp"), Path.of("/var/tmp"), Path.of("/var/lib"));
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  /** What is left now. */
  record Found(
      List<String> processes,
      List<String> mounts,
      List<String> cgroups,
      List<String> networkNamespaces,
      List<String> files) {
    boolean isEmpty() {
      return processes.isEmpty()
          && mounts.isEmpty()
          && cgroups.isEmpty()
          && networkNamespaces.isEmpty()
          && files.isEmpty();
    }

    /** Each thing, in words. */
    List<String> all() {
      return Stream.of(processes, mounts, cgroups, networkNamespaces, files)
          .flatMap(List::stream)
          .toList();
    }

    @Override
    public String toString() {
      return "processes %d, mounts %d, cgroups %d, network namespaces %d, files outside %d"
          .formatted(
              processes.size(),
              mounts.size(),
              cgroups.size(),
              networkNamespaces.size(),
              files.size());
    }
  }

  private final List<String> marks;
  private final Path folder;
  private final Set<Path> netnsBefore;

  /**
   * @param folder of the run; what lies in it is no leftover
   * @param run the short folder of sockets and state
   * @param name that all cgroups and namespaces of the run carry
   */
  Leftovers(Path folder, Path run, String name) throws IOException {
    this.folder = folder;
    this.marks = List.of(folder.toString(), run.toString(), name);
    this.netnsBefore = new HashSet<>(list(NETNS));
  }

  /**
   * Looks once all has ended or patience has; the shim host takes a moment to leave.
   *
   * @param run removed when nobody uses it any more
   */
  Found settle(Path run) throws IOException, InterruptedException {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (!ended() && System.nanoTime() < deadline) {
      Thread.sleep(Duration.ofMillis(100));
    }
    if (ended()) {
      Trees.delete(run); // sockets and state: nobody uses them any more
    }
    return look();
  }

  private boolean ended() throws IOException {
    return processes().isEmpty() && mounts().isEmpty() && cgroups().isEmpty();
  }

  Found look() throws IOException {
    List<String> processes = new ArrayList<>();
    for (ProcessHandle process : processes()) {
      processes.add(process.pid() + " " + commandLine(process));
    }
    return new Found(processes, mounts(), cgroups(), networkNamespaces(), files());
  }

  /** Ends and removes what is there, from an earlier run or from this one's failure. */
  void clear() throws IOException, InterruptedException {
    for (ProcessHandle process : processes()) {
      process.destroy();
    }
    long deadline = System.nanoTime() + Duration.ofSeconds(5).toNanos();
    while (!processes().isEmpty() && System.nanoTime() < deadline) {
      Thread.sleep(Duration.ofMillis(50));
    }
    processes().forEach(ProcessHandle::destroyForcibly);
    for (String mount : mounts().reversed()) {
      Process umount = new ProcessBuilder("umount", "-l", mount).inheritIO().start();
      if (!umount.waitFor(10, TimeUnit.SECONDS)) {
        umount.destroyForcibly();
      }
    }
    for (String cgroup : cgroups().reversed()) {
      Files.deleteIfExists(Path.of(cgroup));
    }
    for (String file : files()) {
      Trees.delete(Path.of(file));
    }
  }

  private List<ProcessHandle> processes() {
    long own = ProcessHandle.current().pid();
    Set<Long> above = new HashSet<>(List.of(own));
    ProcessHandle.current().parent().ifPresent(p -> above.add(p.pid()));
    return ProcessHandle.allProcesses()
        .filter(p -> !above.contains(p.pid()))
        .filter(p -> isOurs(p))
        .toList();
  }

  /** By its program and a path of the run in its arguments, or by a cgroup of the run. */
  private boolean isOurs(ProcessHandle process) {
    return isInCgroup(process) || isOurProgram(arguments(process));
  }

  /**
   * Whether this is the command line of a program that a demonstration starts, on files of this
   * one's folders; whatever else is told the name of such a file, a pager or an editor, is not.
   */
  private boolean isOurProgram(List<String> arguments) {
    boolean started =
        arguments.contains("io.jcontainerd.daemon.Main")
            || arguments.contains("io.jcontainerd.shim.ShimHost")
            || (!arguments.isEmpty() && arguments.getFirst().endsWith("docker-registry"));
    return started
        && arguments.stream()
            .anyMatch(
                argument ->
                    argument.startsWith(folder + "/") || argument.startsWith(marks.get(1) + "/"));
  }

  private boolean isInCgroup(ProcessHandle process) {
    try {
      String cgroups = Files.readString(proc(process).resolve("cgroup"));
      return marks.stream().anyMatch(cgroups::contains);
    } catch (IOException _) {
      return false; // it has ended
    }
  }

  private static List<String> arguments(ProcessHandle process) {
    try {
      String line =
          new String(Files.readAllBytes(proc(process).resolve("cmdline")), StandardCharsets.UTF_8);
      return List.of(line.split("\0", -1));
    } catch (IOException _) {
      return List.of(); // it has ended
    }
  }

  private static Path proc(ProcessHandle process) {
    return Path.of("/proc", Long.toString(process.pid()));
  }

  private String commandLine(ProcessHandle process) {
    return String.join(" ", arguments(process))
        + (isInCgroup(process) ? "(in cgroup " + marks.getLast() + ")" : "");
  }

  private List<String> mounts() throws IOException {
    try (Stream<String> lines = Files.lines(Path.of("/proc/self/mountinfo"))) {
      return lines
          .map(line -> line.split(" ", -1)[4])
          .filter(point -> marks.stream().anyMatch(point::contains))
          .toList();
    }
  }

  private List<String> cgroups() throws IOException {
    List<String> found = new ArrayList<>();
    Files.walkFileTree(
        CGROUPS,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path dir, BasicFileAttributes attributes) {
            if (dir.toString().contains(marks.getLast())) {
              found.add(dir.toString());
            }
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFileFailed(Path file, IOException failure) {
            return FileVisitResult.CONTINUE; // cgroups of others come and go
          }

          @Override
          public FileVisitResult postVisitDirectory(Path dir, @Nullable IOException failure) {
            return FileVisitResult.CONTINUE; // likewise
          }
        });
    return found;
  }

  private List<String> networkNamespaces() throws IOException {
    return list(NETNS).stream()
        .filter(p -> !netnsBefore.contains(p) && p.toString().contains(marks.getLast()))
        .map(Path::toString)
        .toList();
  }

  private List<String> files() throws IOException {
    List<String> found = new ArrayList<>();
    for (Path top : OUTSIDE) {
      for (Path entry : list(top)) {
        boolean container = entry.getFileName().toString().contains("containerd");
        List<Path> candidates = new ArrayList<>(List.of(entry));
        if (container && Files.isDirectory(entry)) {
          for (Path inner : list(entry)) {
            candidates.add(inner);
            candidates.addAll(list(inner));
          }
        }
        candidates.stream()
            .filter(p -> !p.startsWith(folder) && p.toString().contains(marks.getLast()))
            .map(Path::toString)
            .forEach(found::add);
      }
    }
    return found;
  }

  private static List<Path> list(Path dir) throws IOException {
    if (!Files.isDirectory(dir)) {
      return List.of();
    }
    try (Stream<Path> entries = Files.list(dir)) {
      return entries.toList();
    } catch (NoSuchFileException | AccessDeniedException _) {
      return List.of();
    }
  }
}
