package io.jcontainerd.runtime;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.jcontainerd.api.services.ttrpc.events.v1.ForwardRequest;
import io.jcontainerd.core.TypedValue;
import io.jcontainerd.core.containers.Container;
import io.jcontainerd.core.events.Event;
import io.jcontainerd.core.operation.OperationRegistry;
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
import io.jcontainerd.runtime.shim.SandboxEndpoints;
import io.jcontainerd.runtime.shim.ShimBinaries;
import io.jcontainerd.runtime.shim.ShimEnvironment;
import io.jcontainerd.runtime.shim.Timeouts;
import io.jcontainerd.ttrpc.TtrpcServer;
import io.jcontainerd.ttrpc.TtrpcService;
import io.jcontainerd.ttrpc.UnixSockets;
import io.jcontainerd.wire.Times;
import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/** A machine for tests: folders, an events socket, a busybox tree, and what a daemon would wire. */
final class Ground implements AutoCloseable {
  static final String SHIM = "/usr/bin/containerd-shim-runc-v2";

  /** For shims that answer, however busy the machine is. */
  static final Timeouts PATIENT = patient(Duration.ofSeconds(30), Duration.ofMinutes(2));

  private static Timeouts patient(Duration answer, Duration work) {
    return new Timeouts(answer, answer, answer, answer, answer, answer, work, work);
  }

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
    return runtime(PATIENT);
  }

  LocalTaskRuntime runtime(Timeouts timeouts) throws InterruptedException {
    return runtime(timeouts, new OperationRegistry());
  }

  LocalTaskRuntime runtime(Timeouts timeouts, OperationRegistry operations)
      throws InterruptedException {
    var runtime =
        new LocalTaskRuntime(
            bundles,
            List.of(binaries(timeouts)),
            processes,
            events,
            Optional.empty(),
            SandboxEndpoints.NONE,
            operations,
            timeouts);
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
    for (Path p : entries(Path.of("/proc"))) {
      if (p.toString().matches("/proc/\\d+") && !p.endsWith(self())) {
        String line = commandLine(p);
        if (line.contains(namespace)) {
          found.add("process " + p + ": " + line);
        }
      }
    }
    for (String line : Files.readAllLines(Path.of("/proc/self/mountinfo"))) {
      if (line.contains(top.toString())) {
        found.add("mount " + line);
      }
    }
    for (Path controller : entries(Path.of("/sys/fs/cgroup"))) {
      for (Path child : entries(controller.resolve(namespace))) {
        if (Files.isDirectory(child)) {
          found.add("cgroup " + child);
        }
      }
    }
    bundles.list().forEach(b -> found.add(b.toString()));
    for (Path folder :
        List.of(
            top.resolve("state").resolve(namespace),
            top.resolve("root").resolve(namespace),
            Path.of("/run/containerd/runc").resolve(namespace))) {
      entries(folder).forEach(c -> found.add("left " + c));
    }
    return found;
  }

  /** Of a process; empty if it has ended, before or while it is read. */
  private static String commandLine(Path process) throws IOException {
    try {
      return Files.readString(process.resolve("cmdline")).replace('\0', ' ');
    } catch (IOException e) {
      if (Files.exists(process)) {
        throw e;
      }
      return "";
    }
  }

  /** What is in a folder; nothing if it is none, or is removed meanwhile. */
  static List<Path> entries(Path folder) throws IOException {
    List<Path> entries = new ArrayList<>();
    try (DirectoryStream<Path> found = Files.newDirectoryStream(folder)) {
      found.forEach(entries::add);
    } catch (NoSuchFileException | NotDirectoryException e) {
      return List.of();
    } catch (DirectoryIteratorException e) {
      if (Files.exists(folder)) {
        throw e.getCause();
      }
    }
    return entries;
  }

  private static String self() {
    return Long.toString(ProcessHandle.current().pid());
  }

  /** Waits until nothing is left; the last processes may take a moment to go. */
  List<String> remainsAtLast() throws IOException {
    long deadline = System.nanoTime() + Duration.ofSeconds(60).toNanos();
    List<String> left = remains();
    while (!left.isEmpty() && System.nanoTime() - deadline < 0) {
      LockSupport.parkNanos(Duration.ofMillis(5).toNanos());
      left = remains();
    }
    return left;
  }

  @Override
  public void close() throws IOException {
    server.close();
    logs.close();
    processes.close();
    for (Path controller : entries(Path.of("/sys/fs/cgroup"))) {
      Path group = controller.resolve(namespace);
      if (Files.isDirectory(group)) {
        Files.deleteIfExists(group);
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
