package io.jcontainerd.diff;

import io.jcontainerd.core.RawPath;
import io.jcontainerd.core.ports.FileStat;
import io.jcontainerd.linux.Directory;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/** Writes down everything about a tree that a layer can carry, so that two can be compared. */
final class Trees {
  private final SortedMap<String, String> lines = new TreeMap<>();
  private final Map<Long, String> firstNames = new HashMap<>();
  private final boolean times;

  private Trees(boolean times) {
    this.times = times;
  }

  /** One line per path, the root under {@code .}; times to the nanosecond. */
  static SortedMap<String, String> of(Path root) throws IOException {
    return of(root, true);
  }

  /** One line per path, without times. */
  static SortedMap<String, String> withoutTimes(Path root) throws IOException {
    return of(root, false);
  }

  private static SortedMap<String, String> of(Path root, boolean times) throws IOException {
    Trees trees = new Trees(times);
    try (Directory folder = Directory.open(root)) {
      trees.walk(folder, root, ".");
    }
    return trees.lines;
  }

  private void walk(Directory folder, Path here, String shown) throws IOException {
    lines.put(shown, line(folder, RawPath.EMPTY, folder.status(), shown, here));
    for (RawPath name : folder.names()) {
      FileStat stat = folder.status(name);
      String below = shown + "/" + name;
      if (stat.isDirectory()) {
        try (Directory child = folder.openChild(name)) {
          walk(child, here.resolve(name.toString()), below);
        }
      } else {
        lines.put(below, line(folder, name, stat, below, here.resolve(name.toString())));
      }
    }
  }

  private String line(Directory in, RawPath name, FileStat stat, String shown, Path path)
      throws IOException {
    StringBuilder line = new StringBuilder();
    line.append(stat.type()).append(' ').append(Integer.toOctalString(stat.mode()));
    line.append(' ').append(stat.uid()).append(':').append(stat.gid());
    switch (stat.type()) {
      case REGULAR -> {
        byte[] bytes = java.nio.file.Files.readAllBytes(path);
        line.append(' ').append(bytes.length).append('#').append(java.util.Arrays.hashCode(bytes));
      }
      case SYMLINK -> line.append(" -> ").append(in.readSymlink(name));
      case CHARACTER_DEVICE, BLOCK_DEVICE -> line.append(" dev ").append(stat.rdev());
      case DIRECTORY, FIFO, SOCKET -> {}
    }
    if (times) {
      line.append(' ').append(stat.modified());
    }
    if (!stat.isDirectory() && stat.links() > 1) {
      String first = firstNames.putIfAbsent(stat.inode(), shown);
      line.append(" links ").append(stat.links());
      line.append(" with ").append(first == null ? shown : first);
    }
    for (RawPath attribute : in.attributes(name)) {
      byte[] value = in.attribute(name, attribute).orElseThrow();
      line.append(' ').append(attribute).append('=').append(HexFormat.of().formatHex(value));
    }
    return line.toString();
  }
}
