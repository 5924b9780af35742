package io.jcontainerd.runtime.sandbox;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.Identifiers;
import io.jcontainerd.core.Platform;
import io.jcontainerd.core.TypedValue;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.UnknownException;
import io.jcontainerd.core.ports.Files;
import io.jcontainerd.core.ports.Kernel;
import io.jcontainerd.core.ports.Processes;
import io.jcontainerd.core.sandboxes.Sandbox;
import io.jcontainerd.core.sandboxes.SandboxController;
import io.jcontainerd.core.tasks.Exit;
import io.jcontainerd.core.tasks.TaskProcess;
import io.jcontainerd.core.tasks.TaskRuntime;
import io.jcontainerd.core.tasks.TaskStatus;
import io.jcontainerd.oci.json.JsonObject;
import io.jcontainerd.oci.runtime.LinuxNamespace;
import io.jcontainerd.oci.runtime.Spec;
import io.jcontainerd.runtime.bundle.Bundle;
import io.jcontainerd.runtime.bundle.Bundles;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.ExecutionException;

/**
 * Pods, kept by the daemon itself: namespaces that containers share.
 *
 * <p>A pod is described by the OCI specification of its record: which of the network, ipc and uts
 * namespaces are made for it and which are joined, its host name and its sysctls. Without one it
 * gets all three. They are held by files and so need no process. A specification with a process
 * makes a task of it, in the pod's root file system, which holds the namespaces instead; that is
 * for pods whose containers share process ids, and for clients that want a pause image.
 *
 * <p>A start and the extra of a state tell an OCI specification with the namespaces to join. A pod
 * outlives the daemon and is found again by {@link #recover}. Stopping it ends its process but not
 * its namespaces, which go when it is shut down.
 */
public final class PodSandboxes implements SandboxController {
  private static final System.Logger LOG = System.getLogger("io.jcontainerd.runtime");
  private static final String NAMESPACES = "namespaces";
  private static final String READY = "SANDBOX_READY";
  private static final String NOT_READY = "SANDBOX_NOTREADY";
  private static final Duration PATIENCE = Duration.ofMinutes(1);

  private final EntryTable<Pod> pods = new EntryTable<>();
  private final Bundles bundles;
  private final NamespaceFiles pins;
  private final PauseProcess pause;
  private final Platform platform;

  /**
   * No pods yet.
   *
   * @param bundles of pods, apart from those of tasks
   * @param tasks for the processes of pods that have one
   * @param platform of this machine
   */
  public PodSandboxes(
      Bundles bundles,
      Files files,
      Kernel kernel,
      Processes processes,
      TaskRuntime tasks,
      Platform platform) {
    this.bundles = bundles;
    this.pins = new NamespaceFiles(files, kernel, processes);
    this.pause = new PauseProcess(tasks);
    this.platform = platform;
  }

  private static Path folder(Bundle bundle) {
    return bundle.path().resolve(NAMESPACES);
  }

  // ---- a pod's life ----

  @Override
  public void create(Creation creation) throws InterruptedException {
    Bundle bundle = bundles.at(Call.currentNamespace(), Identifiers.check(creation.sandbox().id()));
    PodPlan plan = PodPlan.of(creation);
    if (plan.process().isEmpty() && !creation.rootfs().isEmpty()) {
      throw new InvalidArgumentException(
          "pod " + bundle.id() + " has a root file system and no process to run there");
    }
    var pod = new Pod(bundle, PodState.making(plan.process().isPresent()));
    pods.reserve(pod, PATIENCE);
    boolean done = false;
    boolean bundleMade = false;
    boolean processMade = false;
    try {
      bundles.create(bundle.namespace(), bundle.id(), new byte[0], OptionalInt.empty(), "");
      bundleMade = true;
      pod.save(bundles);
      PodState made = pod.state();
      List<LinuxNamespace> shared;
      if (plan.process().isPresent()) {
        pause.create(creation, plan.process().get());
        processMade = true;
        shared = plan.namespaces();
      } else {
        shared = pins.make(folder(bundle), plan);
      }
      pod.change(made, made.created(shared));
      pod.save(bundles);
      done = pod.advance(Entry.Stage.MAKING, Entry.Stage.LIVE);
    } finally {
      if (!done && pod.advance(Entry.Stage.MAKING, Entry.Stage.ENDING)) {
        if (bundleMade) {
          // a creation that failed has undone itself; a task of that id is somebody else's
          boolean ours = processMade;
          pods.detached(pod, () -> remove(pod, ours));
        }
        pods.free(pod);
      }
    }
  }

