package io.jcontainerd.linux.cgroup;

import io.jcontainerd.linux.process.Signals;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/** Removes control groups whose owner is gone. */
public final class CgroupRemoval {
  private static final System.Logger LOG = System.getLogger(CgroupRemoval.class.getName());
  private static final Duration PAUSE = Duration.ofMillis(10);

  private CgroupRemoval() {}

  /**
   * The folders of a group, in every hierarchy that has it.
   *
   * @param group absolute, as seen from the hierarchies' roots
   */
  public static List<Path> folders(String group) throws IOException {
    if (Path.of(group).normalize().getNameCount() == 0) {
      return List.of(); // the root is nobody's own
    }
    CgroupMounts mounts = CgroupMounts.read();
    Set<Path> folders = new LinkedHashSet<>();
    mounts.controllers().values().forEach(mount -> mount.folder(group).ifPresent(folders::add));
    mounts.unified().flatMap(mount -> mount.folder(group)).ifPresent(folders::add);
    return folders.stream().filter(CgroupRemoval::isGroup).toList();
  }

  /** The groups right below the root of every hierarchy whose names begin like that. */
  public static List<Path> named(String prefix) throws IOException {
    CgroupMounts mounts = CgroupMounts.read();
    Set<Path> points = new LinkedHashSet<>();
    mounts.controllers().values().forEach(mount -> points.add(mount.point()));
    mounts.unified().ifPresent(mount -> points.add(mount.point()));
    List<Path> found = new ArrayList<>();
    for (Path point : points) {
      try (DirectoryStream<Path> groups = Files.newDirectoryStream(point, prefix + "*")) {
        groups.forEach(found::add);
      } catch (NoSuchFileException e) {
        LOG.log(Level.DEBUG, "another mount is over {0}", point);
      }
    }
    return found.stream().filter(CgroupRemoval::isGroup).toList();
  }

  private static boolean isGroup(Path folder) {
    return Files.exists(folder.resolve("cgroup.procs"));
  }

  /**
   * Removes a group that has no process, and those below it. Nothing happens to one in use.
   *
   * @return whether it is gone
   */
  public static boolean removeEmpty(Path folder) throws IOException {
    if (!isGroup(folder)) {
      return true;
    }
    if (!ContainerCgroup.processesBelow(folder).isEmpty()) {
      return false;
    }
    try {
      for (Path group : deepestFirst(folder)) {
        Files.deleteIfExists(group);
      }
      return true;
    } catch (IOException e) { // a process came in, or is still on its way out
      LOG.log(Level.DEBUG, "cgroup " + folder, e);
      return false;
    }
  }

  /**
   * Kills whatever is in a group or below it, and removes it.
   *
   * @return whether it is gone within the limit
   */
  public static boolean remove(Path folder, Duration limit)
      throws IOException, InterruptedException {
    long deadline = System.nanoTime() + limit.toNanos();
    while (!removeEmpty(folder)) {
      if (System.nanoTime() - deadline > 0) {
        return false;
      }
      for (int pid : ContainerCgroup.processesBelow(folder)) {
        if (pid > 0) { // else it is of a pid namespace that we cannot see
          var _ = Signals.send(pid, Signals.KILL);
        }
      }
      thaw(folder);
      Thread.sleep(PAUSE);
    }
    return true;
  }

  /** In version 1 the frozen do not die. */
  private static void thaw(Path folder) throws IOException {
    for (Path group : deepestFirst(folder)) {
      Path state = group.resolve("freezer.state");
      if (Files.exists(state)) {
        Files.writeString(state, "THAWED");
      }
    }
  }

  private static List<Path> deepestFirst(Path folder) throws IOException {
    List<Path> groups = new ArrayList<>(List.of(folder));
    for (int i = 0; i < groups.size(); i++) {
      try (Stream<Path> entries = Files.list(groups.get(i))) {
        entries.filter(Files::isDirectory).forEach(groups::add);
      } catch (NoSuchFileException e) {
        LOG.log(Level.DEBUG, "cgroup {0} went while it was looked at", groups.get(i));
      }
    }
    return groups.reversed();
  }
}
