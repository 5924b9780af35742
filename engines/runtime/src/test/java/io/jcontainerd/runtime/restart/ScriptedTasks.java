package io.jcontainerd.runtime.restart;

import io.jcontainerd.core.TypedValue;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.tasks.CreateTask;
import io.jcontainerd.core.tasks.Exit;
import io.jcontainerd.core.tasks.Stdio;
import io.jcontainerd.core.tasks.TaskProcess;
import io.jcontainerd.core.tasks.TaskRuntime;
import io.jcontainerd.core.tasks.TaskStatus;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;

/** Tasks that are but their states. */
final class ScriptedTasks implements TaskRuntime {
  /** What was asked of them, in order. */
  final List<String> asked = new ArrayList<>();

  final List<CreateTask> created = new ArrayList<>();
  private final Map<String, TaskStatus> states = new HashMap<>();
  private final Map<String, Integer> exits = new HashMap<>();
  private @Nullable ContainerdException startFailure;
  private @Nullable ContainerdException stateFailure;
  private @Nullable CountDownLatch endless;
  private Runnable meanwhile = () -> {};

  synchronized void set(String id, TaskStatus status) {
    states.put(id, status);
  }

  synchronized void ended(String id, int status) {
    states.put(id, TaskStatus.STOPPED);
    exits.put(id, status);
  }

  synchronized Optional<TaskStatus> status(String id) {
    return Optional.ofNullable(states.get(id));
  }

  /** From now on each start fails so; not any more with null. */
  synchronized void failStarts(@Nullable ContainerdException failure) {
    startFailure = failure;
  }

  synchronized void failStates(@Nullable ContainerdException failure) {
    stateFailure = failure;
  }

  /** What others do just after a state was looked at. */
  synchronized void meanwhile(Runnable act) {
    meanwhile = act;
  }

  /** Killed processes do not end before the latch is down. */
  synchronized void endWith(CountDownLatch latch) {
    endless = latch;
  }

  private TaskStatus known(String id) {
    TaskStatus status = states.get(id);
    if (status == null) {
      throw new NotFoundException("task " + id);
    }
    return status;
  }

  @Override
  public synchronized int create(CreateTask request) {
    String id = request.container().id();
    asked.add("create " + id);
    if (states.putIfAbsent(id, TaskStatus.CREATED) != null) {
      throw new AlreadyExistsException("task " + id);
    }
    created.add(request);
    return 1;
  }

  @Override
  public synchronized int start(String id, String execId) {
    asked.add("start " + id);
    known(id);
    if (startFailure != null) {
      throw startFailure;
    }
    states.put(id, TaskStatus.RUNNING);
    return 1;
  }

  @Override
  public synchronized Exit delete(String id) {
    asked.add("delete " + id);
    known(id);
    states.remove(id);
    return new Exit(1, exits.getOrDefault(id, 0), Instant.EPOCH);
  }

  @Override
  public synchronized TaskProcess get(String id, String execId) {
    if (stateFailure != null) {
      throw stateFailure;
    }
    meanwhile.run();
    return new TaskProcess(
        id, "", 1, known(id), Stdio.NONE, exits.getOrDefault(id, 0), Optional.empty());
  }

  @Override
  public synchronized void kill(String id, String execId, int signal, boolean all) {
    asked.add("kill " + id + " " + signal + (all ? " all" : ""));
    if (known(id) == TaskStatus.STOPPED) {
      throw new NotFoundException("process of " + id);
    }
    ended(id, 128 + signal);
  }

  @Override
  public Exit waitFor(String id, String execId) throws InterruptedException {
    CountDownLatch latch;
    synchronized (this) {
      known(id);
      latch = endless;
    }
    if (latch != null) {
      latch.await();
    }
    return new Exit(1, 0, Instant.EPOCH);
  }

  @Override
  public Exit deleteProcess(String id, String execId) {
    throw new AssertionError("not of interest here");
  }

  @Override
  public List<TaskProcess> list() {
    throw new AssertionError("not of interest here");
  }

  @Override
  public void exec(String id, String execId, Stdio stdio, TypedValue spec) {
    throw new AssertionError("not of interest here");
  }

  @Override
  public void resizePty(String id, String execId, int width, int height) {
    throw new AssertionError("not of interest here");
  }

  @Override
  public void closeStdin(String id, String execId) {
    throw new AssertionError("not of interest here");
  }

  @Override
  public void pause(String id) {
    throw new AssertionError("not of interest here");
  }

  @Override
  public void resume(String id) {
    throw new AssertionError("not of interest here");
  }

  @Override
  public List<Pid> pids(String id) {
    throw new AssertionError("not of interest here");
  }

  @Override
  public void checkpoint(String id, String path, Optional<TypedValue> options) {
    throw new AssertionError("not of interest here");
  }

  @Override
  public void update(String id, TypedValue resources, Map<String, String> annotations) {
    throw new AssertionError("not of interest here");
  }

  @Override
  public Metrics metrics(String id) {
    throw new AssertionError("not of interest here");
  }

  @Override
  public TypedValue runtimeInfo(Optional<TypedValue> request) {
    throw new AssertionError("not of interest here");
  }
}
