package io.jcontainerd.linux;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;

/** Asks the machine's own tools what they see. */
final class Shell {
  private Shell() {}

  /** Runs a shell script, which must end with 0 within some minutes; what it printed. */
  static String sh(String script, String... arguments) throws IOException, InterruptedException {
    String[] command = new String[arguments.length + 4];
    command[0] = "sh";
    command[1] = "-ec";
    command[2] = script;
    command[3] = "sh";
    System.arraycopy(arguments, 0, command, 4, arguments.length);
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output;
    try (InputStream stream = process.getInputStream()) {
      output = new String(stream.readAllBytes(), StandardCharsets.UTF_8).strip();
    }
    if (!process.waitFor(180, TimeUnit.SECONDS)) {
      process.destroyForcibly();
      throw new AssertionError("not ended: " + script);
    }
    if (process.exitValue() != 0) {
      throw new AssertionError(script + ": " + process.exitValue() + ": " + output);
    }
    return output;
  }
}
