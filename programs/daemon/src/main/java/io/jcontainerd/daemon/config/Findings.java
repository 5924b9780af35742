package io.jcontainerd.daemon.config;

import java.util.ArrayList;
import java.util.List;

/** What was found wrong while reading a configuration: errors forbid the start, warnings do not. */
public final class Findings {
  private final List<String> errors = new ArrayList<>();
  private final List<String> warnings = new ArrayList<>();

  void error(String text) {
    errors.add(text);
  }

  void warn(String text) {
    warnings.add(text);
  }

  public List<String> errors() {
    return List.copyOf(errors);
  }

  public List<String> warnings() {
    return List.copyOf(warnings);
  }

  /**
   * Throws if anything found so far forbids the start.
   *
   * @throws ConfigException with every error, one a line
   */
  void throwIfAny() {
    if (!errors.isEmpty()) {
      throw new ConfigException(errors);
    }
  }
}
