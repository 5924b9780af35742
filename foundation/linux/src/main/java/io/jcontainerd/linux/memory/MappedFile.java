package io.jcontainerd.linux.memory;

import java.util.ArrayList;
import java.util.List;

/**
 * A part of this process's memory that shows a file, as {@code /proc/self/smaps} tells of it (see
 * proc_pid_smaps(5)).
 *
 * @param begin the first address
 * @param end the address after the last
 * @param permissions such as {@code r--p}
 * @param file its path
 * @param residentKib what of it is in memory
 * @param ownKib of these, what is not the file's but this process's own
 */
record MappedFile(
    long begin, long end, String permissions, String file, long residentKib, long ownKib) {
  private static final int FIELDS = 6;

  /** Reads the lines of {@code smaps}; memory that shows no file is left out. */
  static List<MappedFile> parse(List<String> lines) {
    var found = new ArrayList<MappedFile>();
    String[] head = {};
    long resident = 0;
    for (String line : lines) {
      String[] words = line.split(" +", FIELDS);
      if (!words[0].endsWith(":")) {
        head = words;
      } else if (words[0].equals("Rss:")) {
        resident = Long.parseLong(words[1]);
      } else if (words[0].equals("Anonymous:")
          && head.length == FIELDS
          && head[FIELDS - 1].startsWith("/")) {
        found.add(of(head, resident, Long.parseLong(words[1])));
      }
    }
    return found;
  }

  private static MappedFile of(String[] head, long resident, long own) {
    String[] addresses = head[0].split("-", 2);
    return new MappedFile(
        Long.parseUnsignedLong(addresses[0], 16),
        Long.parseUnsignedLong(addresses[1], 16),
        head[1],
        head[FIELDS - 1],
        resident,
        own);
  }

  long length() {
    return end - begin;
  }

  /** Whether nothing in it is, or can become, this process's own. */
  boolean isOnlyRead() {
    return permissions.charAt(1) == '-' && permissions.endsWith("p") && ownKib == 0;
  }
}
