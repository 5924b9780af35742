package io.jcontainerd.linux.process;

import io.jcontainerd.core.operation.Operation.Helper;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Processes that work for another one, and where the kernel has them, among all that the machine
 * had at one moment.
 */
public final class Helpers {
  private static final System.Logger LOG = System.getLogger(Helpers.class.getName());
  private static final Path PROC = Path.of("/proc");
  private static final int MOST_CHARACTERS = 1000;
  private static final int MOST_FRAMES = 20;

  private final Map<Integer, List<Seen>> children;

  private Helpers(Map<Integer, List<Seen>> children) {
    this.children = children;
  }

  /** What is read of a process at first. */
  private record Seen(int pid, int parent, String state, List<String> arguments) {}

  /** A machine without processes. */
  public static Helpers none() {
    return new Helpers(Map.of());
  }

  /** The processes of now. */
  public static Helpers now() throws IOException {
    Map<Integer, List<Seen>> children = new HashMap<>();
    try (DirectoryStream<Path> processes = Files.newDirectoryStream(PROC, "[0-9]*")) {
      for (Path process : processes) {
        seen(process)
            .ifPresent(s -> children.computeIfAbsent(s.parent(), _ -> new ArrayList<>()).add(s));
      }
    }
    return new Helpers(children);
  }

  /**
   * Children of a process whose command line names one of the words, and what these have started.
   *
   * @param words an argument is one of these, or a path below it
   */
  public List<Helper> of(int parent, List<String> words) {
    List<Helper> found = new ArrayList<>();
    for (Seen child : children.getOrDefault(parent, List.of())) {
      if (names(child.arguments(), words)) {
        add(child, found);
      }
    }
    return List.copyOf(found);
  }

  private static boolean names(List<String> arguments, List<String> words) {
    return arguments.stream()
        .skip(1)
        .anyMatch(a -> words.stream().anyMatch(w -> a.equals(w) || a.startsWith(w + "/")));
  }

  private void add(Seen one, List<Helper> found) {
    String command = String.join(" ", one.arguments());
    found.add(
        new Helper(
            one.pid(),
            command.length() > MOST_CHARACTERS
                ? command.substring(0, MOST_CHARACTERS) + "…"
                : command,
            one.state(),
            read(one.pid(), "wchan").map(String::strip).filter(w -> !w.equals("0")).orElse(""),
            read(one.pid(), "stack")
                .map(text -> text.lines().map(Helpers::frame).limit(MOST_FRAMES).toList())
                .orElse(List.of())));
    children.getOrDefault(one.pid(), List.of()).forEach(child -> add(child, found));
  }

  /** Without the address, which the kernel hides anyway. */
  private static String frame(String line) {
    int end = line.indexOf("] ");
    return end < 0 ? line : line.substring(end + 2);
  }

  private static Optional<Seen> seen(Path process) {
    int pid = Integer.parseInt(process.getFileName().toString());
    Optional<String> stat = read(pid, "stat");
    Optional<String> line = read(pid, "cmdline");
    if (stat.isEmpty() || line.isEmpty()) {
      return Optional.empty();
    }
    String[] fields = stat.get().substring(stat.get().lastIndexOf(')') + 2).split(" ", -1);
    return Optional.of(
        new Seen(pid, Integer.parseInt(fields[1]), fields[0], List.of(line.get().split("\0", -1))));
  }

  /** Empty for a process that has ended, or whose file is not for us. */
  private static Optional<String> read(int pid, String file) {
    try {
      return Optional.of(
          Files.readString(
              PROC.resolve(Integer.toString(pid)).resolve(file), StandardCharsets.ISO_8859_1));
    } catch (IOException e) {
      LOG.log(Level.TRACE, "/proc/" + pid + "/" + file, e);
      return Optional.empty();
    }
  }
}
