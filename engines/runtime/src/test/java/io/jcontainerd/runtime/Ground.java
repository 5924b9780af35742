package io.jcontainerd.runtime;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.jcontainerd.api.services.ttrpc.events.v1.ForwardRequest;
import io.jcontainerd.core.TypedValue;
import io.jcontainerd.core.containers.Container;
import io.jcontainerd.core.events.Event;
import io.jcontainerd.core.tasks.CreateTask;
import io.jcontainerd.core.tasks.Exit;
import io.jcontainerd.core.tasks.Stdio;
import io.jcontainerd.linux.LinuxFiles;
import io.jcontainerd.linux.LinuxKernel;
import io.jcontainerd.linux.process.LinuxProcesses;
import io.jcontainerd.oci.runtime.Spec;
import io.jcontainerd.runtime.bundle.Bundles;
import io.jcontainerd.runtime.shim.BinaryShimLauncher;
import io.jcontainerd.runtime.shim.FifoShimLogs;
import io.jcontainerd.runtime.shim.ShimBinaries;
import io.jcontainerd.runtime.shim.ShimEnvironment;
import io.jcontainerd.runtime.shim.Timeouts;
import io.jcontainerd.ttrpc.TtrpcServer;
import io.jcontainerd.ttrpc.TtrpcService;
import io.jcontainerd.ttrpc.UnixSockets;
import io.jcontainerd.wire.Times;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Stream;

/** A machine for tests: folders, an events socket, a busybox tree, and what a daemon would wire. */
final class Ground implements AutoCloseable {
  static final String SHIM = "/usr/bin/containerd-shim-runc-v2";

  final Path top;
  final String namespace;
  final RecordedEvents events = new RecordedEvents();
  final LinuxProcesses processes;
  final FifoShimLogs logs;
  final Bundles bundles;
  final ShimEnvironment environment;
  private TtrpcServer server;

  static boolean usable() {
    return Files.isExecutable(Path.of(SHIM))
        && Files.isExecutable(Path.of("/usr/sbin/runc"))
        && Files.isExecutable(Path.of("/usr/bin/busybox"));
  }

  Ground() throws IOException {
    top = Files.createTempDirectory("runtime-");
    namespace = "runtime-" + UUID.randomUUID().toString().substring(0, 8);
    processes = LinuxProcesses.open();
    logs = FifoShimLogs.start();
    bundles =
        new Bundles(
            new LinuxFiles(),
            new LinuxKernel(Files.createDirectories(top.resolve("k"))),
            top.resolve("state"),
            top.resolve("root"));
    environment =
        new ShimEnvironment(
            top.resolve("g").toString(),
            top.resolve("t").toString(),
            "/bin/true",
            "2.3.4",
            top.resolve("s"),
            Map.of(),
            false);
    Files.createDirectories(top.resolve("s"));
    server = listen();
    Path bin = Files.createDirectories(top.resolve("rootfs/bin"));
    Files.copy(Path.of("/usr/bin/busybox"), bin.resolve("busybox"));
    for (String tool : List.of("sh", "sleep", "true", "cat", "echo")) {
      Files.createSymbolicLink(bin.resolve(tool), Path.of("busybox"));
    }
    for (String folder : List.of("proc", "dev", "tmp", "sys")) {
      Files.createDirectories(top.resolve("rootfs").resolve(folder));
    }
  }

  private TtrpcServer listen() throws IOException {
    Path socket = top.resolve("t");
    Files.deleteIfExists(socket);
    var events =
        new TtrpcServer(
            List.of(
                TtrpcService.named("containerd.services.events.ttrpc.v1.Events")
                    .unary("Forward", ForwardRequest.parser(), (q, _) -> take(q))
                    .build()));
    events.listen(UnixSockets.listen(socket));
    return events;
  }

  private com.google.protobuf.Empty take(ForwardRequest request) {
    var e = request.getEnvelope();
    events.publish(
        new Event(
            Times.toCore(e.getTimestamp()),
            e.getNamespace(),
            e.getTopic(),
            new TypedValue(e.getEvent().getTypeUrl(), e.getEvent().getValue().toByteArray())));
    return com.google.protobuf.Empty.getDefaultInstance();
  }

  /** As if the daemon were away: shims cannot tell their events. */
  void deaf() {
    server.close();
  }

  void hearing() throws IOException {
    server = listen();
  }

  BinaryShimLauncher binaries(Timeouts timeouts) {
    return new BinaryShimLauncher(
        new ShimBinaries(ShimBinaries.searchPath("/usr/bin")),
        bundles,
        processes,
        environment,
        logs,
        timeouts);
  }

  /** A daemon's runtime, as after its start. */
  LocalTaskRuntime runtime() throws InterruptedException {
    return runtime(Timeouts.DEFAULT);
  }

