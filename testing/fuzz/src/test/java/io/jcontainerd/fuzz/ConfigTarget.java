package io.jcontainerd.fuzz;

import io.jcontainerd.daemon.config.ConfigException;
import io.jcontainerd.daemon.config.ConfigLoader;
import io.jcontainerd.daemon.config.LoadedConfig;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * The daemon's configuration: read or refused with a list of what is wrong, and printed in a form
 * that is read as the same. What is imported is left to other tests, since it is read from where
 * the input says.
 */
public final class ConfigTarget {
  private static final Path NAME = Path.of("/proc/self/none/config.toml");

  private ConfigTarget() {}

  /** Runs one input. */
  public static void fuzzerTestOneInput(byte[] input) {
    String text = new String(input, StandardCharsets.UTF_8);
    if (text.contains("imports")) {
      return;
    }
    LoadedConfig config;
    try {
      config = ConfigLoader.parse(NAME, "imports = []\n" + text);
    } catch (ConfigException e) {
      if (e.problems().isEmpty()) {
        throw new AssertionError("refused without a word", e);
      }
      return;
    }
    LoadedConfig again = ConfigLoader.parse(NAME, config.toToml());
    if (!config.daemon().equals(again.daemon())
        || !config.plugins().equals(again.plugins())
        || !config.unknownPlugins().equals(again.unknownPlugins())) {
      throw new AssertionError(config.toToml() + "\nbecame\n" + again.toToml());
    }
  }
}
