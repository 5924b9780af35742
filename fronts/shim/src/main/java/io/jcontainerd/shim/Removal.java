package io.jcontainerd.shim;

import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.linux.process.Signals;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.Collection;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Ends and deletes containers that nobody wants any more, some at a time. A client that asks for
 * the same container meanwhile takes turns with it.
 */
final class Removal {
  private static final System.Logger LOG = System.getLogger(Removal.class.getName());
  private static final int AT_A_TIME = 4;
  private static final Duration ENDS = Duration.ofSeconds(20);

  private final Supervisor supervisor;
  private final Semaphore places = new Semaphore(AT_A_TIME);

  Removal(Supervisor supervisor) {
    this.supervisor = supervisor;
  }

  /** Begins with all of them; what fails is logged. */
  void begin(Collection<Container> containers) {
    for (Container container : containers) {
      Thread.ofVirtual().name("remove " + container.id()).start(() -> remove(container));
    }
  }

  private void remove(Container container) {
    try {
      places.acquire(); // each step of those who have them has a limit
      try {
        end(container);
        var _ = supervisor.delete(container, "");
        LOG.log(
            Level.INFO,
            "container {0} of namespace {1}, which an earlier host left, is removed",
            container.id(),
            container.namespace());
      } finally {
        places.release();
      }
    } catch (NotFoundException e) {
      LOG.log(Level.DEBUG, "a client has removed " + container.id(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (IOException
        | OciRuntimeException
        | ContainerdException
        | ExecutionException
        | TimeoutException e) {
      LOG.log(
          Level.ERROR,
          "container "
              + container.id()
              + " of namespace "
              + container.namespace()
              + " is not removed",
          e);
    }
  }

  private void end(Container container)
      throws IOException,
          OciRuntimeException,
          InterruptedException,
          ExecutionException,
          TimeoutException {
    Phase phase;
    synchronized (container) {
      phase = container.init().phase;
    }
    if (phase == Phase.STOPPED || phase == Phase.CREATED) {
      return; // the deletion deals with it
    }
    try {
      supervisor.control().kill(container, "", Signals.KILL, true);
    } catch (NotFoundException e) {
      LOG.log(Level.DEBUG, "container " + container.id() + " ended by itself", e);
    }
    if (phase == Phase.PAUSED) {
      thaw(container);
    }
    container.init().exited().get(ENDS.toMillis(), TimeUnit.MILLISECONDS);
  }

  /** The frozen die when they are thawed, which some runtimes do when they kill. */
  private void thaw(Container container) throws IOException, InterruptedException {
    try {
      supervisor.control().resume(container);
    } catch (OciRuntimeException | ContainerdException e) {
      LOG.log(Level.DEBUG, "container " + container.id() + " is not frozen any more", e);
    }
  }
}