  LocalTaskRuntime runtime(Timeouts timeouts) throws InterruptedException {
    var runtime =
        new LocalTaskRuntime(bundles, List.of(binaries(timeouts)), processes, events, timeouts);
    runtime.recover((_, _) -> Optional.empty());
    return runtime;
  }

  Spec spec(String id, String... args) {
    return Spec.parse(
        """
        {"ociVersion":"1.0.2",
         "process":{"user":{"uid":0,"gid":0},"args":[%s],"cwd":"/",
           "env":["PATH=/bin"]},
         "root":{"path":"%s"},
         "mounts":[{"destination":"/proc","type":"proc","source":"proc"},
           {"destination":"/dev","type":"tmpfs","source":"tmpfs"}],
         "linux":{"cgroupsPath":"/%s/%s",
           "namespaces":[{"type":"pid"},{"type":"mount"},{"type":"ipc"}]}}
        """
            .formatted(
                String.join(",", Stream.of(args).map(a -> "\"" + a + "\"").toList()),
                top.resolve("rootfs"),
                namespace,
                id)
            .getBytes(UTF_8));
  }

  CreateTask request(String id, Spec spec, Stdio stdio) {
    var container =
        new Container(
            id,
            Map.of(),
            "",
            new Container.Runtime(SHIM, Optional.empty()),
            Optional.of(new TypedValue(Spec.TYPE_URL, spec.toBytes())),
            "",
            "",
            Map.of(),
            "",
            Instant.EPOCH,
            Instant.EPOCH);
    return new CreateTask(container, List.of(), stdio, Optional.empty(), "", "", "", 0);
  }

  CreateTask sleeping(String id) {
    return request(id, spec(id, "/bin/sleep", "600"), Stdio.NONE);
  }

  /** What is left of this ground's tasks: processes, mounts, cgroups, bundles, runc's records. */
  List<String> remains() throws IOException {
    List<String> found = new ArrayList<>();
    try (Stream<Path> processes = Files.list(Path.of("/proc"))) {
      for (Path p : processes.filter(p -> p.toString().matches("/proc/\\d+")).toList()) {
        try {
          String line = Files.readString(p.resolve("cmdline")).replace('\0', ' ');
          if (line.contains(namespace) && !p.endsWith(self())) {
            found.add("process " + p + ": " + line);
          }
        } catch (java.nio.file.NoSuchFileException e) {
          found.removeIf(f -> f.startsWith("process " + p + ":")); // it has just ended
        }
      }
    }
    for (String line : Files.readAllLines(Path.of("/proc/self/mountinfo"))) {
      if (line.contains(top.toString())) {
        found.add("mount " + line);
      }
    }
    try (Stream<Path> controllers = Files.list(Path.of("/sys/fs/cgroup"))) {
      for (Path controller : controllers.toList()) {
        Path group = controller.resolve(namespace);
        if (Files.isDirectory(group)) {
          try (Stream<Path> children = Files.list(group)) {
            children.filter(Files::isDirectory).forEach(c -> found.add("cgroup " + c));
          }
        }
      }
    }
    bundles.list().forEach(b -> found.add(b.toString()));
    for (Path folder :
        List.of(
            top.resolve("state").resolve(namespace),
            top.resolve("root").resolve(namespace),
            Path.of("/run/containerd/runc").resolve(namespace))) {
      if (Files.isDirectory(folder)) {
        try (Stream<Path> children = Files.list(folder)) {
          children.forEach(c -> found.add("left " + c));
        }
      }
    }
    return found;
  }

  private static String self() {
    return Long.toString(ProcessHandle.current().pid());
  }

  /** Waits until nothing is left; the last processes may take a moment to go. */
  List<String> remainsAtLast() throws IOException {
    long deadline = System.nanoTime() + 20_000_000_000L;
    List<String> left = remains();
    while (!left.isEmpty() && System.nanoTime() - deadline < 0) {
      Thread.onSpinWait();
      left = remains();
    }
    return left;
  }

  @Override
  public void close() throws IOException {
    server.close();
    logs.close();
    processes.close();
    try (Stream<Path> controllers = Files.list(Path.of("/sys/fs/cgroup"))) {
      for (Path controller : controllers.toList()) {
        Path group = controller.resolve(namespace);
        if (Files.isDirectory(group)) {
          Files.deleteIfExists(group);
        }
      }
    }
    Files.deleteIfExists(Path.of("/run/containerd/runc").resolve(namespace));
    new LinuxFiles().deleteTree(top);
  }

  /** Tells that a task has ended, as its shim would. */
  void exited(String id, int pid) {
    new TaskEvents(events).exited(namespace, id, new Exit(pid, 0, Instant.now()));
  }
}
