package io.jcontainerd.runtime;

import io.jcontainerd.api.runtime.task.v3.CreateTaskRequest;
import io.jcontainerd.api.runtime.task.v3.CreateTaskResponse;
import io.jcontainerd.api.types.RuntimeInfo;
import io.jcontainerd.api.types.runc.options.Options;
import io.jcontainerd.core.Call;
import io.jcontainerd.core.Identifiers;
import io.jcontainerd.core.TypedValue;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.DeadlineExceededException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.NotImplementedException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.failure.UnknownException;
import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.core.operation.RunningOperation;
import io.jcontainerd.core.tasks.CreateTask;
import io.jcontainerd.oci.json.JsonObject;
import io.jcontainerd.oci.runtime.Spec;
import io.jcontainerd.runtime.bundle.Bundle;
import io.jcontainerd.runtime.bundle.Bundles;
import io.jcontainerd.runtime.shim.Limits;
import io.jcontainerd.runtime.shim.OomScore;
import io.jcontainerd.runtime.shim.SandboxEndpoints;
import io.jcontainerd.runtime.shim.Shim;
import io.jcontainerd.runtime.shim.ShimAddress;
import io.jcontainerd.runtime.shim.ShimLauncher;
import io.jcontainerd.runtime.shim.Timeouts;
import io.jcontainerd.wire.TypedValues;
import io.jcontainerd.wire.Types;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;

/**
 * Creates tasks: name, mounts, bundle, shim, process. A failure at any step undoes the steps before
 * it and gives the name back; until that is done the name stays taken, and a new attempt waits for
 * it.
 */
final class TaskCreation {
  private static final System.Logger LOG = System.getLogger("io.jcontainerd.runtime");

  private final TaskTable tasks;
  private final Bundles bundles;
  private final Launchers launchers;
  private final TaskMounts mounts;
  private final AllowedMounts allowedMounts;
  private final TaskEnd end;
  private final SandboxEndpoints sandboxes;
  private final Timeouts timeouts;
  private final String defaultRuntime;
  private final Map<String, Boolean> mapsIds = new ConcurrentHashMap<>();

  TaskCreation(
      TaskTable tasks,
      Bundles bundles,
      Launchers launchers,
      TaskMounts mounts,
      TaskEnd end,
      SandboxEndpoints sandboxes,
      Timeouts timeouts,
      String defaultRuntime) {
    this.tasks = tasks;
    this.bundles = bundles;
    this.launchers = launchers;
    this.mounts = mounts;
    this.allowedMounts = new AllowedMounts(launchers, timeouts);
    this.end = end;
    this.sandboxes = sandboxes;
    this.timeouts = timeouts;
    this.defaultRuntime = defaultRuntime;
  }

  /**
   * Creates the task that the request asks for.
   *
   * @param asked as the client has it, with mounts that only the mount manager can do
   * @param operation is told what is done
   * @param begun is told of the task as soon as it has its name
   */
  Task create(CreateTask asked, RunningOperation operation, Consumer<Task> begun)
      throws InterruptedException {
    String namespace = Call.currentNamespace();
    String id = Identifiers.check(asked.container().id());
    TypedValue document =
        asked
            .container()
            .spec()
            .orElseThrow(() -> new InvalidArgumentException("container " + id + " has no spec"));
    Spec spec = Spec.parse(document.value());
    String runtime = runtime(asked);
    ShimLauncher launcher = launchers.forRuntime(runtime);
    // first, for without an OCI runtime no shim need be started
    Optional<TypedValue> options = launcher.options(options(asked));
    var task = new Task(bundles.at(namespace, id), runtime, asked.container().sandbox());
    operation.stage("name", "the removal of a former task of that name");
    tasks.reserve(task, Limits.atMost(timeouts.operation()));
    boolean bundleMade = false;
    try {
      begun.accept(task);
      operation.stage("mounts", "the mount manager");
      TaskMounts.Ready ready = mounts.activate(asked, () -> allowedMounts.of(asked));
      if (ready.mine()) {
        task.activated();
      }
      CreateTask request = ready.request();
      operation.stage("bundle", "the file system of " + task.bundle().path());
      Bundle bundle =
          bundles.create(namespace, id, document.value(), rootGroup(spec), task.sandbox());
      bundleMade = true;
      String checkpoint = checkpoint(bundle, request);
      int pid;
      try {
        operation.stage("shim", "the start of a shim for " + runtime);
        Shim shim = shim(task, bundle, launcher, request);
        checkIdMaps(task, spec, request);
        operation.stage("create", "the answer of shim " + shim.address().address() + " to Create");
        pid = create(task, shim, options, request, checkpoint);
      } finally {
        launcher.settled(bundle);
      }
      task.pid(pid);
      task.live();
      end.watch(task, task.shim().orElseThrow());
      return task;
    } catch (ContainerdException | InterruptedException e) {
      end.undo(task, bundleMade, e);
      throw e;
    } catch (RuntimeException | Error e) {
      LOG.log(Level.ERROR, "creation of " + task.bundle(), e);
      end.undo(task, bundleMade, e);
      throw e;
    }
  }

  private String runtime(CreateTask request) {
    if (!request.runtimePath().isEmpty()) {
      return request.runtimePath();
    }
    String name = request.container().runtime().name();
    return name.isEmpty() ? defaultRuntime : name;
  }

  private static OptionalInt rootGroup(Spec spec) {
    return spec.gidMappings().stream()
        .filter(m -> m.containerId() == 0)
        .mapToInt(m -> (int) m.hostId())
        .findFirst();
  }

