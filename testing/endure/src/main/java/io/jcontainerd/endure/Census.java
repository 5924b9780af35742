package io.jcontainerd.endure;

import io.jcontainerd.linux.MountInfo;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Everything of a daemon and its shim host that could become more with time, by kind, with how
 * often there is a thing of a name. Numbers in names of threads and of descriptors are left out,
 * for they differ each time.
 *
 * @param kinds by their names
 */
record Census(SortedMap<String, SortedMap<String, Integer>> kinds) {
  private static final Path CGROUPS = Path.of("/sys/fs/cgroup");
  private static final Path NAMESPACES = Path.of("/run/netns");

  /** Where OCI runtimes keep what they know, by namespace. */
  private static final Path OCI_STATE = Path.of("/run/containerd/runc");

  private static final Path PROC = Path.of("/proc");
  private static final int CGROUP_DEPTH = 3;
  private static final Pattern NAME = Pattern.compile("\"name\": \"([^\"]*)\"");

  /**
   * What virtual machines have more or fewer of as they please: carriers of virtual threads, which
   * are added while others wait inside the kernel, threads for who attaches and for the ends of
   * processes, which leave when they are idle, and open libraries. Likewise the daemon's readers of
   * its store, a pool that grows to its limit with the calls that happen to come at the same
   * moment, and the folder that a shim host makes when it first has to look after another's
   * runtime.
   */
  private static final Pattern AS_IT_PLEASES =
      Pattern.compile(
          "ForkJoinPool-.*|Attach Listener|process reaper.*|.*\\.(jar|aot|so|jsa)|.*/modules"
              + "|.*/store\\.db|.*/host-[^/]*/scratch");

  static final String PROCESSES = "processes";
  static final String MOUNTS = "mounts";
  static final String CGROUP = "cgroups";
  static final String NETWORKS = "network namespaces";
  static final String FILES = "files";

  /**
   * Counts.
   *
   * @param mark the namespace, which is in the path of each container's cgroup
   */
  static Census take(DaemonProcess daemon, String mark) throws IOException, InterruptedException {
    SortedMap<String, SortedMap<String, Integer>> kinds = new TreeMap<>();
    List<String> processes = new ArrayList<>();
    List<String> networks = new ArrayList<>();
    for (long pid : own(daemon, mark)) {
      processes.add(Processes.title(pid));
      link(PROC.resolve(pid + "/ns/net")).ifPresent(networks::add);
    }
    kinds.put(PROCESSES, counted(processes));
    List<MountInfo> mounts = new ArrayList<>(mounts(daemon.pid()));
    virtualMachine(kinds, "daemon", daemon.pid());
    List<Long> hosts = Processes.hosts(daemon.run());
    for (long host : hosts) {
      virtualMachine(kinds, "shim host", host);
      mounts.addAll(mounts(host));
    }
    kinds.put(
        MOUNTS,
        counted(
            mounts.stream()
                .map(MountInfo::mountPoint)
                .filter(
                    point ->
                        point.startsWith(daemon.run() + "/")
                            || point.startsWith(daemon.folder() + "/"))
                .toList()));
    kinds.put(CGROUP, counted(cgroups(mark)));
    for (Path named : entries(NAMESPACES)) {
      if (named.toString().contains(mark)) {
        networks.add(named.toString());
      }
    }
    kinds.put(NETWORKS, counted(networks.stream().distinct().toList()));
    List<String> files = new ArrayList<>(tree(daemon.root()));
    files.addAll(tree(daemon.run()));
    Path containers = OCI_STATE.resolve(mark);
    files.addAll(Files.exists(containers) ? tree(containers) : List.of());
    kinds.put(FILES, counted(files));
    return new Census(kinds);
  }

  private static void virtualMachine(
      SortedMap<String, SortedMap<String, Integer>> kinds, String who, long pid)
      throws IOException, InterruptedException {
    kinds.put(who + ": threads", counted(threads(pid)));
    kinds.put(who + ": descriptors", counted(descriptors(pid)));
  }

  private static SortedMap<String, Integer> counted(Collection<String> names) {
    SortedMap<String, Integer> counts = new TreeMap<>();
    for (String name : names) {
      if (!AS_IT_PLEASES.matcher(name).matches()) {
        counts.merge(name, 1, Integer::sum);
      }
    }
    return counts;
  }

