package io.jcontainerd.shim;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The folder in which CRIU leaves its log, around one command of the OCI runtime. One in the bundle
 * goes with the command, one that the client named stays. After a failure the log is kept in the
 * bundle, and its last errors are in the message.
 */
final class CriuWork {
  private static final System.Logger LOG = System.getLogger(CriuWork.class.getName());
  private static final String FOLDER = "criu-work";
  private static final int LINES = 3;

  /** Runtimes that do nothing of this without CRIU. */
  private static final Set<String> NEED_CRIU = Set.of("runc", "crun");

  private final Container container;
  private final Path work;
  private final boolean ours;

  private CriuWork(Container container, Path work, boolean ours) {
    this.container = container;
    this.work = work;
    this.ours = ours;
  }

  /**
   * The folder for one command.
   *
   * @param named by the client for this command; empty for the one of the container
   */
  static CriuWork of(Container container, String named) {
    String configured = container.runtime().options().criuWorkPath();
    if (!named.isEmpty()) {
      return new CriuWork(container, Path.of(named), false);
    }
    return configured.isEmpty()
        ? new CriuWork(container, container.bundle().resolve(FOLDER), true)
        : new CriuWork(container, Path.of(configured).resolve(FOLDER), false);
  }

  /** A command that needs the folder. */
  @FunctionalInterface
  interface Command {
    void run(Path work) throws OciRuntimeException, IOException, InterruptedException;
  }

  /** Runs the command, {@code checkpoint} or {@code restore}. */
  void run(String name, Command command)
      throws OciRuntimeException, IOException, InterruptedException {
    String log = name.equals("checkpoint") ? "dump.log" : "restore.log";
    Files.createDirectories(work);
    Files.deleteIfExists(work.resolve(log)); // one of before would be taken for this one's
    try {
      command.run(work);
    } catch (OciRuntimeException e) {
      String said = String.valueOf(e.getMessage()).replaceAll("\\s*log file: \\S+", "");
      throw new OciRuntimeException(said + why(name, log));
    } finally {
      if (ours) {
        remove();
      }
    }
  }

  private String why(String name, String log) throws IOException {
    Path written = work.resolve(log);
    if (Files.exists(written)) {
      Path kept = container.bundle().resolve("criu-" + log);
      Files.copy(written, kept, StandardCopyOption.REPLACE_EXISTING);
      List<String> errors =
          Files.readAllLines(kept, ISO_8859_1).stream()
              .filter(line -> line.contains("Error"))
              .toList();
      List<String> last = errors.subList(Math.max(0, errors.size() - LINES), errors.size());
      return ": " + String.join("; ", last) + hint(errors) + " (log: " + kept + ")";
    }
    String binary = String.valueOf(Path.of(container.runtime().options().binary()).getFileName());
    if (!NEED_CRIU.contains(binary)) {
      return "";
    }
    if (!container.runtime().finds("criu")) {
      return ": "
          + name
          + " needs the program criu, which is not on the PATH of the shim: install the package"
          + " criu";
    }
    return binary.equals("crun")
        ? ": crun may have been built without CRIU (crun --version names it where it was not); the"
            + " runtime runc can do it"
        : "";
  }

  /** What CRIU says of streams that are FIFOs, as our streams are, is understood by few. */
  private String hint(List<String> errors) {
    Stdio stdio = container.init().stdio();
    boolean streams =
        errors.stream()
            .filter(line -> line.contains("Can't lookup mount="))
            .anyMatch(
                line ->
                    Stream.of(stdio.stdin(), stdio.stdout(), stdio.stderr())
                        .anyMatch(stream -> !stream.isEmpty() && line.contains(stream)));
    return streams
        ? "; the container's standard streams are files of the host, which CRIU cannot write: run it"
            + " with a logger or without streams (ctr run --log-uri or --null-io)"
        : "";
  }

  private void remove() {
    try (Stream<Path> files = Files.walk(work)) {
      for (Path file : files.toList().reversed()) { // a folder after what is in it
        Files.delete(file);
      }
    } catch (IOException | UncheckedIOException e) {
      LOG.log(Level.WARNING, work + " stays until the bundle is deleted", e);
    }
  }

  /** Whether one of the folders of a PATH has a program of that name. */
  static boolean onPath(String path, String program) {
    return Arrays.stream(path.split(File.pathSeparator))
        .anyMatch(folder -> Files.isExecutable(Path.of(folder).resolve(program)));
  }
}
