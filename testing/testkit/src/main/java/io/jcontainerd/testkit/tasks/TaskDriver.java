package io.jcontainerd.testkit.tasks;

import static org.assertj.core.api.Assertions.assertThat;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.TypedValue;
import io.jcontainerd.core.containers.Container;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.core.tasks.CreateTask;
import io.jcontainerd.core.tasks.Exit;
import io.jcontainerd.core.tasks.Stdio;
import io.jcontainerd.core.tasks.TaskProcess;
import io.jcontainerd.core.tasks.TaskRuntime;
import io.jcontainerd.core.tasks.TaskStatus;
import io.jcontainerd.oci.json.JsonObject;
import io.jcontainerd.oci.runtime.Spec;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;

/**
 * Containers and tasks of one namespace of a daemon. Closing it kills and removes whatever it made
 * and is still there. Safe for many threads.
 */
public final class TaskDriver implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger(TaskDriver.class.getName());

  /** Longer than anything takes that is not a failure. */
  public static final Duration LIMIT = Duration.ofMinutes(2);

  /** The control group that those of all containers are in, if systemd does not make them. */
  public static final String CGROUP = "/jc-tasks/";

  public static final int KILL = 9;
  public static final int TERM = 15;

  private static final AtomicInteger COUNT = new AtomicInteger();

  private final TaskSubject subject;
  private final String namespace;
  private final BusyboxRoot root;
  private final Set<Box> made = ConcurrentHashMap.newKeySet();

  /** A driver for a namespace that is its own. */
  public TaskDriver(TaskSubject subject, String namespace, BusyboxRoot root) {
    this.subject = subject;
    this.namespace = namespace;
    this.root = root;
  }

  public String namespace() {
    return namespace;
  }

  /** A name that was not used before. */
  public static String freshId(String prefix) {
    return prefix + "-" + COUNT.incrementAndGet();
  }

  /** A call. */
  @FunctionalInterface
  public interface Doing<T> {
    T run() throws InterruptedException;
  }

  private <T> T call(Doing<T> doing) throws InterruptedException {
    return Call.in(namespace).<T, InterruptedException>call(doing::run);
  }

  /** The daemon's tasks, in the namespace. */
  public <T> T tasks(Asking<T> asking) throws InterruptedException {
    return call(() -> asking.ask(subject.tasks()));
  }

  /** What is asked of tasks. */
  @FunctionalInterface
  public interface Asking<T> {
    T ask(TaskRuntime tasks) throws InterruptedException;
  }

  /** The tasks of the namespace. */
  public List<TaskProcess> list() throws InterruptedException {
    return tasks(TaskRuntime::list);
  }

  /** A container that is recorded, without a task. */
  public Box box(String... command) throws InterruptedException {
    return box(UnaryOperator.identity(), command);
  }

  /** A container that is recorded, without a task, of a changed specification. */
  public Box box(UnaryOperator<Spec> change, String... command) throws InterruptedException {
    return named(freshId("t"), change, command);
  }

  /** The same with a name. */
  public Box named(String id, UnaryOperator<Spec> change, String... command)
      throws InterruptedException {
    Spec spec = change.apply(root.spec(subject.cgroup(namespace + "-" + id), command));
    Container record =
        call(
            () ->
                subject
                    .containers()
                    .create(
                        new Container(
                            id,
                            Map.of(),
                            "",
                            new Container.Runtime(subject.runtime(), subject.options()),
                            Optional.of(new TypedValue(Spec.TYPE_URL, spec.toBytes())),
                            "",
                            "",
                            Map.of(),
                            "",
                            Instant.EPOCH,
                            Instant.EPOCH)));
    Box box = new Box(record);
    made.add(box);
    return box;
  }

  /** A running task without streams. */
  public Box running(String... command) throws InterruptedException {
    Box box = box(command);
    int _ = box.create(Stdio.NONE);
    int _ = box.start();
    return box;
  }

  /** One container and its task. */
  public final class Box {
    private final Container record;

    private Box(Container record) {
      this.record = record;
    }

    public String id() {
      return record.id();
    }

    /** Creates the task; the first process's number. */
    public int create(Stdio stdio) throws InterruptedException {
      return create(stdio, List.of());
    }

    /** The same with mounts that make its root. */
    public int create(Stdio stdio, List<Mount> rootfs) throws InterruptedException {
      return tasks(
          t -> t.create(new CreateTask(record, rootfs, stdio, Optional.empty(), "", "", "", 0)));
    }

    public int start() throws InterruptedException {
      return tasks(t -> t.start(id(), ""));
    }

    /** Waits for the end of the first process. */
    public Exit await() throws InterruptedException {
      return await("");
    }

    /** Waits for the end of a process. */
    public Exit await(String execId) throws InterruptedException {
      return within(LIMIT, () -> tasks(t -> t.waitFor(id(), execId)));
    }

    /** A wait that has begun. */
    public FutureTask<Exit> waiting(String execId) {
      return begin(() -> tasks(t -> t.waitFor(id(), execId)));
    }

    public TaskProcess state() throws InterruptedException {
      return state("");
    }

    public TaskProcess state(String execId) throws InterruptedException {
      return tasks(t -> t.get(id(), execId));
    }

    public TaskStatus status() throws InterruptedException {
      return state().status();
    }

    public void kill(int signal) throws InterruptedException {
      kill("", signal, false);
    }

    public void kill(String execId, int signal, boolean all) throws InterruptedException {
      TaskDriver.this.<Boolean>tasks(
          t -> {
            t.kill(id(), execId, signal, all);
            return true;
          });
    }

    public Exit delete() throws InterruptedException {
      return tasks(t -> t.delete(id()));
    }

    /** Kills, waits and deletes. */
    public Exit end() throws InterruptedException {
      kill("", KILL, true);
      Exit _ = await();
      return delete();
    }

    /** Adds an exec. */
    public void exec(String execId, Stdio stdio, String... command) throws InterruptedException {
      exec(execId, stdio, BusyboxRoot.process(command));
    }

    /** Adds an exec. */
    public void exec(String execId, Stdio stdio, JsonObject process) throws InterruptedException {
      JsonObject whole = process.with("terminal", stdio.terminal());
      TaskDriver.this.<Boolean>tasks(
          t -> {
            t.exec(id(), execId, stdio, new TypedValue(Spec.PROCESS_TYPE_URL, whole.toBytes()));
            return true;
          });
    }

    public int start(String execId) throws InterruptedException {
      return tasks(t -> t.start(id(), execId));
    }

    public Exit delete(String execId) throws InterruptedException {
      return tasks(t -> t.deleteProcess(id(), execId));
    }

    /** Adds, starts and awaits an exec without streams, and deletes it; its status. */
    public int run(String... command) throws InterruptedException {
      String execId = freshId("e");
      exec(execId, Stdio.NONE, command);
      int _ = start(execId);
      int status = await(execId).status();
      assertThat(delete(execId).status()).isEqualTo(status);
      return status;
    }

    public void pause() throws InterruptedException {
      TaskDriver.this.<Boolean>tasks(
          t -> {
            t.pause(id());
            return true;
          });
    }

    public void resume() throws InterruptedException {
      TaskDriver.this.<Boolean>tasks(
          t -> {
            t.resume(id());
            return true;
          });
    }

    /** Deletes the record; the task is gone, and the driver does not look after it any more. */
    public void forget() throws InterruptedException {
      TaskDriver.this.<Boolean>call(
          () -> {
            subject.containers().delete(id());
            return true;
          });
      made.remove(this);
    }

    /** Removes whatever is left of it. */
    void remove() throws InterruptedException {
      if (hasTask()) {
        attempt(this::resume);
        attempt(() -> kill("", KILL, true));
        attempt(() -> await());
        attempt(() -> delete());
        assertThat(hasTask()).as("%s has a task that cannot be removed", id()).isFalse();
      }
      attempt(
          () ->
              TaskDriver.this.<Boolean>call(
                  () -> {
                    subject.containers().delete(id());
                    return true;
                  }));
    }

    private boolean hasTask() throws InterruptedException {
      try {
        return status() != TaskStatus.UNKNOWN;
      } catch (NotFoundException e) {
        return false;
      }
    }
  }

  private interface Step {
    void run() throws InterruptedException;
  }

  /** Part of a removal, which looks at its outcome in the end. */
  private static void attempt(Step step) throws InterruptedException {
    try {
      step.run();
    } catch (ContainerdException e) {
      assertThat(e).as("a failure of containerd's kind").isNotNull();
    }
  }

  /** Begins something on a thread of its own. */
  public static <T> FutureTask<T> begin(Doing<T> doing) {
    FutureTask<T> task = new FutureTask<>(doing::run);
    Thread.ofVirtual().start(task);
    return task;
  }

  /** What was begun, when it is there. */
  public static <T> T outcome(FutureTask<T> task) throws InterruptedException {
    try {
      return task.get(LIMIT.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof ContainerdException known) {
        throw known;
      }
      throw new AssertionError(e.getCause());
    } catch (TimeoutException e) {
      task.cancel(true);
      throw new AssertionError("no answer within " + LIMIT, e);
    }
  }

  private static <T> T within(Duration limit, Doing<T> doing) throws InterruptedException {
    assertThat(limit).isPositive();
    return outcome(begin(doing));
  }

  @Override
  public void close() throws InterruptedException {
    for (Box box : made) {
      box.remove();
    }
    made.clear();
  }

  /**
   * Removes the control group that those of all containers were in, for who is the last to have
   * any. While somebody has, it stays.
   */
  public static void removeGroup() throws IOException {
    Path top = Path.of("/sys/fs/cgroup");
    List<Path> hierarchies = new ArrayList<>(List.of(top));
    try (DirectoryStream<Path> each = Files.newDirectoryStream(top)) {
      each.forEach(hierarchies::add);
    }
    for (Path hierarchy : hierarchies) {
      try {
        Files.deleteIfExists(hierarchy.resolve(CGROUP.replace("/", "")));
      } catch (FileSystemException e) {
        LOG.log(Level.DEBUG, "in use", e);
      }
    }
  }
}
