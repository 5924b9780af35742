package io.jcontainerd.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** A table that grows: one line a figure, both daemons, and their ratio. */
final class Figures {
  private static final String LINE = "%-50s %12.1f %12.1f %8.2f  %s%n";

  private final List<String> missed = new ArrayList<>();

  /** Prints the head of the table, again where other tables came between. */
  void head() {
    System.out.printf(
        "%-50s %12s %12s %8s  %s%n", "", "jcontainerd", "containerd", "ratio", "target");
  }

  /** The middle one; of an even number, the mean of the two in the middle. */
  static double median(List<Double> values) {
    List<Double> sorted = values.stream().sorted().toList();
    int middle = sorted.size() / 2;
    return sorted.size() % 2 == 1
        ? sorted.get(middle)
        : (sorted.get(middle - 1) + sorted.get(middle)) / 2;
  }

  /**
   * The smallest value that a part of the values does not exceed.
   *
   * @param part such as 0.99
   */
  static double quantile(List<Double> values, double part) {
    List<Double> sorted = values.stream().sorted().toList();
    return sorted.get(Math.max(0, (int) Math.ceil(part * sorted.size()) - 1));
  }

  /**
   * Prints a line.
   *
   * @param target the greatest ratio that is good; 0 for none
   */
  void add(String what, double ours, double theirs, double target) {
    double ratio = ours / theirs;
    String verdict = "";
    if (target > 0) {
      boolean met = ratio <= target;
      verdict = "<= " + target + (met ? " met" : " MISSED");
      if (!met) {
        missed.add(what);
      }
    }
    System.out.printf(Locale.ROOT, LINE, what, ours, theirs, ratio, verdict);
  }

  /** Prints a line whose target is of our figure alone. */
  void bound(String what, double ours, double theirs, double most) {
    boolean met = ours <= most;
    if (!met) {
      missed.add(what);
    }
    System.out.printf(
        Locale.ROOT,
        LINE,
        what,
        ours,
        theirs,
        ours / theirs,
        String.format(Locale.ROOT, "<= %.0f %s", most, met ? "met" : "MISSED"));
  }

  List<String> missed() {
    return List.copyOf(missed);
  }
}