  private Shim shim(Task task, Bundle bundle, ShimLauncher launcher, CreateTask request)
      throws InterruptedException {
    Optional<ShimAddress> running = running(task, request);
    Shim shim;
    if (running.isEmpty()) {
      shim = launcher.launch(bundle, new ShimLauncher.Launch(task.runtime(), options(request)));
    } else {
      shim = Shim.connect(running.get(), Limits.atMost(timeouts.connect()));
      bundles.write(bundle, Bundle.BOOTSTRAP, running.get().toJson(), 0644);
    }
    task.attach(launcher, shim);
    if (running.isPresent() && !task.sandbox().isEmpty() && shim.address().version() >= 3) {
      task.joins();
      return shim; // its process is the sandbox's affair
    }
    try {
      int process = shim.process(task.namespace(), task.id(), Limits.atMost(timeouts.shimStart()));
      end.knowProcess(task, process);
      if (!shim.isShared() && process > 0) {
        OomScore.give(process);
      }
    } catch (NotImplementedException e) {
      LOG.log(Level.DEBUG, "shim of " + bundle + " does not tell its process", e);
    }
    return shim;
  }

  /** A shim that runs already: the one that was named, or that of the task's sandbox. */
  private Optional<ShimAddress> running(Task task, CreateTask request) {
    if (!request.taskApiAddress().isEmpty()) {
      return Optional.of(ShimAddress.endpoint(request.taskApiAddress(), request.taskApiVersion()));
    }
    return task.sandbox().isEmpty()
        ? Optional.empty()
        : sandboxes.find(task.namespace(), task.sandbox());
  }

  /** Those of the task come before the container's. */
  private static Optional<TypedValue> options(CreateTask request) {
    return request.options().isPresent()
        ? request.options()
        : request.container().runtime().options();
  }

  /** The folder that the task is brought back from, the client's own or one of the bundle. */
  private String checkpoint(Bundle bundle, CreateTask request) {
    String own = request.options().map(TaskCreation::imagePath).orElse("");
    if (!own.isEmpty() || request.checkpoint().isEmpty()) {
      return own;
    }
    bundles.takeCheckpoint(bundle, Path.of(request.checkpoint()));
    return bundle.checkpoint().toString();
  }

  private static String imagePath(TypedValue options) {
    String name = Options.getDescriptor().getFullName();
    return options.typeName().equals(name)
        ? TypedValues.unpack(options, name, Options.parser()).getCriuImagePath()
        : "";
  }

  private int create(
      Task task, Shim shim, Optional<TypedValue> options, CreateTask request, String checkpoint)
      throws InterruptedException {
    CreateTaskRequest.Builder message =
        CreateTaskRequest.newBuilder()
            .setId(task.id())
            .setBundle(task.bundle().path().toString())
            .setTerminal(request.stdio().terminal())
            .setStdin(request.stdio().stdin())
            .setStdout(request.stdio().stdout())
            .setStderr(request.stdio().stderr())
            .setCheckpoint(checkpoint);
    options.ifPresent(o -> message.setOptions(TypedValues.toApi(o)));
    for (Mount mount : request.rootfs()) {
      message.addRootfs(Types.toApi(mount));
    }
    var answer = new CompletableFuture<CreateTaskResponse>();
    task.creation(answer);
    CreateTaskRequest built = message.build();
    Thread.ofVirtual().name("create " + task.bundle()).start(() -> ask(task, shim, built, answer));
    Duration limit = Limits.atMost(timeouts.operation());
    try {
      return answer.get(limit.toNanos(), TimeUnit.NANOSECONDS).getPid();
    } catch (TimeoutException e) {
      throw new DeadlineExceededException("creation of task " + task.id(), e);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof ContainerdException refused) {
        throw refused;
      }
      throw new UnavailableException("creation of task " + task.id() + ": " + e.getCause(), e);
    }
  }

  /**
   * Asks the shim, on a thread that the caller's cancel does not reach: whoever undoes a creation
   * that came too late must know how it ended, or the shim would have a task that nobody knows of.
   */
  private void ask(
      Task task,
      Shim shim,
      CreateTaskRequest message,
      CompletableFuture<CreateTaskResponse> answer) {
    try {
      answer.complete(
          shim.firstCall(
              task.namespace(),
              "Create",
              message,
              CreateTaskResponse.parser(),
              Optional.of(timeouts.operation())));
    } catch (RuntimeException e) {
      answer.completeExceptionally(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      answer.completeExceptionally(e);
    }
  }

  /**
   * Mounts with mapped ids need a runtime that says it can do them; others would ignore the map.
   */
  private void checkIdMaps(Task task, Spec spec, CreateTask request) throws InterruptedException {
    if (!spec.usesIdMappedMounts()) {
      return;
    }
    Boolean known = mapsIds.get(task.runtime());
    if (known == null) {
      known = mapsIds(task, request);
      mapsIds.put(task.runtime(), known);
    }
    if (!known) {
      throw new UnknownException("idmap mounts not supported by runtime " + task.runtime());
    }
  }

  private boolean mapsIds(Task task, CreateTask request) throws InterruptedException {
    RuntimeInfo info =
        task.launcher()
            .orElseThrow()
            .info(task.runtime(), options(request), Limits.atMost(Duration.ofSeconds(30)));
    return info.hasFeatures()
        && JsonObject.parse(info.getFeatures().getValue().toByteArray())
            .object("linux")
            .flatMap(l -> l.object("mountExtensions"))
            .flatMap(m -> m.object("idmap"))
            .map(i -> i.flag("enabled"))
            .orElse(false);
  }
}
