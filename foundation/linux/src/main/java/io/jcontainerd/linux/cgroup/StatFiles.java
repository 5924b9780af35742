package io.jcontainerd.linux.cgroup;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/** Reading the small text files of a control group. A file that is not there reads as nothing. */
final class StatFiles {
  private static final String UNLIMITED = "max";

  private StatFiles() {}

  static List<String> lines(Path file) throws IOException {
    try {
      return Files.readAllLines(file);
    } catch (NoSuchFileException e) {
      return List.of();
    } catch (IOException e) {
      // ENODEV and EOPNOTSUPP: the controller is off or the group is being removed
      if (!Files.exists(file) || Files.isReadable(file)) {
        return List.of();
      }
      throw e;
    }
  }

  /** A single number; {@code max} is all ones. */
  static OptionalLong number(Path file) throws IOException {
    List<String> lines = lines(file);
    return lines.isEmpty() ? OptionalLong.empty() : OptionalLong.of(value(lines.getFirst()));
  }

  /** An unsigned number; {@code max} is all ones. */
  static long value(String text) {
    String bare = text.strip();
    if (bare.equals(UNLIMITED)) {
      return -1;
    }
    return bare.startsWith("-") ? Long.parseLong(bare) : Long.parseUnsignedLong(bare);
  }

  /** Lines of a key and a number. */
  static Map<String, Long> table(Path file) throws IOException {
    Map<String, Long> table = new LinkedHashMap<>();
    for (String line : lines(file)) {
      int space = line.indexOf(' ');
      if (space > 0) {
        table.put(line.substring(0, space), value(line.substring(space + 1)));
      }
    }
    return table;
  }
}
