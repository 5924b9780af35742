package io.jcontainerd.endure;

import io.jcontainerd.client.Containerd;
import io.jcontainerd.core.Call;
import io.jcontainerd.core.TypedValue;
import io.jcontainerd.core.containers.Container;
import io.jcontainerd.core.failure.CancelledException;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.DeadlineExceededException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.core.operation.Operation;
import io.jcontainerd.core.tasks.CreateTask;
import io.jcontainerd.core.tasks.Stdio;
import io.jcontainerd.core.tasks.TaskStatus;
import io.jcontainerd.oci.json.JsonObject;
import io.jcontainerd.oci.runtime.DefaultSpec;
import io.jcontainerd.oci.runtime.Spec;
import io.jcontainerd.oci.runtime.SpecContext;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Hangs each stage of create, start, exec, kill and delete once, and holds the daemon to three
 * promises: it tells within a second what is stuck where; the container's record is deleted at once
 * all the same; and a client that asks again, after its first call ran out of time, gets its answer
 * within a second of the moment at which the stage goes on.
 */
final class Stuck {
  /** How soon what is promised must be there, where nothing else keeps the machine busy. */
  static final Duration PROMISED = Duration.ofSeconds(1);

  private static final Duration LONG = Duration.ofMinutes(2);
  private static final String OPTIONS = "containerd.runc.v1.Options";
  private static final int BINARY_NAME = 6;
  private static final int SIGKILL = 9;
  private static final String EXEC = "x";
  private static final Path STOCK_SHIM = Path.of("/usr/bin/containerd-shim-runc-v2");

  private final Containerd client;
  private final String namespace;
  private final Path folder;
  private final Hang hang;
  private final Path runtime;
  private final PrintStream out;
  private final Problems problems;
  private final Duration promised;

  /**
   * @param folder of this run
   * @param namespace of the containers, in which nothing else is
   * @param oci the runtime behind the script
   * @param promised how soon something must be there; {@link #PROMISED} but on a busy machine
   */
  Stuck(
      Containerd client,
      Path folder,
      String namespace,
      Path oci,
      Problems problems,
      Duration promised,
      PrintStream out)
      throws IOException {
    this.client = client.in(namespace);
    this.namespace = namespace;
    this.folder = folder;
    this.hang = new Hang(folder.resolve("hang"));
    this.runtime = hang.runtime(oci);
    hang.mounter(folder.resolve("opt/bin"));
    this.problems = problems;
    this.promised = promised;
    this.out = out;
  }

  /**
   * A line of the table.
   *
   * @param kind of the operation that hangs
   * @param what hangs, by its word
   * @param stage that must be told
   * @param helper part of the command line of a process that must be shown; empty for none
   * @param how the container is made
   */
  private record Row(String kind, String what, String stage, String helper, Form how) {}

  /** How a container is made. */
  private enum Form {
    PLAIN,
    MOUNTED,
    LOGGED,
    STOCK
  }

  private static final List<Row> ROWS =
      List.of(
          new Row("create", "mount", "mount", "", Form.MOUNTED),
          new Row("create", "ready", "streams", "", Form.LOGGED),
          new Row("create", "create", "runtime create", " create ", Form.PLAIN),
          new Row("create", "shim", "shim", "", Form.STOCK),
          new Row("create", "create", "create", " create ", Form.STOCK),
          new Row("start", "start", "runtime start", " start ", Form.PLAIN),
          new Row("start", "start", "start", " start ", Form.STOCK),
          new Row("exec", "ready", "streams", "", Form.PLAIN),
          new Row("exec", "exec", "runtime exec", " exec ", Form.PLAIN),
          new Row("kill", "kill", "runtime kill", " kill ", Form.PLAIN),
          new Row("delete", "delete", "runtime delete", " delete ", Form.PLAIN),
          new Row("delete", "delete", "delete", " delete ", Form.STOCK));

  /** Goes through the table; returns whether all was as promised. */
  boolean run() throws IOException, InterruptedException {
    out.println(
        "%-8s %-8s %-7s | %-16s %8s %8s %8s  %s"
            .formatted("KIND", "HANGS", "SHIM", "STAGE", "NAMED", "RECORD", "RETRY", "WAITS FOR"));
    warmUp();
    int at = 0;
    for (Row row : ROWS) {
      at++;
      if (row.how() == Form.STOCK && !Files.isExecutable(STOCK_SHIM)) {
        out.println(
            "%-8s %-8s not applicable: no %s".formatted(row.kind(), row.what(), STOCK_SHIM));
        continue;
      }
      stuck(row, "s" + at);
    }
    cancelled("create", "create", "c1");
    cancelled("start", "start", "c2");
    cancelled("exec", "exec", "c3");
    problems.all().forEach(problem -> out.println("  " + problem));
    out.println(ROWS.size() + " stages, 3 cancels, failures " + problems.count());
    return problems.count() == 0;
  }

