package io.jcontainerd.endure;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a virtual machine's heap holds after a full collection.
 *
 * @param bytes of all objects
 * @param classes bytes of the objects of each class
 */
record LiveHeap(long bytes, Map<String, Long> classes) {
  private static final Pattern LINE = Pattern.compile("\\s*\\d+:\\s+(\\d+)\\s+(\\d+)\\s+(\\S+).*");
  private static final String TOTAL = "Total ";

  /** What collectors put into gaps between objects. */
  private static final Pattern FILLER = Pattern.compile("(\\[L)?jdk\\.internal\\.vm\\.Filler.*");

  private static final int SHOWN = 8;
  private static final long LIMIT_SECONDS = 60;

  LiveHeap {
    classes = Map.copyOf(classes);
  }

  /**
   * Has all garbage collected, twice so that what is freed by the end of other objects goes, too,
   * and counts what is left. Of another process than this one, which could not read what it says
   * while it stands still for the count.
   */
  static LiveHeap of(long pid) throws IOException, InterruptedException {
    String _ = command(pid, "GC.run");
    return parse(command(pid, "GC.class_histogram"));
  }

  /** Reads a class histogram. */
  static LiveHeap parse(String text) throws IOException {
    Map<String, Long> classes = new HashMap<>();
    for (String line : text.lines().toList()) {
      Matcher row = LINE.matcher(line);
      if (row.matches() && !FILLER.matcher(row.group(3)).matches()) {
        classes.merge(row.group(3), Long.parseLong(row.group(2)), Long::sum);
      }
      if (line.startsWith(TOTAL)) {
        return new LiveHeap(classes.values().stream().mapToLong(Long::longValue).sum(), classes);
      }
    }
    throw new IOException("no histogram of a heap: " + text);
  }

  /** Asks a virtual machine by {@code jcmd}. */
  static String command(long pid, String... words) throws IOException, InterruptedException {
    List<String> line = new ArrayList<>();
    line.add(Path.of(System.getProperty("java.home", ""), "bin/jcmd").toString());
    line.add(Long.toString(pid));
    line.addAll(List.of(words));
    Process asked = new ProcessBuilder(line).redirectErrorStream(true).start();
    String said = new String(asked.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (!asked.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS) || asked.exitValue() != 0) {
      throw new IOException(String.join(" ", line) + ": " + said);
    }
    return said;
  }

  /** The classes whose objects have become the most, in bytes. */
  List<String> growthSince(LiveHeap before) {
    Map<String, Long> more = new HashMap<>();
    classes.forEach((name, size) -> more.put(name, size - before.classes.getOrDefault(name, 0L)));
    return more.entrySet().stream()
        .filter(entry -> entry.getValue() > 0)
        .sorted(Map.Entry.<String, Long>comparingByValue().reversed())
        .limit(SHOWN)
        .map(entry -> entry.getKey() + " +" + entry.getValue())
        .toList();
  }
}
