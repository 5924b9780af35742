package io.jcontainerd.daemon.log;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.logging.Level;

/**
 * containerd's log levels, each with the least severe of the platform's levels that it lets
 * through.
 */
@SuppressWarnings("ImmutableEnumChecker") // the platform's levels are immutable, if unmarked
public enum LogLevel {
  TRACE(Level.FINER),
  DEBUG(Level.FINE),
  INFO(Level.INFO),
  WARN(Level.WARNING),
  ERROR(Level.SEVERE),
  FATAL(Level.OFF),
  PANIC(Level.OFF);

  private final Level threshold;

  LogLevel(Level threshold) {
    this.threshold = threshold;
  }

  Level threshold() {
    return threshold;
  }

  /** {@code info}, {@code warn} and so on. */
  public String text() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** The level of that name; the empty name is {@link #INFO}. */
  public static Optional<LogLevel> named(String name) {
    if (name.isEmpty()) {
      return Optional.of(INFO);
    }
    return Arrays.stream(values()).filter(level -> level.text().equals(name)).findFirst();
  }

  public static List<String> names() {
    return Arrays.stream(values()).map(LogLevel::text).toList();
  }

  /** The word that a line of severity {@code level} carries. */
  static String word(Level level) {
    int severity = level.intValue();
    if (severity >= Level.SEVERE.intValue()) {
      return "error";
    }
    if (severity >= Level.WARNING.intValue()) {
      return "warning";
    }
    if (severity >= Level.INFO.intValue()) {
      return "info";
    }
    return severity >= Level.FINE.intValue() ? "debug" : "trace";
  }
}