  /** Processes that name a folder of the daemon, or are in a container of the run. */
  private static List<Long> own(DaemonProcess daemon, String mark) {
    long self = ProcessHandle.current().pid();
    return ProcessHandle.allProcesses()
        .map(ProcessHandle::pid)
        .filter(pid -> pid != self)
        .filter(
            pid -> {
              String line = Processes.commandLine(pid);
              boolean named =
                  line.contains(daemon.run() + "/") || line.contains(daemon.folder() + "/");
              return (named && !line.contains("io.jcontainerd.endure."))
                  || Processes.cgroups(pid).contains(mark);
            })
        .toList();
  }

  private static List<MountInfo> mounts(long pid) throws IOException {
    return MountInfo.read(PROC.resolve(pid + "/mountinfo"));
  }

  /** Of Java, virtual ones included, by a dump that the virtual machine writes. */
  private static List<String> threads(long pid) throws IOException, InterruptedException {
    Path dump = Files.createTempFile("endure-threads", ".json");
    try {
      String _ =
          LiveHeap.command(
              pid, "Thread.dump_to_file", "-overwrite", "-format=json", dump.toString());
      List<String> names = new ArrayList<>();
      Matcher name = NAME.matcher(Files.readString(dump));
      while (name.find()) {
        names.add(name.group(1).replaceAll("[0-9]+", "#"));
      }
      return names;
    } finally {
      Files.delete(dump);
    }
  }

  private static List<String> descriptors(long pid) throws IOException {
    List<String> names = new ArrayList<>();
    try (DirectoryStream<Path> all = Files.newDirectoryStream(PROC.resolve(pid + "/fd"))) {
      for (Path each : all) {
        link(each).ifPresent(target -> names.add(target.replaceAll(":\\[[0-9]+\\]", "")));
      }
    }
    return names;
  }

  private static Optional<String> link(Path link) throws IOException {
    try {
      return Optional.of(Files.readSymbolicLink(link).toString());
    } catch (NoSuchFileException _) {
      return Optional.empty(); // closed meanwhile, or its process ended
    }
  }

  private static List<String> cgroups(String mark) throws IOException {
    List<String> found = new ArrayList<>();
    collect(CGROUPS, mark, CGROUP_DEPTH, found);
    return found;
  }

  private static void collect(Path group, String mark, int depth, List<String> found)
      throws IOException {
    for (Path child : children(group)) {
      if (child.getFileName().toString().startsWith(mark)) {
        found.add(child.toString());
      } else if (depth > 1) {
        collect(child, mark, depth - 1, found);
      }
    }
  }

  private static List<Path> children(Path folder) throws IOException {
    return entries(folder).stream().filter(path -> Files.isDirectory(path)).toList();
  }

  private static List<Path> entries(Path folder) throws IOException {
    try (DirectoryStream<Path> all = Files.newDirectoryStream(folder)) {
      List<Path> found = new ArrayList<>();
      all.forEach(found::add);
      return List.copyOf(found);
    } catch (NoSuchFileException | NotDirectoryException _) {
      return List.of(); // others' groups come and go
    }
  }

  private static List<String> tree(Path top) throws IOException {
    try (Stream<Path> all = Files.walk(top)) {
      return all.map(Path::toString).toList();
    } catch (UncheckedIOException e) {
      if (e.getCause() instanceof NoSuchFileException) {
        return tree(top); // something is still being removed
      }
      throw e;
    }
  }

  /** How many there are of each kind. */
  int count(String kind) {
    return kinds.getOrDefault(kind, new TreeMap<>()).values().stream()
        .mapToInt(Integer::intValue)
        .sum();
  }

  /** What there is more of than before. */
  List<String> additionsSince(Census before) {
    return changesSince(before).stream().filter(change -> change.contains(": +")).toList();
  }

  /** What there was more or less of before. */
  List<String> changesSince(Census before) {
    List<String> changes = new ArrayList<>();
    var all = new TreeMap<>(before.kinds);
    all.putAll(kinds);
    for (String kind : all.keySet()) {
      SortedMap<String, Integer> now = kinds.getOrDefault(kind, new TreeMap<>());
      SortedMap<String, Integer> then = before.kinds.getOrDefault(kind, new TreeMap<>());
      var names = new TreeMap<>(then);
      names.putAll(now);
      for (String name : names.keySet()) {
        int more = now.getOrDefault(name, 0) - then.getOrDefault(name, 0);
        if (more != 0) {
          changes.add("%s: %+d %s".formatted(kind, more, name));
        }
      }
    }
    return changes;
  }
}
