package io.jcontainerd.daemon.metrics;

import java.time.Duration;
import java.util.List;

/**
 * A text in Prometheus' exposition format, version 0.0.4: families of samples, each family with its
 * type and a help.
 */
final class Exposition {
  /** What the text is, for the header of an answer. */
  static final String MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8";

  private final StringBuilder text = new StringBuilder(8192);

  /** What a family's samples are. */
  enum Type {
    COUNTER,
    GAUGE,
    HISTOGRAM
  }

  /** One label. */
  record Label(String name, String value) {}

  /** Begins a family; its samples follow. */
  Exposition family(String name, Type type, String help) {
    text.append("# HELP ").append(name).append(' ').append(escaped(help, false)).append('\n');
    text.append("# TYPE ")
        .append(name)
        .append(' ')
        .append(
            switch (type) {
              case COUNTER -> "counter";
              case GAUGE -> "gauge";
              case HISTOGRAM -> "histogram";
            });
    text.append('\n');
    return this;
  }

  Exposition sample(String name, List<Label> labels, long value) {
    return sample(name, labels, Long.toString(value));
  }

  Exposition sample(String name, List<Label> labels, double value) {
    return sample(name, labels, number(value));
  }

  private Exposition sample(String name, List<Label> labels, String value) {
    text.append(name);
    if (!labels.isEmpty()) {
      char before = '{';
      for (Label label : labels) {
        text.append(before).append(label.name()).append("=\"");
        text.append(escaped(label.value(), true)).append('"');
        before = ',';
      }
      text.append('}');
    }
    text.append(' ').append(value).append('\n');
    return this;
  }

  /** A family of one sample. */
  Exposition single(String name, Type type, String help, double value) {
    return family(name, type, help).sample(name, List.of(), value);
  }

  /** A family of one sample. */
  Exposition single(String name, Type type, String help, long value) {
    return family(name, type, help).sample(name, List.of(), value);
  }

  /** A family of one sample, in seconds. */
  Exposition single(String name, Type type, String help, Duration value) {
    return single(name, type, help, seconds(value));
  }

  static double seconds(Duration duration) {
    return duration.toNanos() / 1e9;
  }

  private static String number(double value) {
    if (Double.isInfinite(value)) {
      return value > 0 ? "+Inf" : "-Inf";
    }
    return value == Math.rint(value) && Math.abs(value) < 1L << 53
        ? Long.toString((long) value)
        : Double.toString(value);
  }

  private static String escaped(String raw, boolean quotes) {
    String escaped = raw.replace("\\", "\\\\").replace("\n", "\\n");
    return quotes ? escaped.replace("\"", "\\\"") : escaped;
  }

  @Override
  public String toString() {
    return text.toString();
  }
}