  @Override
  public Started start(String id) throws InterruptedException {
    Pod pod = pods.live(id);
    PodState before = pod.state();
    int pid = before.phase() == PodState.Phase.CREATED && before.process() ? pause.start(id) : 0;
    Instant now = Instant.now();
    if (before.phase() != PodState.Phase.CREATED || !pod.change(before, before.ready(now))) {
      throw new FailedPreconditionException("sandbox \"" + id + "\" was started already");
    }
    pod.save(bundles);
    return new Started(pid, now, Optional.of(document(pod.state(), pid)), Endpoint.NONE);
  }

  /** What containers of the pod have to join. */
  private static TypedValue document(PodState state, int pid) {
    Spec spec = new Spec(JsonObject.EMPTY).withOciVersion("1.2.0");
    for (LinuxNamespace namespace : state.namespaces()) {
      if (namespace.path().isPresent()) {
        spec = spec.withNamespace(namespace);
      } else if (pid > 0) {
        String path = "/proc/" + pid + "/ns/" + NamespaceFiles.name(namespace.type());
        spec = spec.withNamespace(new LinuxNamespace(namespace.type(), Optional.of(path)));
      }
    }
    return new TypedValue(Spec.TYPE_URL, spec.toBytes());
  }

  @Override
  public void stop(String id, Duration patience) throws InterruptedException {
    Optional<Pod> found = pods.find(id);
    if (found.isEmpty()) {
      return;
    }
    Pod pod = found.get();
    Instant at = pod.state().process() ? pause.end(id, patience) : Instant.now();
    PodState before = pod.state();
    while (before.phase() != PodState.Phase.STOPPED) {
      if (pod.change(before, before.stopped(at))) {
        pod.save(bundles);
        pod.end(new End(0, at));
        return;
      }
      before = pod.state();
    }
  }

  @Override
  public End await(String id) throws InterruptedException {
    Pod pod = pods.live(id);
    if (pod.state().process()) {
      Exit exit = pause.await(id);
      return new End(exit.status(), exit.exitedAt());
    }
    try {
      return pod.ended().get();
    } catch (ExecutionException e) {
      throw new AssertionError("never completed with a failure", e);
    }
  }

  @Override
  public void shutdown(String id) throws InterruptedException {
    Pod pod = pods.live(id);
    if (!pod.advance(Entry.Stage.LIVE, Entry.Stage.ENDING)) {
      throw new FailedPreconditionException("sandbox \"" + id + "\" is being removed");
    }
    Optional<ContainerdException> failure =
        pods.detached(pod, () -> remove(pod, pod.state().process()));
    if (failure.isPresent()) {
      pod.advance(Entry.Stage.ENDING, Entry.Stage.LIVE); // so that it can be tried again
      throw failure.get();
    }
    pod.end(new End(0, Instant.now()));
    pods.free(pod);
  }

  private void remove(Pod pod, boolean process) throws InterruptedException {
    if (process) {
      pause.remove(pod.bundle().id());
    }
    pins.remove(folder(pod.bundle()));
    bundles.delete(pod.bundle());
  }

  // ---- questions ----

  @Override
  public Platform platform(String id) {
    Pod pod = pods.live(id);
    LOG.log(Level.DEBUG, "platform of {0}", pod.bundle());
    return platform;
  }

  @Override
  public Status status(String id, boolean verbose) throws InterruptedException {
    Optional<Pod> pod = pods.find(id);
    return pod.isPresent() ? status(pod.get(), verbose) : Status.unknown(Instant.now());
  }

