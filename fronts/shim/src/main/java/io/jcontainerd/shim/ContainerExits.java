package io.jcontainerd.shim;

import io.jcontainerd.core.events.Event;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.linux.process.Child;
import io.jcontainerd.linux.process.ExitStatus;
import io.jcontainerd.linux.process.Signals;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.util.List;
import java.util.Optional;

/**
 * What follows when a process of a container has ended: the rest of the container is killed if it
 * could outlive its first process, the exit is recorded, told and given to who waits, in the order
 * that {@link Container} keeps. Also keeps the records of containers. Safe for many threads.
 */
final class ContainerExits {
  private static final System.Logger LOG = System.getLogger(ContainerExits.class.getName());

  private final HostServices host;

  ContainerExits(HostServices host) {
    this.host = host;
  }

  /** From now on the process's end is dealt with, on a thread of its own. */
  void follow(Container container, ContainerProcess process, Child child) {
    var _ =
        child
            .exit()
            .thenAccept(
                exit ->
                    Thread.ofVirtual()
                        .name("exit " + container.id())
                        .start(() -> arrived(container, process, exit)));
  }

  /** The process ended, or its held exit was handed out. */
  void arrived(Container container, ContainerProcess process, ExitStatus exit) {
    if (!container.exitArrived(process, exit)) {
      return;
    }
    if (!process.isInit()) {
      finish(container, process, exit);
      execOver(container);
      return;
    }
    if (container.killAllOnExit) {
      killRest(container);
    }
    if (container.initEnds(exit)) {
      finish(container, process, exit);
    }
  }

  /** An exec is over; if the first process waited for that, its exit comes now. */
  void execOver(Container container) {
    Optional<ExitStatus> held = container.execOver();
    held.ifPresent(exit -> finish(container, container.init(), exit));
  }

  /** Tells that the kernel has killed in the container for lack of memory. */
  void outOfMemory(Container container) {
    try {
      host.events().outOfMemory(container);
    } catch (IOException e) {
      LOG.log(Level.ERROR, "container " + container.id() + ": oom event lost", e);
    }
  }

  private void killRest(Container container) {
    try {
      container.runtime().kill(Signals.KILL, true);
    } catch (OciRuntimeException e) {
      if (!e.isGone()) {
        LOG.log(
            Level.WARNING,
            "container {0}: cannot kill what outlived its first process: {1}",
            container.id(),
            e.getMessage());
      }
    } catch (IOException e) {
      LOG.log(Level.WARNING, "container " + container.id() + ": cannot kill the rest", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void finish(Container container, ContainerProcess process, ExitStatus exit) {
    synchronized (container) {
      process.phase = Phase.STOPPED;
      process.exit = exit;
    }
    if (process.isInit() && container.endMemoryWatch()) {
      outOfMemory(container);
    }
    record(container);
    try {
      boolean kept = host.events().exited(container, process, exit);
      synchronized (container) {
        process.exitPublished = kept;
      }
    } catch (IOException | ContainerdException e) {
      LOG.log(Level.ERROR, "container " + container.id() + ": exit event lost", e);
    }
    record(container);
    process.exited().complete(exit);
  }

  /** Keeps the container's record; a failure only makes a later taking over poorer. */
  void record(Container container) {
    try {
      save(container, true);
    } catch (IOException e) {
      LOG.log(Level.ERROR, "container " + container.id() + ": cannot keep its record", e);
    }
  }

  /**
   * Keeps the container's record.
   *
   * @param created whether the runtime's create has come back
   */
  void save(Container container, boolean created) throws IOException {
    container.saving.lock(); // keeps the small writes of one record in order, nothing else
    try {
      if (!container.forgotten) {
        host.store().save(record(container, created));
      }
    } finally {
      container.saving.unlock();
    }
  }

  /**
   * Tells that the container is deleted, once. The record says before by which event, so that a
   * host which finds it knows whether that was told.
   */
  void tellDeletion(Container container, ExitStatus exit) throws IOException {
    if (container.deletion.isEmpty()) {
      host.events().deleted(container, exit, origin -> deletionComes(container, origin));
    }
  }

  /** The next event, if there is one, tells the container's deletion. */
  void deletionComes(Container container, Event.Origin origin) {
    container.deletion = Optional.of(origin);
    record(container);
  }

  /** Forgets the container's record. */
  void forget(Container container) throws IOException {
    container.saving.lock();
    try {
      container.forgotten = true;
      host.store().delete(container.namespace(), container.id());
    } finally {
      container.saving.unlock();
    }
  }

  private static ContainerRecord record(Container container, boolean created) {
    synchronized (container) {
      List<ContainerRecord.ProcessRecord> execs =
          container.execs().stream().map(ContainerExits::record).toList();
      return new ContainerRecord(
          container.namespace(),
          container.id(),
          container.bundle(),
          container.runtime().options(),
          container.checkpoint,
          created,
          container.rootMounted,
          container.killAllOnExit,
          container.deletion,
          record(container.init()),
          execs);
    }
  }

  private static ContainerRecord.ProcessRecord record(ContainerProcess process) {
    return new ContainerRecord.ProcessRecord(
        process.execId(),
        process.stdio(),
        process.spec(),
        process.phase,
        process.starting,
        Optional.ofNullable(process.identity),
        Optional.ofNullable(process.exit),
        process.exitPublished,
        process.stdinClosed);
  }
}
