package io.jcontainerd.diff;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Asks the machine's own tools what they see. */
final class Shell {
  /** Modes and orders are the same whoever runs the test, and names are still those of UTF-8. */
  private static final String USUAL = "umask 022; export LC_ALL=C.UTF-8 TZ=UTC; ";

  private Shell() {}

  /** Runs a shell script whose output is read by somebody else. */
  static ProcessBuilder builder(String script, String... arguments) {
    List<String> command = new ArrayList<>(List.of("sh", "-ec", USUAL + script, "sh"));
    command.addAll(List.of(arguments));
    return new ProcessBuilder(command);
  }

  /** Runs a shell script, which must end with 0 within a minute; what it printed. */
  static String sh(String script, String... arguments) throws IOException, InterruptedException {
    Process process = builder(script, arguments).redirectErrorStream(true).start();
    String output;
    try (InputStream stream = process.getInputStream()) {
      output = new String(stream.readAllBytes(), StandardCharsets.UTF_8).strip();
    }
    if (!process.waitFor(60, TimeUnit.SECONDS)) {
      process.destroyForcibly();
      throw new AssertionError("not ended: " + script);
    }
    if (process.exitValue() != 0) {
      throw new AssertionError(script + ": " + process.exitValue() + ": " + output);
    }
    return output;
  }
}
