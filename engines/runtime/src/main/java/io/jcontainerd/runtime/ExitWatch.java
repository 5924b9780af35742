package io.jcontainerd.runtime;

import com.google.protobuf.InvalidProtocolBufferException;
import io.jcontainerd.api.events.TaskExit;
import io.jcontainerd.core.events.Event;
import io.jcontainerd.core.events.EventExchange;
import io.jcontainerd.core.events.EventStream;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.tasks.Exit;
import io.jcontainerd.runtime.bundle.Bundle;
import io.jcontainerd.runtime.bundle.Bundles;
import io.jcontainerd.runtime.shim.ShimLauncher;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * Sees to it that the exit of every init process is told, and told once.
 *
 * <p>A shim tells it, and tries again for some fifteen seconds when the daemon is away; after that
 * it gives up. So each exit that is told leaves a mark in the bundle, and a task that is found
 * stopped and unmarked when the daemon starts is told by the daemon, once its shim must have given
 * up.
 */
final class ExitWatch implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger("io.jcontainerd.runtime");

  /** Longer than any shim tries: six attempts of five seconds, and 1+2+3+4+5 seconds between. */
  private static final Duration SHIM_GIVES_UP = Duration.ofSeconds(50);

  private static final Duration PAUSE = Duration.ofMillis(100);

  private final TaskTable tasks;
  private final Bundles bundles;
  private final EventExchange exchange;
  private final TaskEvents events;
  private @Nullable Thread watcher;
  private volatile boolean closed;

  ExitWatch(TaskTable tasks, Bundles bundles, EventExchange exchange, TaskEvents events) {
    this.tasks = tasks;
    this.bundles = bundles;
    this.exchange = exchange;
    this.events = events;
  }

  /** Starts to look at the events. */
  void start() {
    EventStream stream = subscribe();
    watcher = Thread.ofVirtual().name("task-exits").start(() -> watch(stream));
  }

  private EventStream subscribe() {
    return exchange.subscribe(e -> e.topic().equals(TaskEvents.EXIT));
  }

  private void watch(EventStream first) {
    try {
      EventStream stream = first;
      while (look(stream)) {
        Thread.sleep(PAUSE);
        stream = subscribe();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (UnavailableException e) {
      LOG.log(Level.DEBUG, "no more events", e);
    }
  }

  /** Looks at the events until it is closed; true if the stream broke, as one that lags behind. */
  private boolean look(EventStream stream) throws InterruptedException {
    try (stream) {
      while (!closed) {
        stream.next(Duration.ofSeconds(10)).ifPresent(e -> seen(e.event()));
      }
      return false;
    } catch (UnavailableException e) {
      throw e;
    } catch (RuntimeException e) { // an exit that was missed may be told twice
      LOG.log(Level.ERROR, "watch over task exits broke and begins anew", e);
      return true;
    }
  }

  private void seen(Event event) {
    try {
      TaskExit exit = TaskExit.parseFrom(event.payload().value());
      if (exit.getId().equals(exit.getContainerId())) {
        tasks
            .find(event.namespace(), exit.getContainerId())
            .filter(t -> t.pid() == exit.getPid())
            .filter(t -> t.launcher().filter(ShimLauncher::forgetsEvents).isPresent())
            .ifPresent(this::mark);
      }
    } catch (InvalidProtocolBufferException e) {
      LOG.log(Level.WARNING, "unreadable exit event in namespace " + event.namespace(), e);
    }
  }

  private void mark(Task task) {
    try {
      bundles.write(task.bundle(), Bundle.EXIT_EVENT, new byte[0], 0600);
    } catch (ContainerdException e) {
      if (task.isLive()) {
        LOG.log(Level.WARNING, "exit mark of " + task.bundle(), e);
      }
    }
  }

  private boolean isMarked(Task task) {
    return bundles.read(task.bundle(), Bundle.EXIT_EVENT).isPresent();
  }

  /** A task was found stopped: tells its exit unless that was done, or is by its shim in time. */
  void foundStopped(Task task, Exit exit) {
    if (isMarked(task)) {
      return;
    }
    Duration rest = Duration.between(Instant.now(), exit.exitedAt().plus(SHIM_GIVES_UP));
    Thread.ofVirtual()
        .name("exit of " + task.bundle())
        .start(
            () -> {
              try {
                if (rest.isPositive() && task.awaitCleared(rest).isPresent()) {
                  return; // deleted meanwhile
                }
                if (!closed && task.isLive() && !isMarked(task)) {
                  events.exited(task.namespace(), task.id(), exit);
                  mark(task);
                }
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              } catch (ContainerdException e) {
                LOG.log(Level.ERROR, "exit of " + task.bundle() + " not told", e);
              }
            });
  }

  @Override
  public void close() {
    closed = true;
    Thread running = watcher;
    if (running != null) {
      running.interrupt();
    }
  }
}
