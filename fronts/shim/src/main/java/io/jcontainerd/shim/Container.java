package io.jcontainerd.shim;

import io.jcontainerd.core.events.Event;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.UnknownException;
import io.jcontainerd.linux.cgroup.ContainerCgroup;
import io.jcontainerd.linux.cgroup.OomWatcher;
import io.jcontainerd.linux.process.ExitStatus;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * One container and what may happen to it. Its monitor guards all that changes, here and in its
 * processes, and is never held during I/O.
 *
 * <p>Two orders are kept here. A process that ends while its start is under way is reported after
 * the start: the exit is held by {@link #exitArrived} and handed out by {@link #startOver}. And the
 * first process is reported after all the others: its exit is held while execs run or are being
 * started, and no further one may begin.
 */
final class Container {
  private final String namespace;
  private final String id;
  private final Path bundle;
  private final OciRuntime runtime;
  private final ContainerProcess init;

  // guarded by this
  private final Map<String, ContainerProcess> execs = new LinkedHashMap<>();
  private int activeExecs;
  private boolean initEnded;
  private @Nullable ExitStatus heldInitExit;
  private @Nullable ContainerCgroup cgroup;
  private OomWatcher.@Nullable Watch memoryWatch;

  /** Held only while this container's record is written or removed. */
  final ReentrantLock saving = new ReentrantLock();

  /** Whether the record was removed for good; guarded by {@link #saving}. */
  boolean forgotten;

  /** The event that tells its deletion, from shortly before it is told. */
  volatile Optional<Event.Origin> deletion = Optional.empty();

  /** Whether the host mounted the root file system, and so has to unmount it. */
  volatile boolean rootMounted;

  /** Whether processes can outlive the first one, for lack of a PID namespace of their own. */
  volatile boolean killAllOnExit;

  /** The folder that its start brings it back from; empty for a container that is made afresh. */
  volatile String checkpoint = "";

  /** Whether its daemon has given it up and tells its end itself: nothing is told of it here. */
  volatile boolean givenUp;

  Container(String namespace, String id, Path bundle, OciRuntime runtime, ContainerProcess init) {
    this.namespace = namespace;
    this.id = id;
    this.bundle = bundle;
    this.runtime = runtime;
    this.init = init;
  }

  String namespace() {
    return namespace;
  }

  String id() {
    return id;
  }

  Path bundle() {
    return bundle;
  }

  /** Where the root file system is mounted if the request brought mounts. */
  Path rootfs() {
    return bundle.resolve("rootfs");
  }

  OciRuntime runtime() {
    return runtime;
  }

  ContainerProcess init() {
    return init;
  }

  synchronized Optional<ContainerCgroup> cgroup() {
    return Optional.ofNullable(cgroup);
  }

  synchronized void cgroup(ContainerCgroup found) {
    cgroup = found;
  }

  synchronized void memoryWatch(OomWatcher.Watch watch) {
    memoryWatch = watch;
  }

  /** Ends the watch; whether the kernel has killed for lack of memory and nobody was told yet. */
  boolean endMemoryWatch() {
    OomWatcher.Watch watch;
    synchronized (this) {
      watch = memoryWatch;
      memoryWatch = null;
    }
    return watch != null && watch.end();
  }

  /** The process with that exec id; the first one for an empty id. */
  synchronized ContainerProcess process(String execId) {
    if (execId.isEmpty()) {
      return init;
    }
    ContainerProcess exec = execs.get(execId);
    if (exec == null) {
      throw new NotFoundException("exec " + execId + " of container " + id);
    }
    return exec;
  }

  /** Whether it waits to be brought back from a checkpoint: there is no process yet. */
  synchronized boolean awaitsRestore() {
    return !checkpoint.isEmpty() && init.phase == Phase.CREATED && init.identity == null;
  }

  /** The execs in the order in which they were added. */
  synchronized List<ContainerProcess> execs() {
    return List.copyOf(execs.values());
  }

  /** Adds an exec that is not started yet. */
  synchronized void add(ContainerProcess exec) {
    switch (init.phase) {
      case PAUSED, PAUSING -> throw new UnknownException("cannot exec in a paused state");
      case STOPPED -> throw new UnknownException("cannot exec in a stopped state");
      case CREATED, RUNNING -> {}
    }
    if (awaitsRestore()) {
      throw new UnknownException("cannot exec in a container that is not restored yet");
    }
    if (execs.putIfAbsent(exec.execId(), exec) != null) {
      throw new AlreadyExistsException("exec " + exec.execId() + " of container " + id);
    }
  }

  /** Takes in an exec that an earlier host had. */
  synchronized void adopt(ContainerProcess exec) {
    execs.put(exec.execId(), exec);
    if (exec.phase == Phase.RUNNING) {
      activeExecs++;
    }
  }

  synchronized void remove(ContainerProcess exec) {
    execs.remove(exec.execId(), exec);
  }

  /** What is reported of a process: an exec that runs is paused when the container is. */
  synchronized Phase phase(ContainerProcess process) {
    if (!process.isInit()
        && process.phase == Phase.RUNNING
        && (init.phase == Phase.PAUSED || init.phase == Phase.PAUSING)) {
      return init.phase;
    }
    return process.phase;
  }

  /** A start begins; from now on an exit of the process is held. */
  synchronized void startBegins(ContainerProcess process) {
    if (process.phase != Phase.CREATED || (process.identity != null && !process.isInit())) {
      throw new UnknownException(
          "cannot start a "
              + word(process.phase)
              + " process: "
              + (process.isInit() ? "container " + id : "exec " + process.execId()));
    }
    if (!process.isInit()) {
      if (initEnded || init.phase == Phase.STOPPED) {
        throw new FailedPreconditionException("container " + id + " init process is not running");
      }
      if (init.phase == Phase.PAUSED || init.phase == Phase.PAUSING) {
        throw new UnknownException("cannot start an exec in a paused state");
      }
      activeExecs++;
    }
    process.starting = true;
  }

  /**
   * A start is over and its event, if it succeeded, is out.
   *
   * @return the exit of the process, if it came meanwhile
   */
  synchronized Optional<ExitStatus> startOver(ContainerProcess process) {
    process.starting = false;
    ExitStatus held = process.heldExit;
    process.heldExit = null;
    return Optional.ofNullable(held);
  }

  /**
   * The process ended.
   *
   * @return whether that may be reported now
   */
  synchronized boolean exitArrived(ContainerProcess process, ExitStatus exit) {
    if (process.starting) {
      process.heldExit = exit;
      return false;
    }
    return true;
  }

  /**
   * The first process has ended: no exec may begin any more.
   *
   * @return whether no exec is left, so that the exit may be reported now
   */
  synchronized boolean initEnds(ExitStatus exit) {
    initEnded = true;
    if (activeExecs > 0) {
      heldInitExit = exit;
      return false;
    }
    return true;
  }

  /**
   * An exec is over: it ended and was reported, or it could not be started.
   *
   * @return the exit of the first process, if it was held for this and may be reported now
   */
  synchronized Optional<ExitStatus> execOver() {
    activeExecs--;
    if (activeExecs > 0 || heldInitExit == null) {
      return Optional.empty();
    }
    ExitStatus held = heldInitExit;
    heldInitExit = null;
    return Optional.of(held);
  }

  private static String word(Phase phase) {
    return phase.name().toLowerCase(Locale.ROOT);
  }
}
