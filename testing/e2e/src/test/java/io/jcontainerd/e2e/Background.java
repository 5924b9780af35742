package io.jcontainerd.e2e;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A program that goes on beside the test, its output in a file. */
final class Background implements AutoCloseable {
  private final Process process;
  private final Path out;

  private Background(Process process, Path out) {
    this.process = process;
    this.out = out;
  }

  static Background start(List<String> line) {
    try {
      Path out = Files.createTempFile("e2e-bg", "");
      return new Background(
          new ProcessBuilder(line).redirectErrorStream(true).redirectOutput(out.toFile()).start(),
          out);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  String text() {
    try {
      return Files.readString(out);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Types into its standard input. */
  void type(String text) {
    try {
      process.getOutputStream().write(text.getBytes(java.nio.charset.StandardCharsets.UTF_8));
      process.getOutputStream().flush();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  void endInput() {
    try {
      process.getOutputStream().close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  void awaitText(String words) {
    try {
      Await.until("«" + words + "»", () -> text().contains(words));
    } catch (AssertionError e) {
      throw new AssertionError("it said: " + text(), e);
    }
  }

  /** Ends it as Ctrl-C does. */
  void interrupt() {
    Command.run("sh", "-c", "kill -INT " + process.pid()).ok();
  }

  boolean alive() {
    return process.isAlive();
  }

  int awaitEnd() {
    try {
      if (!process.waitFor(Await.LIMIT.toSeconds(), TimeUnit.SECONDS)) {
        throw new AssertionError("did not end; it said: " + text());
      }
      return process.exitValue();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  @Override
  public void close() {
    process.descendants().forEach(ProcessHandle::destroyForcibly);
    process.destroyForcibly();
    awaitEnd();
    try {
      Files.deleteIfExists(out);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
