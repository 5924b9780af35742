package io.jcontainerd.linux;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * One line of {@code /proc/PID/mountinfo} (proc_pid_mountinfo(5)), escapes resolved.
 *
 * @param id of the mount
 * @param parent id of the mount that it sits on
 * @param device {@code major:minor} of the file system
 * @param root the folder of the file system that is shown
 * @param mountPoint where it is shown
 * @param options of this mount
 * @param propagation such as {@code shared:2}; empty for a private mount
 * @param type of the file system
 * @param source what was mounted
 * @param superOptions of the file system
 */
public record MountInfo(
    int id,
    int parent,
    String device,
    String root,
    String mountPoint,
    List<String> options,
    List<String> propagation,
    String type,
    String source,
    List<String> superOptions) {

  /** Copies the lists. */
  public MountInfo {
    options = List.copyOf(options);
    propagation = List.copyOf(propagation);
    superOptions = List.copyOf(superOptions);
  }

  /** The mount table of this process, in the kernel's order. */
  public static List<MountInfo> read() throws IOException {
    return read(Path.of("/proc/self/mountinfo"));
  }

  /** The mount table in the file. */
  public static List<MountInfo> read(Path file) throws IOException {
    List<MountInfo> table = new ArrayList<>();
    for (String line :
        new String(Files.readAllBytes(file), StandardCharsets.UTF_8).split("\n", -1)) {
      if (!line.isEmpty()) {
        table.add(parse(line));
      }
    }
    return table;
  }

  /**
   * Reads one line.
   *
   * @throws IOException if it is not of the documented form
   */
  public static MountInfo parse(String line) throws IOException {
    String[] fields = line.split(" ", -1);
    int dash = Arrays.asList(fields).indexOf("-");
    if (dash < 6 || fields.length < dash + 4) {
      throw new IOException("mountinfo line of an unknown form: " + line);
    }
    try {
      return new MountInfo(
          Integer.parseInt(fields[0]),
          Integer.parseInt(fields[1]),
          fields[2],
          unescape(fields[3]),
          unescape(fields[4]),
          List.of(fields[5].split(",", -1)),
          Arrays.asList(fields).subList(6, dash),
          unescape(fields[dash + 1]),
          unescape(fields[dash + 2]),
          List.of(unescape(fields[dash + 3]).split(",", -1)));
    } catch (NumberFormatException e) {
      throw new IOException("mountinfo line of an unknown form: " + line, e);
    }
  }

  /** The kernel writes space, tab, newline, backslash and {@code #} as a backslash and octal. */
  static String unescape(String field) {
    if (field.indexOf('\\') < 0) {
      return field;
    }
    StringBuilder plain = new StringBuilder();
    int at = 0;
    while (at < field.length()) {
      if (field.charAt(at) == '\\' && at + 3 < field.length() && octal(field, at + 1)) {
        plain.append((char) Integer.parseInt(field.substring(at + 1, at + 4), 8));
        at += 4;
      } else {
        plain.append(field.charAt(at));
        at++;
      }
    }
    return plain.toString();
  }

  private static boolean octal(String text, int start) {
    for (int i = start; i < start + 3; i++) {
      if (text.charAt(i) < '0' || text.charAt(i) > '7') {
        return false;
      }
    }
    return true;
  }
}
