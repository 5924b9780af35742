package io.jcontainerd.services;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.TypedValue;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.tasks.CreateTask;
import io.jcontainerd.core.tasks.Exit;
import io.jcontainerd.core.tasks.Stdio;
import io.jcontainerd.core.tasks.TaskProcess;
import io.jcontainerd.core.tasks.TaskRuntime;
import io.jcontainerd.core.tasks.TaskStatus;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.function.Consumer;

/** A runtime that runs nothing: it writes down what it was asked and answers as told. */
final class ScriptedRuntime implements TaskRuntime {
  static final Instant EXITED = Instant.parse("2026-01-02T03:04:05Z");

  /** What was asked, as text, in order. */
  final List<String> asked = new CopyOnWriteArrayList<>();

  final List<CreateTask> created = new CopyOnWriteArrayList<>();

  /** Ids of the tasks there are. */
  final List<String> tasks = new CopyOnWriteArrayList<>();

  /** By task id: what its numbers, or its state, fail with. */
  final Map<String, ContainerdException> failures = new ConcurrentHashMap<>();

  /** Released when the waited-for process shall end. */
  final CountDownLatch exit = new CountDownLatch(1);

  final CountDownLatch waited = new CountDownLatch(1);
  final CountDownLatch interrupted = new CountDownLatch(1);

  Consumer<CreateTask> onCreate = _ -> {};
  Consumer<String> onCheckpoint = _ -> {};

  private void ask(String what, Object... arguments) {
    List<String> words = new ArrayList<>(List.of(Call.currentNamespace(), what));
    for (Object argument : arguments) {
      words.add(argument.toString());
    }
    asked.add(String.join(" ", words));
  }

  private void known(String id) {
    if (!tasks.contains(id)) {
      throw new NotFoundException("task " + id + " not found");
    }
  }

  private void fail(String id) {
    ContainerdException failure = failures.get(id);
    if (failure != null) {
      throw failure;
    }
  }

  @Override
  public int create(CreateTask request) {
    ask("create", request.container().id());
    created.add(request);
    onCreate.accept(request);
    tasks.add(request.container().id());
    return 42;
  }

  @Override
  public int start(String containerId, String execId) {
    ask("start", containerId, execId);
    known(containerId);
    return execId.isEmpty() ? 42 : 43;
  }

  @Override
  public Exit delete(String containerId) {
    ask("delete", containerId);
    known(containerId);
    tasks.remove(containerId);
    return new Exit(42, 137, EXITED);
  }

  @Override
  public Exit deleteProcess(String containerId, String execId) {
    ask("deleteProcess", containerId, execId);
    return new Exit(43, 1, EXITED);
  }

  @Override
  public TaskProcess get(String containerId, String execId) {
    ask("get", containerId, execId);
    known(containerId);
    fail(containerId);
    return process(containerId, execId);
  }

  private static TaskProcess process(String containerId, String execId) {
    return new TaskProcess(
        containerId,
        execId,
        42,
        TaskStatus.RUNNING,
        new Stdio("i", "o", "", true),
        0,
        Optional.empty());
  }

  @Override
  public List<TaskProcess> list() {
    ask("list");
    return tasks.stream().map(id -> process(id, "")).toList();
  }

  @Override
  public void kill(String containerId, String execId, int signal, boolean all) {
    ask("kill", containerId, execId, signal, all);
  }

  @Override
  public void exec(String containerId, String execId, Stdio stdio, TypedValue spec) {
    ask("exec", containerId, execId, stdio, spec.typeUrl());
  }

  @Override
  public void resizePty(String containerId, String execId, int width, int height) {
    ask("resizePty", containerId, execId, width, height);
  }

  @Override
  public void closeStdin(String containerId, String execId) {
    ask("closeStdin", containerId, execId);
  }

  @Override
  public void pause(String containerId) {
    ask("pause", containerId);
  }

  @Override
  public void resume(String containerId) {
    ask("resume", containerId);
  }

  @Override
  public List<Pid> pids(String containerId) {
    ask("pids", containerId);
    return List.of(
        new Pid(42, Optional.empty()),
        new Pid(43, Optional.of(new TypedValue("containerd.runc.v1.ProcessDetails", new byte[0]))));
  }

  @Override
  public void checkpoint(String containerId, String path, Optional<TypedValue> options) {
    ask("checkpoint", containerId);
    onCheckpoint.accept(path);
  }

  @Override
  public void update(String containerId, TypedValue resources, Map<String, String> annotations) {
    String json = new String(resources.value(), StandardCharsets.UTF_8);
    ask("update", containerId, resources.typeUrl(), json, annotations);
  }

  @Override
  public Metrics metrics(String containerId) {
    fail(containerId);
    return new Metrics(
        containerId, EXITED, new TypedValue("io.containerd.cgroups.v1.Metrics", new byte[0]));
  }

  @Override
  public Exit waitFor(String containerId, String execId) throws InterruptedException {
    ask("waitFor", containerId, execId);
    waited.countDown();
    try {
      exit.await();
    } catch (InterruptedException e) {
      interrupted.countDown();
      throw e;
    }
    return new Exit(42, 7, EXITED);
  }

  @Override
  public TypedValue runtimeInfo(Optional<TypedValue> request) {
    throw new UnsupportedOperationException("asked by introspection, not by tasks");
  }
}
