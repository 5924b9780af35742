package io.jcontainerd.runtime.restart;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.containers.Container;
import io.jcontainerd.core.containers.ContainerStore;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.filter.Filter;
import io.jcontainerd.core.namespaces.NamespaceStore;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.core.snapshots.Snapshotter;
import io.jcontainerd.core.tasks.TaskProcess;
import io.jcontainerd.core.tasks.TaskRuntime;
import io.jcontainerd.core.tasks.TaskStatus;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/**
 * Looks at intervals for containers whose labels wish them running or stopped, and makes it so.
 *
 * <p>Each container is tended on a thread of its own, and by one at a time: one whose end takes
 * long holds up no other. Whoever makes a container writes its labels first, creates its task and
 * then starts it; so a task that is not there yet, or not started, is left to them for one
 * interval.
 *
 * <p>Closing lets a restart that has begun come to its end, for what was deleted to make room is
 * known to nobody else; for some seconds.
 */
public final class RestartMonitor implements AutoCloseable {
  /** The policies that it knows, in the words of labels. */
  public static final List<String> POLICIES =
      List.of("no", "always", "on-failure", "unless-stopped");

  private static final Logger LOG = System.getLogger("io.jcontainerd.runtime");

  /** What a killed process and a new task may take. */
  private static final Duration LIMIT = Duration.ofMinutes(2);

  private static final Duration GRACE = Duration.ofSeconds(10);

  /** What is taken for the status of a process that could not be started. */
  private static final int FAILED = 255;

  /** Whole values, for which a store need not read every container there is. */
  private static final Filter WISHED =
      Filter.any(
          List.of(
              "labels.\"" + Wish.STATUS + "\"==running",
              "labels.\"" + Wish.STATUS + "\"==stopped"));

  private final NamespaceStore namespaces;
  private final ContainerStore containers;
  private final TaskRuntime tasks;
  private final Restarts restarts;
  private final Duration interval;
  private final Time time;
  private final ExecutorService workers = Executors.newVirtualThreadPerTaskExecutor();
  private final Map<Key, Note> notes = new ConcurrentHashMap<>();
  private final Set<Key> tended = ConcurrentHashMap.newKeySet();
  private final Thread loop;

  private record Key(String namespace, String id) {}

  /**
   * What is remembered of a container from one round to the next.
   *
   * @param waits whether its task was seen before it was started
   * @param failed whether the last restart failed
   * @param complaint what was said of it last, which is not said again
   */
  private record Note(boolean waits, boolean failed, String complaint) {
    static final Note NONE = new Note(false, false, "");
  }

  /** A monitor that does nothing before {@link #start}. */
  public RestartMonitor(
      NamespaceStore namespaces,
      ContainerStore containers,
      Map<String, Snapshotter> snapshotters,
      TaskRuntime tasks,
      Duration interval,
      Time time) {
    this.namespaces = namespaces;
    this.containers = containers;
    this.tasks = tasks;
    this.restarts = new Restarts(containers, snapshotters, tasks);
    this.interval = interval;
    this.time = time;
    this.loop = Thread.ofVirtual().name("restart-monitor").unstarted(this::rounds);
  }

  /** Looks now, and from now on at each interval. */
  public RestartMonitor start() {
    loop.start();
    return this;
  }