  private Status status(Pod pod, boolean verbose) throws InterruptedException {
    PodState state = pod.state();
    Optional<TaskProcess> process =
        state.process() ? pause.find(pod.bundle().id()) : Optional.empty();
    boolean holds = !state.process() || process.filter(PauseProcess::runs).isPresent();
    int pid = process.filter(PauseProcess::runs).map(TaskProcess::pid).orElse(0);
    Optional<Instant> exitedAt = process.flatMap(TaskProcess::exitedAt).or(state::exitedAt);
    TypedValue document = document(state, pid);
    return new Status(
        pid,
        state.phase() == PodState.Phase.READY && holds ? READY : NOT_READY,
        verbose ? info(state, document) : Map.of(),
        state.startedAt(),
        exitedAt,
        Optional.of(document),
        Endpoint.NONE);
  }

  private static Map<String, String> info(PodState state, TypedValue document) {
    var info = new LinkedHashMap<String, String>();
    info.put("phase", state.phase().name().toLowerCase(java.util.Locale.ROOT));
    Spec.parse(document.value())
        .namespaces()
        .forEach(n -> info.put("namespace." + n.type(), n.path().orElse("")));
    return info;
  }

  @Override
  public Metrics metrics(String id) throws InterruptedException {
    Pod pod = pods.live(id);
    if (!pod.state().process()) {
      return new Metrics(Instant.now(), id, Optional.empty());
    }
    TaskRuntime.Metrics metrics = pause.metrics(id);
    return new Metrics(metrics.timestamp(), id, Optional.of(metrics.data()));
  }

  /** Nothing of a pod can be changed. */
  @Override
  public void update(Sandbox sandbox, List<String> fields) {
    LOG.log(Level.DEBUG, "sandbox {0} was updated: {1}", sandbox.id(), fields);
  }

  // ---- the daemon's life ----

  /**
   * Finds the pods of an earlier daemon again, and removes those that are not whole. To be called
   * once, after the tasks were found again and before the first request.
   */
  public void recover() throws InterruptedException {
    for (Bundle bundle : bundles.list()) {
      try {
        load(bundle);
      } catch (ContainerdException e) {
        LOG.log(Level.ERROR, bundle + " could not be recovered", e);
      }
    }
    Set<Bundle> kept = new HashSet<>(bundles.list());
    bundles.deleteStrays(kept);
  }

  private void load(Bundle bundle) throws InterruptedException {
    var pod = new Pod(bundle, read(bundle));
    pods.reserve(pod, PATIENCE);
    PodState state = pod.state();
    boolean whole =
        state.phase() != PodState.Phase.MAKING
            && (state.process() || pins.areWhole(folder(bundle)));
    if (whole) {
      if (state.exitedAt().isPresent()) {
        pod.end(new End(0, state.exitedAt().get()));
      }
      pod.advance(Entry.Stage.MAKING, Entry.Stage.LIVE);
      return;
    }
    LOG.log(Level.WARNING, "the pod of {0} is not whole, removing it", bundle);
    pod.advance(Entry.Stage.MAKING, Entry.Stage.ENDING);
    Optional<ContainerdException> failure =
        pods.detached(pod, () -> remove(pod, state.process() && hasUnstarted(bundle.id())));
    pods.free(pod);
    if (failure.isPresent()) {
      throw new UnknownException(bundle + ": " + failure.get().getMessage(), failure.get());
    }
  }

  /**
   * A pod that was never whole never had its process started: a task of its id that was is somebody
   * else's, which was there before and made the creation fail.
   */
  private boolean hasUnstarted(String id) throws InterruptedException {
    return pause.find(id).filter(found -> found.status() == TaskStatus.CREATED).isPresent();
  }

  private PodState read(Bundle bundle) {
    try {
      return bundles.read(bundle, Pod.FILE).map(PodState::parse).orElse(PodState.making(false));
    } catch (InvalidArgumentException e) {
      LOG.log(Level.WARNING, bundle + ": its state cannot be read", e);
      return PodState.making(false); // it need not have had one, and a task may be anybody's
    }
  }
}