  /** The first container starts the shim host, which nobody measures here. */
  private void warmUp() throws InterruptedException, IOException {
    for (Form form : Form.values()) {
      if (form == Form.STOCK && !Files.isExecutable(STOCK_SHIM)) {
        continue;
      }
      CreateTask request = request("w-" + form.name().toLowerCase(java.util.Locale.ROOT), form);
      client.containers().create(request.container());
      client.tasks().create(request);
      end(request);
    }
  }

  /** Long enough for a call to come to its stage, and no longer, for each is waited for. */
  private Duration patience() {
    Duration most = Duration.ofSeconds(2);
    Duration usual = promised.multipliedBy(7).dividedBy(10);
    return usual.compareTo(most) < 0 ? usual : most;
  }

  private void stuck(Row row, String id) throws IOException, InterruptedException {
    CreateTask request = request(id, row.how());
    client.containers().create(request.container());
    prepare(row, request);
    Callable<Object> call = call(row, request);
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      hang.on(row.what());
      try {
        long began = System.nanoTime();
        Future<Object> first = threads.submit(within(patience(), call));
        Optional<Operation> named = named(row, id, began);
        Duration naming = since(began);
        check(
            named.isPresent() && naming.compareTo(promised) <= 0, row, "was not named: " + shown());
        awaitOutOfTime(row, first);
        Duration record = deleteRecord(request);
        check(record.compareTo(promised) <= 0, row, "its record was deleted after " + record);
        client.containers().create(request.container());
        Future<Object> again = threads.submit(within(LONG, call));
        awaitJoined(row, id);
        hang.off(row.what());
        long released = System.nanoTime();
        String answer = answer(again);
        Duration retry = since(released);
        check(answer.isEmpty(), row, "the retry failed: " + answer);
        check(retry.compareTo(promised) <= 0, row, "the retry took " + retry);
        out.println(
            "%-8s %-8s %-7s | %-16s %5d ms %5d ms %5d ms  %s"
                .formatted(
                    row.kind(),
                    row.what(),
                    row.how() == Form.STOCK ? "stock" : "ours",
                    named.map(Operation::stage).orElse("?"),
                    naming.toMillis(),
                    record.toMillis(),
                    retry.toMillis(),
                    named.map(Operation::waitsFor).orElse("?")));
        named
            .filter(operation -> !operation.helpers().isEmpty())
            .map(operation -> operation.helpers().getFirst())
            .ifPresent(
                helper ->
                    out.println(
                        "           process %s, state %s, kernel stack: %s"
                            .formatted(
                                Integer.toString(helper.pid()),
                                helper.state(),
                                String.join(" < ", helper.stack()))));
      } finally {
        hang.off(row.what());
      }
    }
    end(request);
  }

  private void cancelled(String kind, String what, String id)
      throws IOException, InterruptedException {
    Row row = new Row(kind, what, "runtime " + what, " " + what + " ", Form.PLAIN);
    CreateTask request = request(id, Form.PLAIN);
    client.containers().create(request.container());
    prepare(row, request);
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      hang.on(what);
      try {
        long began = System.nanoTime();
        Future<Object> first = threads.submit(within(LONG, call(row, request)));
        Optional<Operation> named = named(row, id, began);
        check(named.isPresent(), row, "was not named: " + shown());
        if (named.isPresent()) {
          long asked = System.nanoTime();
          client.operations().cancel(named.get().id());
          check(isCancelled(first), row, "its caller was not told that it is cancelled");
          boolean gone = awaitGone(named.get());
          check(gone, row, "its process goes on although it was cancelled");
          out.println(
              "%-8s cancelled: its caller was told and its process gone after %d ms"
                  .formatted(kind, since(asked).toMillis()));
        }
      } finally {
        hang.off(what);
      }
      String answer = answer(threads.submit(within(LONG, call(row, request))));
      // a runtime that was killed in its start may have left a container that it starts no more
      check(
          answer.isEmpty() || kind.equals("start"),
          row,
          "after the cancel it cannot be done anew: " + answer);
    }
    end(request);
  }

  private static boolean isCancelled(Future<Object> first) throws InterruptedException {
    try {
      first.get(LONG.toSeconds(), TimeUnit.SECONDS);
      return false;
    } catch (ExecutionException e) {
      return e.getCause() instanceof CancelledException;
    } catch (TimeoutException e) {
      return false;
    }
  }

  private static boolean awaitGone(Operation operation) throws InterruptedException {
    long began = System.nanoTime();
    while (since(began).compareTo(LONG) < 0) {
      if (operation.helpers().stream()
          .noneMatch(h -> ProcessHandle.of(h.pid()).filter(ProcessHandle::isAlive).isPresent())) {
        return true;
      }
      Thread.sleep(5);
    }
    return false;
  }

  /** Brings the container to where the row's operation can begin. */
  private void prepare(Row row, CreateTask request) throws InterruptedException, IOException {
    String id = request.container().id();
    if (row.kind().equals("create")) {
      return;
    }
    client.tasks().create(request);
    if (row.kind().equals("start")) {
      return;
    }
    client.tasks().start(id, "");
    switch (row.kind()) {
      case "exec" ->
          client
              .tasks()
              .exec(
                  id,
                  EXEC,
                  row.what().equals("ready") ? logged() : Stdio.NONE,
                  new TypedValue(
                      Spec.PROCESS_TYPE_URL,
                      JsonObject.parse(
                              "{\"args\":[\"/bin/sleep\",\"600\"],\"cwd\":\"/\",\"user\":{}}"
                                  .getBytes(StandardCharsets.UTF_8))
                          .toBytes()));
      case "delete" -> {
        client.tasks().kill(id, "", SIGKILL, false);
        var _ = client.tasks().waitFor(id, "");
      }
      default -> {}
    }
  }

  private Callable<Object> call(Row row, CreateTask request) {
    String id = request.container().id();
    return switch (row.kind()) {
      case "create" -> () -> client.tasks().create(request);
      case "start" -> () -> client.tasks().start(id, "");
      case "exec" -> () -> client.tasks().start(id, EXEC);
      case "delete" -> () -> client.tasks().delete(id);
      case "kill" ->
          () -> {
            client.tasks().kill(id, "", SIGKILL, true);
            return "killed";
          };
      default -> throw new IllegalArgumentException(row.kind());
    };
  }

  private Callable<Object> within(Duration limit, Callable<Object> call) {
    return () ->
        new Call(Optional.of(namespace), Optional.empty(), Optional.of(Instant.now().plus(limit)))
            .call(call::call);
  }

  /** Asks until it is told what is stuck where, with its process if there is one. */
  private Optional<Operation> named(Row row, String id, long began) throws InterruptedException {
    String kind = row.kind().equals("exec") ? "start" : row.kind();
    String key = row.kind().equals("exec") ? id + "/" + EXEC : id;
    String filter = "kind==%s,namespace==\"%s\",key==\"%s\"".formatted(kind, namespace, key);
    while (since(began).compareTo(promised.multipliedBy(3)) < 0) {
      Optional<Operation> found =
          client.operations().list(List.of(filter), true).stream()
              .filter(operation -> operation.stage().equals(row.stage()))
              .filter(
                  operation ->
                      row.helper().isEmpty()
                          || operation.helpers().stream()
                              .anyMatch(h -> h.command().contains(row.helper())))
              .findFirst();
      if (found.isPresent()) {
        return found;
      }
      Thread.sleep(10);
    }
    return Optional.empty();
  }

  private List<Operation> shown() {
    return client.operations().list(List.of(), true);
  }

  private void awaitOutOfTime(Row row, Future<Object> first) throws InterruptedException {
    try {
      Object answer = first.get(LONG.toMillis(), TimeUnit.MILLISECONDS);
      check(false, row, "it did not hang: " + answer);
    } catch (ExecutionException e) {
      check(
          e.getCause() instanceof DeadlineExceededException,
          row,
          "the first call ended with " + e.getCause());
    } catch (TimeoutException e) {
      check(false, row, "the first call does not end at its deadline");
    }
  }

  /** Waits until somebody waits for what is stuck, so that the retry is there before it goes on. */
  private void awaitJoined(Row row, String id) throws InterruptedException {
    String key = row.kind().equals("exec") ? id + "/" + EXEC : id;
    long began = System.nanoTime();
    while (client.operations().list(List.of("key==\"" + key + "\""), false).stream()
        .noneMatch(operation -> operation.joined() > 0)) {
      if (since(began).compareTo(LONG) > 0) {
        check(false, row, "the retry does not join: " + shown());
        return;
      }
      Thread.sleep(5);
    }
  }

  private Duration deleteRecord(CreateTask request) {
    long began = System.nanoTime();
    client.containers().delete(request.container().id());
    return since(began);
  }

  /** Empty if it succeeded. */
  private static String answer(Future<Object> call) throws InterruptedException {
    try {
      Object _ = call.get(LONG.toMillis(), TimeUnit.MILLISECONDS);
      return "";
    } catch (ExecutionException e) {
      return String.valueOf(e.getCause());
    } catch (TimeoutException e) {
      return "no answer";
    }
  }

  private void check(boolean good, Row row, String otherwise) {
    problems.unless(good, row.kind() + " that hangs in " + row.what() + ": " + otherwise);
  }

  private static Duration since(long began) {
    return Duration.ofNanos(System.nanoTime() - began);
  }

  /** Ends the task, whatever it is in, and removes the record. */
  private void end(CreateTask request) throws InterruptedException {
    String id = request.container().id();
    try {
      if (client.tasks().get(id, "").status() == TaskStatus.RUNNING) {
        client.tasks().kill(id, "", SIGKILL, true);
      }
      if (client.tasks().get(id, "").status() != TaskStatus.CREATED) {
        var _ = client.tasks().waitFor(id, "");
      } else if (request.runtimePath().isEmpty()
          && request.container().runtime().name().startsWith("/")) {
        client.tasks().kill(id, "", SIGKILL, true); // the stock shim deletes only what has ended
        var _ = client.tasks().waitFor(id, "");
      }
      var _ = client.tasks().delete(id);
    } catch (NotFoundException _) {
      // it is gone already
    } catch (ContainerdException e) {
      problems.add("task " + id + " cannot be ended: " + e.getMessage());
    }
    client.containers().delete(id);
  }

  private Stdio logged() throws IOException {
    String logger = "binary://" + hang.logger();
    return new Stdio("", logger, logger, false);
  }

  private CreateTask request(String id, Form form) throws IOException {
    SpecContext context = SpecContext.of(namespace, id);
    Spec spec = DefaultSpec.linux(context);
    JsonObject json =
        spec.json()
            .with(
                "process",
                spec.json()
                    .object("process")
                    .orElse(JsonObject.EMPTY)
                    .with(
                        "args",
                        io.jcontainerd.oci.json.JsonArray.ofStrings(List.of("/bin/sleep", "600"))))
            .with(
                "root",
                JsonObject.EMPTY.with(
                    "path", form == Form.MOUNTED ? "rootfs" : folder.resolve("rootfs").toString()))
            .with(
                "linux",
                spec.json()
                    .object("linux")
                    .orElse(JsonObject.EMPTY)
                    .with("cgroupsPath", "/" + namespace + "/" + id));
    String name =
        form == Form.STOCK ? hang.shim(STOCK_SHIM).toString() : Containerd.DEFAULT_RUNTIME;
    Container container =
        new Container(
            id,
            Map.of(),
            "",
            new Container.Runtime(name, Optional.of(new TypedValue(OPTIONS, options()))),
            Optional.of(new TypedValue(Spec.TYPE_URL, json.toBytes())),
            "",
            "",
            Map.of(),
            "",
            Instant.EPOCH,
            Instant.EPOCH);
    List<Mount> rootfs =
        form == Form.MOUNTED
            ? List.of(
                new Mount("fuse3.slow", folder.resolve("rootfs").toString(), "", List.of("rw")))
            : List.of();
    return new CreateTask(
        container,
        rootfs,
        form == Form.LOGGED ? logged() : Stdio.NONE,
        Optional.empty(),
        "",
        "",
        "",
        0);
  }

  /** The runtime options with nothing but the runtime's path: a field of bytes. */
  private byte[] options() {
    byte[] path = runtime.toString().getBytes(StandardCharsets.UTF_8);
    var message = new ByteArrayOutputStream();
    message.write(BINARY_NAME << 3 | 2);
    message.write(path.length);
    message.writeBytes(path);
    return message.toByteArray();
  }

  /** A root file system with nothing but what sleeps. */
  static void rootfs(Path folder) throws IOException {
    Path bin = Files.createDirectories(folder.resolve("rootfs/bin"));
    Files.copy(Path.of("/usr/bin/busybox"), bin.resolve("busybox"));
    for (String tool : List.of("sh", "sleep")) {
      Files.createSymbolicLink(bin.resolve(tool), Path.of("busybox"));
    }
    for (String place : new ArrayList<>(List.of("proc", "dev", "sys", "run", "tmp"))) {
      Files.createDirectories(folder.resolve("rootfs").resolve(place));
    }
  }
}
