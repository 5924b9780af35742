package io.jcontainerd.runtime;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.DeadlineExceededException;
import io.jcontainerd.core.ports.Files;
import io.jcontainerd.core.ports.Processes;
import io.jcontainerd.runtime.shim.ShimBinaries;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Which OCI runtime this host gets by default: the first one of a list that has just created and
 * deleted a container here. An installed runtime may still refuse a host, for its cgroups for one.
 *
 * @param chosen the program; empty if none works
 * @param attempts what came of each, in order, up to the chosen one
 */
public record OciRuntimes(Optional<Path> chosen, List<Attempt> attempts) {
  private static final System.Logger LOG = System.getLogger("io.jcontainerd.runtime");
  private static final Duration LIMIT = Duration.ofSeconds(20);
  private static final int MAX_OUTPUT = 64 << 10;

  /** In which order runtimes are tried. */
  public static final List<String> KNOWN = List.of("crun", "runc");

  /**
   * One attempt.
   *
   * @param name of the runtime
   * @param program where it was found; empty if it is not installed
   * @param refusal why it is not taken; empty if it works
   */
  public record Attempt(String name, Optional<Path> program, String refusal) {
    /** Whether a container was created. */
    public boolean works() {
      return refusal.isEmpty();
    }
  }

  /** Copies the attempts. */
  public OciRuntimes {
    attempts = List.copyOf(attempts);
  }

  /**
   * Tries one after the other.
   *
   * @param names in order
   * @param searchPath in the form of {@code PATH}
   * @param scratch an existing folder for the container that is tried; left as it was
   */
  public static OciRuntimes prove(
      List<String> names, String searchPath, Files files, Processes processes, Path scratch)
      throws InterruptedException {
    clearLeftovers(names, searchPath, files, processes, scratch);
    ProbeNames.clearGroups();
    List<Attempt> attempts = new ArrayList<>();
    for (String name : names) {
      Optional<Path> program = find(name, searchPath);
      String refusal =
          program.isEmpty() ? "not installed" : refusal(program.get(), files, processes, scratch);
      var attempt = new Attempt(name, program, refusal);
      attempts.add(attempt);
      if (attempt.works()) {
        LOG.log(Level.INFO, "default OCI runtime: {0}", program.orElseThrow());
        return new OciRuntimes(program, attempts);
      }
      LOG.log(Level.INFO, "OCI runtime {0} is not taken: {1}", name, refusal);
    }
    LOG.log(Level.WARNING, "no OCI runtime works on this host: {0}", attempts);
    return new OciRuntimes(Optional.empty(), attempts);
  }

  /** Takes away the containers of proofs that were cut short by the end of their process. */
  private static void clearLeftovers(
      List<String> names, String searchPath, Files files, Processes processes, Path scratch)
      throws InterruptedException {
    try {
      for (String id : files.list(scratch)) {
        if (!id.startsWith(ProbeNames.PREFIX)) {
          continue;
        }
        Path folder = scratch.resolve(id);
        for (String name : names) {
          Optional<Path> program = find(name, searchPath);
          if (program.isPresent() && files.stat(folder.resolve("state").resolve(id)).isPresent()) {
            delete(program.get(), processes, folder, folder, id);
          }
        }
        files.deleteTree(folder);
      }
    } catch (IOException | DeadlineExceededException e) {
      LOG.log(Level.WARNING, "cannot clear what a proof left in " + scratch, e);
    }
  }

  private static Optional<Path> find(String name, String searchPath) {
    return ShimBinaries.searchPath(searchPath).stream()
        .map(folder -> folder.resolve(name).toAbsolutePath())
        .filter(java.nio.file.Files::isExecutable)
        .findFirst();
  }

  private static String refusal(Path program, Files files, Processes processes, Path scratch)
      throws InterruptedException {
    String id;
    try {
      id = ProbeNames.next();
    } catch (IOException e) {
      return "not tried: " + e.getMessage();
    }
    Path folder = scratch.resolve(id);
    try {
      Path bundle = folder.resolve("bundle");
      files.createDirectories(bundle.resolve("rootfs/proc"), 0700);
      files.createDirectories(
          bundle.resolve("rootfs/dev"), 0700); // crun makes no mount point there
      // only created, never started: the runtime looks for the program but does not run it
      write(files, bundle.resolve("rootfs/init"), new byte[0], 0755);
      write(files, bundle.resolve("config.json"), config(id), 0600);
      try {
        return create(program, processes, folder, bundle, id);
      } finally {
        delete(program, processes, folder, bundle, id);
      }
    } catch (IOException e) {
      return "not tried: " + e.getMessage();
    } catch (DeadlineExceededException e) {
      return "does not answer: " + e.getMessage();
    } catch (ContainerdException e) {
      return String.valueOf(e.getMessage());
    } finally {
      try {
        if (files.stat(folder).isPresent()) {
          files.deleteTree(folder);
        }
      } catch (IOException e) {
        LOG.log(Level.WARNING, "cannot remove " + folder, e);
      }
    }
  }

  private static String create(
      Path program, Processes processes, Path folder, Path bundle, String id)
      throws IOException, InterruptedException {
    List<String> command =
        List.of(
            program.toString(),
            "--root",
            folder.resolve("state").toString(),
            "create",
            "--bundle",
            bundle.toString(),
            "--pid-file",
            folder.resolve("pid").toString(),
            id);
    Processes.Finished end = run(command, processes, bundle);
    if (end.status() == 0) {
      return "";
    }
    String said = new String(end.error(), UTF_8).strip();
    return said.isEmpty() ? "exit status " + end.status() : said;
  }

  private static void delete(Path program, Processes processes, Path folder, Path bundle, String id)
      throws IOException, InterruptedException {
    List<String> command =
        List.of(
            program.toString(),
            "--root",
            folder.resolve("state").toString(),
            "delete",
            "--force",
            id);
    Processes.Finished end = run(command, processes, bundle);
    if (end.status() != 0) {
      LOG.log(Level.DEBUG, "{0} delete: {1}", program, new String(end.error(), UTF_8).strip());
    }
  }

  private static Processes.Finished run(List<String> command, Processes processes, Path folder)
      throws IOException, InterruptedException {
    Map<String, String> environment =
        Map.of("PATH", System.getenv().getOrDefault("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"));
    return processes.run(
        new Processes.Spawn(command, environment, folder, new byte[0], true), LIMIT, MAX_OUTPUT);
  }

  private static void write(Files files, Path file, byte[] bytes, int mode) throws IOException {
    try (Files.Handle handle = files.open(file, Files.Open.CREATE_NEW, mode)) {
      ByteBuffer from = ByteBuffer.wrap(bytes);
      while (from.hasRemaining()) {
        handle.write(from, from.position());
      }
    }
  }

  private static byte[] config(String id) {
    return """
        {
          "ociVersion": "1.0.2",
          "process": {
            "user": {"uid": 0, "gid": 0},
            "args": ["/init"],
            "cwd": "/",
            "env": []
          },
          "root": {"path": "rootfs"},
          "mounts": [
            {"destination": "/proc", "type": "proc", "source": "proc"},
            {
              "destination": "/dev",
              "type": "tmpfs",
              "source": "tmpfs",
              "options": ["nosuid", "strictatime", "mode=755", "size=64k"]
            }
          ],
          "linux": {
            "cgroupsPath": "/%s",
            "resources": {"pids": {"limit": 16}},
            "namespaces": [
              {"type": "pid"}, {"type": "ipc"}, {"type": "uts"},
              {"type": "mount"}, {"type": "network"}
            ]
          }
        }
        """
        .formatted(id)
        .getBytes(UTF_8);
  }
}
