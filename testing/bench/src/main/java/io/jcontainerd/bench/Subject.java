package io.jcontainerd.bench;

import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** A daemon on folders of its own. */
final class Subject implements AutoCloseable {
  static final String NAMESPACE = "jcontainerd-bench";

  /** What a mount namespace must not have for crun to run in it. */
  private static final String WITHOUT_UNIFIED =
      "if mountpoint -q /sys/fs/cgroup/unified; then umount /sys/fs/cgroup/unified; fi;"
          + " exec \"$@\"";

  private static final long START_SECONDS = 60;
  private static final long STOP_SECONDS = 30;

  private final String name;
  private final Path folder;
  private final List<String> command;
  private final Map<String, String> environment;
  private @Nullable Process process;
  private @Nullable Api api;

  private Subject(String name, Path folder, List<String> command, Map<String, String> environment) {
    this.name = name;
    this.folder = folder;
    this.command = command;
    this.environment = environment;
  }

  /** The distribution's containerd, without its Kubernetes part. */
  static Subject reference(Path folder) throws IOException, InterruptedException {
    String config = head(folder) + "disabled_plugins = [\"io.containerd.grpc.v1.cri\"]\n";
    return of(
        "containerd", folder, config + grpc(folder), List.of("/usr/bin/containerd"), Map.of());
  }

  /**
   * Another containerd, of release 2 or later, without its Kubernetes part.
   *
   * @param binaries the folder it is in
   * @param settings more lines of its configuration
   */
  static Subject other(String name, Path folder, Path binaries, String settings)
      throws IOException, InterruptedException {
    String head =
        "version = 3\nroot = \"%s/root\"\nstate = \"%s/state\"\n".formatted(folder, folder)
            + "disabled_plugins = [\"io.containerd.grpc.v1.cri\", \"io.containerd.cri.v1.images\","
            + " \"io.containerd.cri.v1.runtime\"]\n";
    return of(
        name,
        folder,
        head + grpc(folder) + settings,
        List.of(binaries.resolve("containerd").toString()),
        Map.of());
  }

  /** Ours with runc, and with the switches in its environment that measurements need. */
  static Subject ours(String name, Path folder, Path launcher, Map<String, String> environment)
      throws IOException, InterruptedException {
    return of(
        name,
        folder,
        head(folder) + grpc(folder) + ociRuntime("runc"),
        List.of(launcher.toString()),
        environment);
  }

  private static String ociRuntime(String name) {
    return "[plugins.\"io.jcontainerd.shim.v1.host\"]\noci_runtime = \"" + name + "\"\n";
  }

  /**
   * Ours.
   *
   * @param ociRuntime {@code runc} or {@code crun}
   * @param alone whether it runs without the second cgroup hierarchy that crun refuses
   */
  static Subject ours(Path folder, Path launcher, String ociRuntime, boolean alone)
      throws IOException, InterruptedException {
    String config = head(folder) + grpc(folder) + ociRuntime(ociRuntime);
    var command = new ArrayList<String>();
    if (alone) {
      command.addAll(
          List.of("unshare", "-m", "--propagation", "slave", "sh", "-c", WITHOUT_UNIFIED, "sh"));
    }
    command.add(launcher.toString());
    return of("jcontainerd", folder, config, command, Map.of());
  }

  private static String head(Path folder) {
    return "version = 2\nroot = \"%s/root\"\nstate = \"%s/state\"\n".formatted(folder, folder);
  }

  private static String grpc(Path folder) {
    return "[grpc]\naddress = \"%s/c.sock\"\n".formatted(folder);
  }

  private static Subject of(
      String name,
      Path folder,
      String config,
      List<String> program,
      Map<String, String> environment)
      throws IOException, InterruptedException {
    Path state = Files.createDirectories(folder.resolve("state"));
    // where distributions have it: /run is in memory
    Commands.run(List.of("mount", "-t", "tmpfs", "-o", "mode=755", "state", state.toString()));
    Path file = folder.resolve("config.toml");
    Files.writeString(file, config);
    var command = new ArrayList<>(program);
    command.addAll(List.of("--config", file.toString()));
    return new Subject(name, folder, command, environment);
  }

  String name() {
    return name;
  }

  /** Everything it keeps is below this one. */
  Path folder() {
    return folder;
  }

  Path socket() {
    return folder.resolve("c.sock");
  }

  Api api() {
    if (api == null) {
      throw new IllegalStateException(name + " does not run");
    }
    return api;
  }

  /** Starts the daemon and waits for its first answer; returns the milliseconds until then. */
  double start() throws IOException, InterruptedException {
    long begin = System.nanoTime();
    var builder =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(folder.resolve("log").toFile()));
    builder.environment().putAll(environment);
    Process started = builder.start();
    process = started;
    long deadline = begin + TimeUnit.SECONDS.toNanos(START_SECONDS);
    while (System.nanoTime() < deadline && started.isAlive()) {
      if (Files.exists(socket())) {
        var candidate = new Api(socket(), NAMESPACE);
        try {
          candidate.version();
          api = candidate;
          return (System.nanoTime() - begin) / 1e6;
        } catch (StatusRuntimeException e) {
          candidate.close(); // bound, but not listening yet
        }
      }
      started.waitFor(1, TimeUnit.MILLISECONDS);
    }
    throw new IOException(name + " did not answer: " + Files.readString(folder.resolve("log")));
  }

  /** Ends the daemon; its containers would go on. */
  void stop() throws IOException, InterruptedException {
    if (api != null) {
      api.close();
      api = null;
    }
    if (process != null) {
      process.destroy();
      if (!process.waitFor(STOP_SECONDS, TimeUnit.SECONDS)) {
        process.destroyForcibly().waitFor();
        throw new IOException(name + " did not end");
      }
      process = null;
    }
  }

  /** The daemon's process. */
  long pid() {
    if (process == null) {
      throw new IllegalStateException(name + " does not run");
    }
    return process.pid();
  }

  /** The daemon's process and all of its shims, which have its socket in their command lines. */
  List<Long> supervisors() throws IOException {
    var pids = new ArrayList<Long>();
    pids.add(pid());
    for (long pid : Memory.processes(socket().toString())) {
      if (!pids.contains(pid)) {
        pids.add(pid);
      }
    }
    return pids;
  }

  /** Runs the distribution's client against this daemon. */
  String ctr(String... words) throws IOException, InterruptedException {
    var line = new ArrayList<>(List.of("ctr", "-a", socket().toString(), "-n", NAMESPACE));
    line.addAll(List.of(words));
    return Commands.run(line);
  }

  /** Ends what a broken measurement left running, the daemon, and whatever supervises for it. */
  @Override
  public void close() throws IOException, InterruptedException {
    Api last = api;
    if (last != null) {
      for (String id : last.left()) {
        try {
          last.kill(id);
          last.await(id);
          last.delete(id);
        } catch (StatusRuntimeException e) {
          System.err.println(name + ": container " + id + " is left: " + e.getMessage());
        }
      }
    }
    stop();
    for (long pid : Memory.processes(socket().toString())) {
      ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly);
    }
  }
}
