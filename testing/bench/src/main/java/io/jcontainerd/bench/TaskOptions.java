package io.jcontainerd.bench;

import java.util.Arrays;
import java.util.List;
import java.util.Set;

/**
 * What of tasks is measured.
 *
 * @param runs of each, at least
 * @param parallel how many at once
 * @param runtimes OCI runtimes below ours; theirs has runc
 * @param idle numbers of idle containers, ascending
 * @param execs that processor time is counted for; 0 for none
 */
record TaskOptions(
    int runs, List<Integer> parallel, List<String> runtimes, List<Integer> idle, int execs) {
  private static final Set<String> RUNTIMES = Set.of("runc", "crun");

  TaskOptions {
    parallel = List.copyOf(parallel);
    runtimes = List.copyOf(runtimes);
    idle = idle.stream().sorted().toList();
    if (runs < 1) {
      throw new IllegalArgumentException("--runs must be at least 1");
    }
    if (!RUNTIMES.containsAll(runtimes)) {
      throw new IllegalArgumentException("--runtime knows " + RUNTIMES + ", not " + runtimes);
    }
  }

  /** Everything, unless the words choose. */
  static TaskOptions parse(List<String> words) {
    int runs = 30;
    int execs = 1000;
    List<Integer> parallel = List.of(1, 8, 64);
    List<String> runtimes = List.of("runc", "crun");
    List<Integer> idle = List.of(0, 10, 100, 300);
    for (int i = 0; i < words.size(); i += 2) {
      if (i + 1 == words.size()) {
        throw new IllegalArgumentException("option " + words.get(i) + " needs a value");
      }
      String value = words.get(i + 1);
      switch (words.get(i)) {
        case "--runs" -> runs = Integer.parseInt(value);
        case "--execs" -> execs = Integer.parseInt(value);
        case "--parallel" -> parallel = numbers(value);
        case "--runtime" -> runtimes = words(value);
        case "--idle" -> idle = numbers(value);
        default -> throw new IllegalArgumentException("unknown option " + words.get(i));
      }
    }
    return new TaskOptions(runs, parallel, runtimes, idle, execs);
  }

  private static List<Integer> numbers(String value) {
    return words(value).stream().map(Integer::valueOf).toList();
  }

  private static List<String> words(String value) {
    return Arrays.stream(value.split(",", -1)).filter(word -> !word.isEmpty()).toList();
  }
}
