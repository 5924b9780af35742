package io.jcontainerd.runtime.sandbox;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.jcontainerd.core.failure.UnknownException;
import io.jcontainerd.core.ports.Files;
import io.jcontainerd.core.ports.Kernel;
import io.jcontainerd.core.ports.Processes;
import io.jcontainerd.oci.runtime.LinuxNamespace;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Namespaces that live as long as a file does: {@code unshare(1)} makes them, mounts each on its
 * file, sets what is to be set inside them and ends. This process, which has many threads, cannot
 * change its own. Safe for many threads.
 */
final class NamespaceFiles {
  /** Writes each argument NAME=VALUE to /proc/sys/NAME, which shows the writer's namespaces. */
  private static final String SET =
      "for s; do printf %s \"${s#*=}\" > \"/proc/sys/${s%%=*}\" || exit 1; done";

  /** As OCI runtimes do in a network namespace that they make. Where ip(8) is, that is. */
  private static final String LOOPBACK_UP =
      "; if command -v ip > /dev/null; then ip link set lo up; fi";

  private static final Duration LIMIT = Duration.ofSeconds(30);
  private static final int MAX_OUTPUT = 64 << 10;

  private final Files files;
  private final Kernel kernel;
  private final Processes processes;

  NamespaceFiles(Files files, Kernel kernel, Processes processes) {
    this.files = files;
    this.kernel = kernel;
    this.processes = processes;
  }

  /** The name of a namespace's file, which is the kernel's below /proc/PID/ns. */
  static String name(String type) {
    return type.equals(LinuxNamespace.NETWORK) ? "net" : type;
  }

  /**
   * Makes the namespaces that have no path; after a failure the folder may hold some of them.
   *
   * @param folder where their files come; made here
   * @return all, each with its path
   */
  List<LinuxNamespace> make(Path folder, PodPlan plan) throws InterruptedException {
    List<LinuxNamespace> all = new ArrayList<>();
    List<String> command = new ArrayList<>(List.of("unshare"));
    String inside = SET;
    try {
      files.createDirectory(folder, 0711);
      for (LinuxNamespace namespace : plan.namespaces()) {
        if (namespace.path().isPresent()) {
          all.add(namespace);
        } else {
          Path file = folder.resolve(name(namespace.type()));
          files.open(file, Files.Open.CREATE_NEW, 0444).close();
          command.add("--" + name(namespace.type()) + "=" + file);
          all.add(new LinuxNamespace(namespace.type(), Optional.of(file.toString())));
          if (namespace.type().equals(LinuxNamespace.NETWORK)) {
            inside += LOOPBACK_UP;
          }
        }
      }
      if (command.size() > 1) {
        command.addAll(List.of("--", "sh", "-c", inside, "sh"));
        plan.sysctls().forEach((name, value) -> command.add(name + "=" + value));
        run(command);
      }
    } catch (IOException e) {
      throw new UnknownException("namespaces in " + folder + ": " + e.getMessage(), e);
    }
    return all;
  }

  private void run(List<String> command) throws IOException, InterruptedException {
    var spawn =
        new Processes.Spawn(
            command,
            Map.of("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
            Path.of("/"),
            new byte[0],
            true,
            true);
    Processes.Finished end = processes.run(spawn, LIMIT, MAX_OUTPUT);
    if (end.status() != 0) {
      throw new UnknownException(
          "unshare: " + new String(end.error(), UTF_8).strip() + ": exit status " + end.status());
    }
  }

  /** Ends the namespaces of a folder unless processes use them; no failure if there are none. */
  void remove(Path folder) {
    try {
      if (files.stat(folder).isPresent()) {
        for (String name : files.list(folder)) {
          kernel.detachAll(folder.resolve(name));
          files.delete(folder.resolve(name));
        }
        files.delete(folder);
      }
    } catch (IOException e) {
      throw new UnknownException("namespaces in " + folder + ": " + e.getMessage(), e);
    }
  }

  /** Whether every file of the folder holds a namespace. */
  boolean areWhole(Path folder) {
    try {
      if (files.stat(folder).isEmpty()) {
        return false;
      }
      Set<Path> mounted = new HashSet<>();
      kernel.mountTable().stream()
          .filter(m -> m.type().equals("nsfs"))
          .forEach(m -> mounted.add(m.mountPoint()));
      Path real = folder.toRealPath();
      return files.list(folder).stream().map(real::resolve).allMatch(mounted::contains);
    } catch (IOException e) {
      throw new UnknownException("namespaces in " + folder + ": " + e.getMessage(), e);
    }
  }
}
