package io.jcontainerd.shim;

import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.linux.cgroup.CgroupRemoval;
import io.jcontainerd.oci.json.JsonNumber;
import io.jcontainerd.oci.json.JsonObject;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * What an OCI runtime keeps of a container whose bundle is gone: a folder below its root, and the
 * control groups that are named in it. The runtime is asked to remove them; one that refuses,
 * because it wants something of the bundle, is done without.
 */
final class RuntimeRemains {
  private static final System.Logger LOG = System.getLogger(RuntimeRemains.class.getName());
  private static final Duration EMPTIES = Duration.ofSeconds(10);
  private static final Path CGROUPS = Path.of("/sys/fs/cgroup");

  private final HostServices host;

  RuntimeRemains(HostServices host) {
    this.host = host;
  }

  /**
   * Removes them.
   *
   * @throws IOException if something is left all the same
   */
  void remove(ContainerRecord record) throws IOException, InterruptedException {
    Path folder = record.options().root().resolve(record.id());
    if (!Files.isDirectory(folder)) {
      return;
    }
    Set<Path> groups = new LinkedHashSet<>();
    Optional<JsonObject> state = state(folder);
    if (state.isPresent()) {
      if (!isOf(state.get(), record)) {
        LOG.log(Level.WARNING, "{0} is of another container and left alone", folder);
        return;
      }
      groups.addAll(groups(state.get()));
    }
    Path scratch = host.store().scratch();
    try {
      host.runtime(record.options(), record.id(), scratch).delete(true);
    } catch (OciRuntimeException e) {
      LOG.log(Level.INFO, "container {0}, by hand: {1}", record.id(), e.getMessage());
    } finally {
      deleteTree(scratch);
    }
    for (Path group : groups) {
      if (!CgroupRemoval.remove(group, EMPTIES)) {
        throw new IOException("cgroup " + group + " of container " + record.id() + " is in use");
      }
    }
    deleteTree(folder);
  }

  /** What runc, or crun, has written down; empty if it is neither's. */
  private static Optional<JsonObject> state(Path folder) throws IOException {
    for (String name : List.of("state.json", "status")) {
      try {
        return Optional.of(JsonObject.parse(Files.readAllBytes(folder.resolve(name))));
      } catch (NoSuchFileException e) {
        LOG.log(Level.DEBUG, "no {0} in {1}", name, folder);
      } catch (ContainerdException e) {
        LOG.log(Level.WARNING, "state of a container in " + folder, e);
      }
    }
    return Optional.empty();
  }

  /** Whether it is about the process of the record, as far as both know one. */
  private static boolean isOf(JsonObject state, ContainerRecord record) {
    Optional<JsonNumber> pid = state.number("init_process_pid").or(() -> state.number("pid"));
    return pid.isEmpty()
        || record.init().identity().isEmpty()
        || pid.get().longValue() == record.init().identity().get().pid();
  }

  /** runc names folders, crun a path in every hierarchy. */
  private static List<Path> groups(JsonObject state) throws IOException {
    List<Path> found = new ArrayList<>();
    for (String folder : state.stringMap("cgroup_paths").values()) {
      Path path = Path.of(folder).normalize();
      if (path.startsWith(CGROUPS) && path.getNameCount() > CGROUPS.getNameCount() + 1) {
        found.add(path);
      }
    }
    Optional<String> path = state.string("cgroup-path").filter(p -> p.startsWith("/"));
    if (path.isPresent()) {
      found.addAll(CgroupRemoval.folders(path.get()));
    }
    return found;
  }

  private static void deleteTree(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) {
      return;
    }
    try (Stream<Path> tree = Files.walk(folder)) {
      for (Path path : tree.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(path);
      }
    }
  }
}
