package io.jcontainerd.runtime;

import com.google.protobuf.Empty;
import io.jcontainerd.api.runtime.task.v3.ConnectRequest;
import io.jcontainerd.api.runtime.task.v3.ConnectResponse;
import io.jcontainerd.api.runtime.task.v3.CreateTaskRequest;
import io.jcontainerd.api.runtime.task.v3.CreateTaskResponse;
import io.jcontainerd.api.runtime.task.v3.DeleteRequest;
import io.jcontainerd.api.runtime.task.v3.DeleteResponse;
import io.jcontainerd.api.runtime.task.v3.KillRequest;
import io.jcontainerd.api.runtime.task.v3.PidsRequest;
import io.jcontainerd.api.runtime.task.v3.PidsResponse;
import io.jcontainerd.api.runtime.task.v3.ShutdownRequest;
import io.jcontainerd.api.runtime.task.v3.StartRequest;
import io.jcontainerd.api.runtime.task.v3.StartResponse;
import io.jcontainerd.api.runtime.task.v3.StateRequest;
import io.jcontainerd.api.runtime.task.v3.StateResponse;
import io.jcontainerd.api.runtime.task.v3.WaitRequest;
import io.jcontainerd.api.runtime.task.v3.WaitResponse;
import io.jcontainerd.api.types.task.ProcessInfo;
import io.jcontainerd.api.types.task.Status;
import io.jcontainerd.ttrpc.CallContext;
import io.jcontainerd.ttrpc.Metadata;
import io.jcontainerd.ttrpc.StatusCode;
import io.jcontainerd.ttrpc.TtrpcException;
import io.jcontainerd.ttrpc.TtrpcServer;
import io.jcontainerd.ttrpc.TtrpcService;
import io.jcontainerd.ttrpc.UnixSockets;
import io.jcontainerd.wire.Times;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;

/**
 * A shim host in the small, as a program: its tasks are {@code sleep} processes whose numbers it
 * keeps in its state folder, and a new one takes over what it finds there. A file {@code forget} in
 * that folder makes it take over nothing; while there is a file {@code deaf}, it tells no state.
 */
final class FakeHost {
  private final Path tasks;

  private FakeHost(Path tasks) {
    this.tasks = tasks;
  }

  /** So many hosts are broken. */
  private static void breakOnceMore(Path times) throws IOException {
    if (!Files.exists(times)) {
      return;
    }
    int left = Integer.parseInt(Files.readString(times)) - 1;
    if (left == 0) {
      Files.delete(times);
    } else {
      Files.writeString(times, Integer.toString(left));
    }
    throw new IllegalStateException("this host is told to be broken, and " + left + " more");
  }

  public static void main(String[] args) throws Exception {
    List<String> all = Arrays.asList(args);
    Path socket = Path.of(all.get(all.indexOf("--socket") + 1));
    Path state = Path.of(all.get(all.indexOf("--state") + 1));
    Path tasks = Files.createDirectories(state.resolve("tasks"));
    if (Files.exists(state.resolve("forget"))) {
      try (var known = Files.list(tasks)) {
        for (Path task : known.toList()) {
          Files.delete(task);
        }
      }
    }
    breakOnceMore(state.resolve("broken-times"));
    if (Files.exists(state.resolve("broken"))) {
      throw new IllegalStateException("this host is told to be broken");
    }
    Files.deleteIfExists(socket);
    var host = new FakeHost(tasks);
    var server = new TtrpcServer(List.of(host.service()));
    server.listen(UnixSockets.listen(socket));
    Files.writeString(state.resolve("pid"), Long.toString(ProcessHandle.current().pid()));
    host.mark();
    Thread.currentThread().join();
  }

  private void mark() throws IOException {
    String stat = Files.readString(Path.of("/proc/self/stat"));
    String began = stat.substring(stat.lastIndexOf(')') + 2).split(" ")[19];
    Files.writeString(
        tasks.resolveSibling("serving"), ProcessHandle.current().pid() + " " + began + " here");
  }