  private void rounds() {
    try {
      while (true) {
        try {
          var _ = round();
        } catch (ContainerdException e) {
          LOG.log(Level.WARNING, "looking for containers to run again", e);
        } catch (RuntimeException e) {
          LOG.log(Level.ERROR, "a bug: looking for containers to run again", e);
        }
        time.sleep(interval);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // closed
    }
  }

  /** Looks once. What it finds to do is done by others, who tell when they have. */
  List<Future<?>> round() {
    List<Future<?>> begun = new ArrayList<>();
    Set<Key> found = new HashSet<>();
    for (NamespaceStore.Namespace namespace : namespaces.list()) {
      Call call = Call.in(namespace.name());
      for (Container container : call.call(() -> containers.list(WISHED))) {
        var key = new Key(namespace.name(), container.id());
        found.add(key);
        if (tended.add(key)) {
          begun.add(workers.submit(() -> tend(key, container)));
        }
      }
    }
    notes.keySet().retainAll(found);
    return begun;
  }

  private void tend(Key key, Container container) {
    Note before = notes.getOrDefault(key, Note.NONE);
    Note after = before;
    try {
      var call =
          new Call(
              Optional.of(key.namespace()), Optional.empty(), Optional.of(time.now().plus(LIMIT)));
      after = call.call(() -> tended(key, container, before));
    } catch (ContainerdException e) {
      after = complain(key, before, e);
    } catch (InterruptedException e) {
      LOG.log(Level.DEBUG, "closed while " + key + " was tended", e);
      Thread.currentThread().interrupt();
    } catch (RuntimeException e) {
      LOG.log(Level.ERROR, "a bug: tending " + key, e);
    } finally {
      notes.put(key, after);
      tended.remove(key);
    }
  }

  private static Note complain(Key key, Note before, ContainerdException failure) {
    String text = String.valueOf(failure.getMessage());
    if (!text.equals(before.complaint())) {
      LOG.log(
          Level.WARNING,
          "container " + key.namespace() + "/" + key.id() + " is not kept as its labels ask",
          failure);
    }
    return new Note(before.waits(), before.failed(), text);
  }

  private Note tended(Key key, Container container, Note before) throws InterruptedException {
    Wish wish = Wish.of(container.labels());
    Optional<TaskProcess> task = task(container.id());
    if (!wish.running()) {
      if (task.isPresent()
          && task.get().status() != TaskStatus.STOPPED
          && now(container).filter(c -> !Wish.of(c.labels()).running()).isPresent()) {
        restarts.stop(container.id());
      }
      return Note.NONE;
    }
    switch (task.map(TaskProcess::status).orElse(TaskStatus.STOPPED)) {
      case RUNNING, PAUSED, PAUSING, UNKNOWN -> {
        return Note.NONE;
      }
      case CREATED -> {
        if (!before.waits()) {
          return new Note(true, before.failed(), before.complaint());
        }
      }
      case STOPPED -> {
        if (task.isEmpty() && !before.failed() && isNew(container)) {
          return before;
        }
      }
    }
    Optional<Container> now = now(container);
    if (now.isEmpty()) {
      return Note.NONE;
    }
    Wish still = Wish.of(now.get().labels());
    int status =
        task.filter(process -> process.status() == TaskStatus.STOPPED)
            .map(TaskProcess::exitStatus)
            .orElse(before.failed() ? FAILED : 0);
    if (!still.running()
        || !still.policy().wants(status, still.count(), still.explicitlyStopped())) {
      return before;
    }
    LOG.log(Level.INFO, "container {0}/{1} is run again", key.namespace(), key.id());
    try {
      restarts.restart(now.get(), still);
      return Note.NONE;
    } catch (ContainerdException e) {
      return complain(key, new Note(false, true, before.complaint()), e);
    }
  }

  private Optional<TaskProcess> task(String id) throws InterruptedException {
    try {
      return Optional.of(tasks.get(id, ""));
    } catch (NotFoundException e) {
      LOG.log(Level.DEBUG, "no task " + id, e);
      return Optional.empty();
    }
  }

  /**
   * The container as it is after its task was looked at: whoever ends a task on purpose tells so in
   * the labels first.
   */
  private Optional<Container> now(Container seen) {
    try {
      return Optional.of(containers.get(seen.id()));
    } catch (NotFoundException e) {
      LOG.log(Level.DEBUG, "container " + seen.id() + " is removed", e);
      return Optional.empty();
    }
  }

  private boolean isNew(Container container) {
    return container.createdAt().plus(interval).isAfter(time.now());
  }

  @Override
  public void close() {
    boolean interrupted = Thread.interrupted();
    try {
      loop.interrupt();
      loop.join(GRACE.toMillis());
      workers.shutdown();
      if (!workers.awaitTermination(GRACE.toNanos(), TimeUnit.NANOSECONDS)) {
        LOG.log(Level.WARNING, "restarts of containers are left half done");
      }
    } catch (InterruptedException e) {
      interrupted = true;
    } finally {
      workers.shutdownNow();
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
