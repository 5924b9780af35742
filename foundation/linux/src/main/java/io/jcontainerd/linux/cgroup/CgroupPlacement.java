package io.jcontainerd.linux.cgroup;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashSet;
import java.util.Set;

/** Puts processes into control groups that somebody else has made. */
public final class CgroupPlacement {
  private CgroupPlacement() {}

  /**
   * Moves a process into the group of that path, in every hierarchy that has it. On a host with
   * both versions those of version 1 count.
   *
   * @param group absolute, as seen from the hierarchies' roots
   * @throws NoSuchFileException if no hierarchy has it
   */
  public static void place(String group, int pid) throws IOException {
    CgroupMounts mounts = CgroupMounts.read();
    Set<Path> folders = new LinkedHashSet<>();
    mounts.controllers().values().forEach(mount -> mount.folder(group).ifPresent(folders::add));
    if (folders.isEmpty()) {
      mounts.unified().flatMap(mount -> mount.folder(group)).ifPresent(folders::add);
    }
    folders.removeIf(folder -> !Files.exists(folder.resolve("cgroup.procs")));
    if (folders.isEmpty()) {
      throw new NoSuchFileException("cgroup " + group);
    }
    for (Path folder : folders) {
      Files.writeString(
          folder.resolve("cgroup.procs"), Integer.toString(pid), StandardOpenOption.WRITE);
    }
  }
}