  private TtrpcService service() {
    return TtrpcService.named("containerd.task.v3.Task")
        .unary("Connect", ConnectRequest.parser(), (q, c) -> connect(q.getId(), c))
        .unary("Create", CreateTaskRequest.parser(), this::create)
        .unary(
            "Start",
            StartRequest.parser(),
            (q, c) -> StartResponse.newBuilder().setPid(pid(q.getId(), c)).build())
        .waiting("State", StateRequest.parser(), (q, c) -> state(q.getId(), c))
        .unary(
            "Pids",
            PidsRequest.parser(),
            (q, c) ->
                PidsResponse.newBuilder()
                    .addProcesses(ProcessInfo.newBuilder().setPid(pid(q.getId(), c)))
                    .build())
        .unary("Kill", KillRequest.parser(), this::kill)
        .waiting("Wait", WaitRequest.parser(), this::await)
        .unary("Delete", DeleteRequest.parser(), (q, c) -> delete(q.getId(), c))
        .unary("Shutdown", ShutdownRequest.parser(), (_, _) -> shutdown())
        .build();
  }

  private Path file(String id, CallContext context) {
    String namespace = context.metadata().first(Metadata.NAMESPACE).orElse("none");
    return tasks.resolve(namespace + "." + id);
  }

  private int pid(String id, CallContext context) throws IOException {
    Path file = file(id, context);
    if (!Files.exists(file)) {
      throw new TtrpcException(StatusCode.NOT_FOUND, "container not created: not found");
    }
    return Integer.parseInt(Files.readString(file));
  }

  private ConnectResponse connect(String id, CallContext context) throws IOException {
    ConnectResponse.Builder who =
        ConnectResponse.newBuilder().setShimPid((int) ProcessHandle.current().pid());
    if (Files.exists(file(id, context))) {
      who.setTaskPid(pid(id, context));
    }
    return who.build();
  }

  private CreateTaskResponse create(CreateTaskRequest request, CallContext context)
      throws IOException {
    Process sleeping = new ProcessBuilder("sleep", "600").start();
    Files.writeString(file(request.getId(), context), Long.toString(sleeping.pid()));
    return CreateTaskResponse.newBuilder().setPid((int) sleeping.pid()).build();
  }

  private StateResponse state(String id, CallContext context)
      throws IOException, InterruptedException {
    if (Files.deleteIfExists(tasks.resolveSibling("die-once"))) {
      Runtime.getRuntime().halt(1);
    }
    while (Files.exists(tasks.resolveSibling("deaf"))) {
      Thread.sleep(20);
    }
    int pid = pid(id, context);
    boolean runs = ProcessHandle.of(pid).filter(ProcessHandle::isAlive).isPresent();
    return StateResponse.newBuilder()
        .setId(id)
        .setPid(pid)
        .setStatus(runs ? Status.RUNNING : Status.STOPPED)
        .build();
  }

  private Empty kill(KillRequest request, CallContext context) throws IOException {
    ProcessHandle.of(pid(request.getId(), context)).ifPresent(ProcessHandle::destroyForcibly);
    return Empty.getDefaultInstance();
  }

  private WaitResponse await(WaitRequest request, CallContext context)
      throws IOException, InterruptedException {
    var process = ProcessHandle.of(pid(request.getId(), context));
    if (process.isPresent()) {
      try {
        process.get().onExit().get();
      } catch (java.util.concurrent.ExecutionException e) {
        throw new IOException(e);
      }
    }
    return WaitResponse.newBuilder()
        .setExitStatus(137)
        .setExitedAt(Times.toApi(Instant.now()))
        .build();
  }

  private DeleteResponse delete(String id, CallContext context) throws IOException {
    int pid = pid(id, context);
    ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly);
    Files.delete(file(id, context));
    return DeleteResponse.newBuilder()
        .setPid(pid)
        .setExitStatus(137)
        .setExitedAt(Times.toApi(Instant.now()))
        .build();
  }

  private static boolean isEmpty(Path folder) throws IOException {
    if (!Files.exists(folder)) {
      return true;
    }
    try (var entries = Files.list(folder)) {
      return entries.findAny().isEmpty();
    }
  }

  /** Unless somebody is on the way, who then finds that this host does not serve any more. */
  private void leave() {
    try {
      while (true) {
        Files.deleteIfExists(tasks.resolveSibling("serving"));
        if (isEmpty(tasks.resolveSibling("coming"))) {
          Runtime.getRuntime().halt(0);
        }
        mark();
        do {
          Thread.sleep(20);
        } while (!isEmpty(tasks) || !isEmpty(tasks.resolveSibling("coming")));
      }
    } catch (IOException | InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  private Empty shutdown() throws IOException {
    if (isEmpty(tasks)) {
      Thread.ofPlatform().start(this::leave);
    }
    return Empty.getDefaultInstance();
  }
}
