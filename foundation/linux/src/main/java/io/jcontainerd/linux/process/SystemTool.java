package io.jcontainerd.linux.process;

import io.jcontainerd.core.failure.DeadlineExceededException;
import io.jcontainerd.core.ports.Processes;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * A program of the machine's administrator, such as {@code mkfs.ext4}: looked for on the path and
 * where such programs are, run to its end, its complaint told when it fails. Safe for many threads.
 */
public final class SystemTool {
  private static final int MAX_OUTPUT = 1 << 20;
  private static final String USUAL =
      "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

  private final Path program;
  private final Processes processes;
  private final Duration deadline;

  private SystemTool(Path program, Processes processes, Duration deadline) {
    this.program = program;
    this.processes = processes;
    this.deadline = deadline;
  }

  private static String searchPath() {
    return Objects.requireNonNullElse(System.getenv("PATH"), "") + ":" + USUAL;
  }

  /**
   * Looks for it.
   *
   * @param deadline after which a run is killed
   */
  public static Optional<SystemTool> find(String name, Processes processes, Duration deadline) {
    for (String folder : searchPath().split(":", -1)) {
      Path program = Path.of(folder, name);
      if (!folder.isEmpty() && Files.isExecutable(program)) {
        return Optional.of(new SystemTool(program, processes, deadline));
      }
    }
    return Optional.empty();
  }

  /**
   * Runs it.
   *
   * @param folder where it starts, and where it puts its temporary files
   * @return what it wrote to its standard output
   * @throws IOException if it did not end with 0; the message says what it wrote
   */
  public String run(Path folder, List<String> arguments) throws IOException {
    Processes.Finished finished = finish(folder, arguments);
    String output = text(finished.output());
    if (finished.status() != 0) {
      throw new IOException(
          "%s %s: ended with %d: %s"
              .formatted(
                  program.getFileName(),
                  String.join(" ", arguments),
                  finished.status(),
                  (text(finished.error()) + output).strip()));
    }
    return output;
  }

  /** Runs it, whatever its end. */
  public Processes.Finished finish(Path folder, List<String> arguments) throws IOException {
    return finish(folder, arguments, Map.of());
  }

  /**
   * Runs it, whatever its end.
   *
   * @param more environment than it has anyway
   */
  public Processes.Finished finish(Path folder, List<String> arguments, Map<String, String> more)
      throws IOException {
    var command = new ArrayList<>(List.of(program.toString()));
    command.addAll(arguments);
    var environment = new HashMap<>(more);
    environment.putAll(
        Map.of("PATH", searchPath(), "LC_ALL", "C.UTF-8", "TMPDIR", folder.toString()));
    try {
      return processes.run(
          new Processes.Spawn(command, environment, folder, new byte[0], false),
          deadline,
          MAX_OUTPUT);
    } catch (DeadlineExceededException e) {
      throw new IOException(String.valueOf(e.getMessage()), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw (IOException)
          new InterruptedIOException(program.getFileName() + ": interrupted").initCause(e);
    }
  }

  private static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8);
  }
}
