package io.jcontainerd.endure;

import io.jcontainerd.core.failure.ContainerdException;
import java.io.PrintStream;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * What was killed while what was under way, and what came of it. Whatever is told belongs to the
 * last kill. Safe for many threads.
 */
final class KillTable {
  /** What is killed. */
  enum Victim {
    DAEMON("daemon"),
    HOST("shim host"),
    STARTING_HOST("host, starting"),
    RUNTIME("OCI runtime");

    private final String words;

    Victim(String words) {
      this.words = words;
    }
  }

  private record Place(Victim victim, Stage stage) implements Comparable<Place> {
    @Override
    public int compareTo(Place other) {
      int byVictim = victim.compareTo(other.victim);
      return byVictim != 0 ? byVictim : stage.compareTo(other.stage);
    }
  }

  private static final class Row {
    private int kills;
    private int failures;
    private int leaks;
    private final Map<String, Integer> seen = new TreeMap<>();
  }

  private final Map<Place, Row> rows = new TreeMap<>();
  private Row now = new Row();
  private int kills;

  /** A victim was killed while the stage was under way. */
  synchronized void killed(Victim victim, Stage stage) {
    now = rows.computeIfAbsent(new Place(victim, stage), _ -> new Row());
    now.kills++;
    kills++;
  }

  /** A client was told of a failure. */
  synchronized void saw(ContainerdException failure) {
    String name = failure.getClass().getSimpleName().replace("Exception", "");
    now.seen.merge(name, 1, Integer::sum);
  }

  /** Something is not as it should be. */
  synchronized void failed(int count) {
    now.failures += count;
  }

  /** Something was left behind. */
  synchronized void leaked(int count) {
    now.leaks += count;
  }

  synchronized int kills() {
    return kills;
  }

  synchronized void print(PrintStream out) {
    out.println(
        "%-15s %-8s %6s %6s %9s  %s"
            .formatted("KILLED", "DURING", "TIMES", "LEAKS", "FAILURES", "CLIENTS WERE TOLD"));
    rows.forEach(
        (place, row) ->
            out.println(
                "%-15s %-8s %6d %6d %9d  %s"
                    .formatted(
                        place.victim().words,
                        place.stage().word(),
                        row.kills,
                        row.leaks,
                        row.failures,
                        row.seen.entrySet().stream()
                            .map(e -> e.getKey() + " " + e.getValue())
                            .collect(Collectors.joining(", ")))));
  }
}
