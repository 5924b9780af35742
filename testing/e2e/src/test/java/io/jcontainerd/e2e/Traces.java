package io.jcontainerd.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * What containers could leave behind on the machine: mounts, cgroups, network namespaces, and
 * processes. A scene's are told from others' by its folder, whose name is in the path of each mount
 * and in the name of each namespace, and so in the path of each container's cgroup.
 */
record Traces(Set<String> mounts, Set<String> cgroups, Set<String> networks) {
  /** A shim host whose daemon left with events under way waits for it for ten seconds. */
  private static final Duration LAST_PROCESS = Duration.ofMinutes(2);

  private static final Path CGROUPS = Path.of("/sys/fs/cgroup");

  /** The name of the container by which a daemon tries an OCI runtime. */
  private static final String PROBE = "jcontainerd-probe-";

  static Traces now(Path folder) {
    String name = folder.getFileName().toString();
    return new Traces(
        lines(line -> line.contains(name), "cat", "/proc/self/mounts"),
        lines(
            line -> line.contains(name) || line.contains(PROBE),
            "find",
            CGROUPS.toString(),
            "-type",
            "d"),
        lines(line -> line.contains(name), "ip", "netns", "list"));
  }

  /** The processes whose command line names the folder. */
  static List<ProcessHandle> processes(Path folder) {
    return ProcessHandle.allProcesses()
        .filter(p -> commandLine(p).contains(folder.toString()))
        .toList();
  }

  /** All of it; {@link ProcessHandle#info} keeps the first page only. Empty once it has ended. */
  static String commandLine(ProcessHandle process) {
    try {
      return Files.readString(
          Path.of("/proc/" + process.pid() + "/cmdline"), StandardCharsets.ISO_8859_1);
    } catch (IOException e) {
      return "";
    }
  }

  private static Set<String> lines(Predicate<String> ours, String... command) {
    return Command.run(command).lines().stream()
        .filter(ours)
        .collect(Collectors.toCollection(TreeSet::new));
  }

  /**
   * Waits for the end of the processes, the shim host's among them, which leaves when its daemon
   * has left and no container is left; then fails the test if anything is there that was not there
   * before. The cgroup of a namespace stays, as containerd's does, until somebody takes it away.
   */
  void assertNothingAdded(Path folder) {
    awaitNoProcess(folder);
    removeNamespaces(folder.getFileName().toString());
    Traces after = now(folder);
    assertThat(after.mounts).as("mounts").isEqualTo(mounts);
    assertThat(after.networks).as("network namespaces").isEqualTo(networks);
    assertThat(added(cgroups, after.cgroups)).as("cgroups left").isEmpty();
  }

  private static void awaitNoProcess(Path folder) {
    try {
      Await.until("no process", LAST_PROCESS, () -> processes(folder).isEmpty());
    } catch (AssertionError e) {
      String left =
          processes(folder).stream()
              .map(p -> p.pid() + " " + commandLine(p).replace('\0', ' '))
              .collect(Collectors.joining("\n"));
      throw new AssertionError("left within " + folder + ":\n" + left, e);
    }
  }

  private static Set<String> added(Set<String> before, Set<String> after) {
    Set<String> added = new TreeSet<>(after);
    added.removeAll(before);
    return added;
  }

  /** Removes the cgroups of namespaces as far as no container's is left in them. */
  private static void removeNamespaces(String name) {
    Set<String> found =
        lines(
            _ -> true,
            "find",
            CGROUPS.toString(),
            "-maxdepth",
            "2",
            "-type",
            "d",
            "-name",
            name + "*");
    for (String cgroup : found) {
      Await.until("no container's cgroup is left in " + cgroup, () -> isRemoved(Path.of(cgroup)));
    }
  }

  /** The kernel may take a process to be in it a moment longer. */
  private static boolean isRemoved(Path cgroup) {
    try {
      Files.deleteIfExists(cgroup);
      return true;
    } catch (IOException _) {
      return false; // it is in use, or a group is in it
    }
  }
}
