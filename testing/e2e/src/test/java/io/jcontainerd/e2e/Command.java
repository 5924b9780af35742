package io.jcontainerd.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A program run to its end, with its output and its status. */
record Command(List<String> line, int status, String out, String err) {
  static final Duration LIMIT = Duration.ofMinutes(3);

  static Command run(String... line) {
    return run(Arrays.asList(line));
  }

  static Command run(List<String> line) {
    return run(line, "", LIMIT);
  }

  /** Runs the program; one that does not end in time is killed and fails the test. */
  static Command run(List<String> line, String input, Duration limit) {
    try {
      Path in = Files.createTempFile("e2e-in", "");
      Path out = Files.createTempFile("e2e-out", "");
      Path err = Files.createTempFile("e2e-err", "");
      try {
        Files.writeString(in, input);
        Process process =
            new ProcessBuilder(line)
                .redirectInput(in.toFile())
                .redirectOutput(out.toFile())
                .redirectError(err.toFile())
                .start();
        boolean ended = process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS);
        if (!ended) {
          process.descendants().forEach(ProcessHandle::destroyForcibly);
          process.destroyForcibly().waitFor();
        }
        Command command =
            new Command(
                line,
                ended ? process.exitValue() : -1,
                new String(Files.readAllBytes(out), StandardCharsets.UTF_8),
                new String(Files.readAllBytes(err), StandardCharsets.UTF_8));
        assertThat(ended).as("ended within %s: %s", limit, command).isTrue();
        return command;
      } finally {
        Files.delete(in);
        Files.delete(out);
        Files.delete(err);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(String.join(" ", line), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  /** Fails the test unless the program ended with status 0. */
  Command ok() {
    assertThat(status).as("status of %s", this).isZero();
    return this;
  }

  /** Fails the test unless the program failed and said all this. */
  Command refused(String... words) {
    assertThat(status).as("status of %s", this).isNotZero();
    assertThat(err + out).as("what %s said", this).contains(words);
    return this;
  }

  /** The output without white space around it. */
  String text() {
    return out.strip();
  }

  List<String> lines() {
    return out.lines().map(String::strip).filter(l -> !l.isEmpty()).toList();
  }

  static List<String> line(List<String> first, String... rest) {
    List<String> all = new ArrayList<>(first);
    all.addAll(Arrays.asList(rest));
    return all;
  }

  @Override
  public String toString() {
    return "`%s` (status %d)%nout: %s%nerr: %s"
        .formatted(String.join(" ", line), status, out.strip(), err.strip());
  }
}
