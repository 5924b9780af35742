package io.jcontainerd.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * What containers could leave behind on the machine: mounts, cgroups, network namespaces, and
 * processes whose command line names a folder.
 */
record Traces(
    Set<String> mounts, Set<String> cgroups, Set<String> networks, Set<String> processes) {

  static Traces now(String folder) {
    return new Traces(
        lines("cat", "/proc/self/mounts"),
        lines("find", "/sys/fs/cgroup", "-type", "d"),
        lines("ip", "netns", "list"),
        ProcessHandle.allProcesses()
            .filter(p -> p.info().commandLine().orElse("").contains(folder))
            .map(p -> p.pid() + " " + p.info().commandLine().orElse(""))
            .collect(Collectors.toCollection(TreeSet::new)));
  }

  private static Set<String> lines(String... command) {
    return new TreeSet<>(Command.run(command).lines());
  }

  /** Fails the test if anything is there that was not there before. */
  void assertNothingAdded(String folder) {
    Await.until(
        "no process of " + folder + ": " + now(folder).processes(),
        () -> now(folder).processes().isEmpty());
    Traces after = now(folder);
    assertThat(added(mounts, after.mounts, folder)).as("mounts left").isEmpty();
    assertThat(added(networks, after.networks, folder)).as("network namespaces left").isEmpty();
  }

  private static Set<String> added(Set<String> before, Set<String> after, String folder) {
    return after.stream()
        .filter(line -> !before.contains(line) && line.contains(folder))
        .collect(Collectors.toCollection(TreeSet::new));
  }
}
