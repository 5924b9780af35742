package io.jcontainerd.shim;

import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.UnknownException;
import io.jcontainerd.linux.cgroup.ContainerCgroup;
import io.jcontainerd.linux.process.Child;
import io.jcontainerd.linux.terminal.Terminals.WindowSize;
import io.jcontainerd.oci.json.JsonObject;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What can be done with a container that is there, between its creation and its deletion: signals,
 * freezing, limits, its terminal and input, its processes. Safe for many threads; operations on one
 * process that exclude each other take turns.
 */
final class ContainerControl {
  private static final Duration TURN = Duration.ofMinutes(2);

  /**
   * Runtimes whose containers are plain processes of this kernel, so that a signal is just that.
   */
  private static final Set<String> PLAIN = Set.of("runc", "crun");

  private final HostServices host;
  private final ContainerExits exits;

  ContainerControl(HostServices host, ContainerExits exits) {
    this.host = host;
    this.exits = exits;
  }

  /** Signals a process, or with {@code all} every process of the container. */
  void kill(Container container, String execId, int signal, boolean all)
      throws IOException, InterruptedException, OciRuntimeException {
    ContainerProcess process = container.process(execId);
    Phase phase;
    Child child;
    synchronized (container) {
      phase = process.phase;
      child = process.child;
    }
    if (phase == Phase.STOPPED) {
      throw finished(process);
    }
    if (process.isInit() && container.awaitsRestore()) {
      throw new NotFoundException("process not created: container " + container.id());
    }
    if (!process.isInit()) {
      if (child == null) {
        throw new FailedPreconditionException("process not created");
      }
      if (!child.signal(signal)) {
        throw finished(process);
      }
      return;
    }
    boolean plain =
        PLAIN.contains(Path.of(container.runtime().options().binary()).getFileName().toString());
    if (plain && !all && child != null && phase != Phase.PAUSED && phase != Phase.PAUSING) {
      if (!child.signal(signal)) {
        throw finished(process);
      }
      return;
    }
    try {
      container.runtime().kill(signal, all);
    } catch (OciRuntimeException e) {
      if (e.isGone()) {
        throw finished(process);
      }
      throw e;
    }
  }

  private static NotFoundException finished(ContainerProcess process) {
    return new NotFoundException(
        process.isInit()
            ? "process already finished"
            : "exec " + process.execId() + " already finished");
  }

  /** Freezes the container. */
  void pause(Container container) throws IOException, InterruptedException, OciRuntimeException {
    ContainerProcess init = container.init();
    try (Turn.Held _ = init.turn.take("pause", TURN)) {
      change(container, Phase.RUNNING, Phase.PAUSING, "pause");
      exits.record(container);
      try {
        container.runtime().pause();
      } catch (IOException | OciRuntimeException | InterruptedException | RuntimeException e) {
        var _ = changeIf(container, Phase.PAUSING, Phase.RUNNING);
        exits.record(container);
        throw e;
      }
      boolean paused = changeIf(container, Phase.PAUSING, Phase.PAUSED);
      exits.record(container);
      if (paused) {
        host.events().paused(container);
      }
    }
  }

  /** Lets a frozen container go on. */
  void resume(Container container) throws IOException, InterruptedException, OciRuntimeException {
    ContainerProcess init = container.init();
    try (Turn.Held _ = init.turn.take("resume", TURN)) {
      synchronized (container) {
        if (init.phase != Phase.PAUSED) {
          throw new UnknownException(
              "cannot resume a " + init.phase.name().toLowerCase(Locale.ROOT) + " process");
        }
      }
      container.runtime().resume();
      boolean resumed = changeIf(container, Phase.PAUSED, Phase.RUNNING);
      exits.record(container);
      if (resumed) {
        host.events().resumed(container);
      }
    }
  }

  private static void change(Container container, Phase from, Phase to, String operation) {
    synchronized (container) {
      if (container.init().phase != from) {
        throw new UnknownException(
            "cannot "
                + operation
                + " a "
                + container.init().phase.name().toLowerCase(Locale.ROOT)
                + " process");
      }
      container.init().phase = to;
    }
  }

  /** Whether it was so; else it ended meanwhile, and nobody is told of a change any more. */
  private static boolean changeIf(Container container, Phase from, Phase to) {
    synchronized (container) {
      if (container.init().phase != from) {
        return false;
      }
      container.init().phase = to;
      return true;
    }
  }

  /** Changes the container's limits. */
  void update(Container container, byte[] resources)
      throws IOException, InterruptedException, OciRuntimeException {
    synchronized (container) {
      if (container.init().phase == Phase.STOPPED) {
        throw new UnknownException("cannot update a stopped container");
      }
    }
    container.runtime().update(JsonObject.parse(resources).toBytes());
  }

  /** Tells a terminal its size; nothing happens without one. */
  void resize(Container container, String execId, WindowSize size) throws IOException {
    ContainerProcess process = container.process(execId);
    ProcessIo io;
    synchronized (container) {
      if (!process.isInit() && process.phase == Phase.STOPPED) {
        throw new UnknownException("cannot resize a stopped process");
      }
      io = process.io;
    }
    if (io != null) {
      io.resize(size);
    }
  }

  /** Gives up our writing end of the input. */
  void closeStdin(Container container, String execId) throws IOException {
    ContainerProcess process = container.process(execId);
    ProcessIo io;
    synchronized (container) {
      process.stdinClosed = true;
      io = process.io;
    }
    if (io != null) {
      io.closeStdin();
    }
    exits.record(container);
  }

  /**
   * Every process in the container, those of execs with their exec id, others with an empty one.
   */
  Map<Integer, String> processes(Container container) throws IOException {
    Map<Integer, String> execs = new LinkedHashMap<>();
    for (ContainerProcess exec : container.execs()) {
      synchronized (container) {
        if (exec.phase == Phase.RUNNING) {
          execs.put(exec.pid(), exec.execId());
        }
      }
    }
    Map<Integer, String> all = new LinkedHashMap<>();
    Optional<ContainerCgroup> cgroup = container.cgroup();
    if (cgroup.isPresent()) {
      for (int pid : cgroup.get().processes()) {
        all.put(pid, execs.getOrDefault(pid, ""));
      }
    }
    return all;
  }

  /**
   * What to write when a container is frozen into files.
   *
   * @param work folder for CRIU's own files; empty for the usual one
   */
  record Checkpointing(Path image, String work, List<String> flags) {}

  /** Writes the container's memory to a folder. */
  void checkpoint(Container container, Checkpointing checkpointing)
      throws IOException, InterruptedException, OciRuntimeException {
    ContainerProcess init = container.init();
    try (Turn.Held _ = init.turn.take("checkpoint", TURN)) {
      synchronized (container) {
        if (init.phase != Phase.RUNNING && init.phase != Phase.PAUSED) {
          throw new UnknownException("cannot checkpoint a container that does not run");
        }
      }
      CriuWork.of(container, checkpointing.work())
          .run(
              "checkpoint",
              work ->
                  container
                      .runtime()
                      .checkpoint(checkpointing.flags(), checkpointing.image(), work));
    }
  }
}
