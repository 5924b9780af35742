package io.jcontainerd.linux.process;

import io.jcontainerd.linux.Errno;
import io.jcontainerd.linux.ErrnoException;
import io.jcontainerd.linux.descriptor.OwnedDescriptor;
import io.jcontainerd.linux.descriptor.Reactor;
import io.jcontainerd.linux.libc.ProcessCalls;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * A process whose end is being waited for, held by its pidfd: signals cannot reach a stranger that
 * got the same number. Made by {@link Children}. Safe for many threads.
 */
public final class Child {
  private final int pid;
  private final OwnedDescriptor pidfd;
  private final boolean endsGroup;
  private final CompletableFuture<ExitStatus> exit = new CompletableFuture<>();
  private Reactor.@Nullable Registration registration;
  private boolean ended;

  Child(int pid, OwnedDescriptor pidfd) {
    this(pid, pidfd, false);
  }

  /**
   * @param endsGroup whether it leads a process group that ends with it
   */
  Child(int pid, OwnedDescriptor pidfd, boolean endsGroup) {
    this.pid = pid;
    this.pidfd = pidfd;
    this.endsGroup = endsGroup;
  }

  /** Its number. */
  public int pid() {
    return pid;
  }

  /**
   * Completed with the end. Dependent stages run on the reactor's thread and must not block, so
   * anything longer belongs on a thread of its own.
   */
  public CompletableFuture<ExitStatus> exit() {
    return exit.copy();
  }

  /** The end, if it was seen already. */
  public Optional<ExitStatus> ended() {
    return Optional.ofNullable(exit.getNow(null));
  }

  /**
   * Waits for the end.
   *
   * @return empty if the time is over first
   */
  public Optional<ExitStatus> await(Duration time) throws InterruptedException {
    try {
      return Optional.of(exit.get(time.toNanos(), TimeUnit.NANOSECONDS));
    } catch (TimeoutException e) {
      return Optional.empty();
    } catch (ExecutionException e) {
      throw new CompletionException(e.getCause());
    }
  }

  /**
   * Sends a signal.
   *
   * @return whether the process was still there
   */
  public synchronized boolean signal(int number) throws ErrnoException {
    if (ended) {
      return false;
    }
    try {
      ProcessCalls.pidfd_send_signal(pidfd.number(), number);
      return true;
    } catch (ErrnoException e) {
      if (e.is(Errno.ESRCH)) {
        return false;
      }
      throw e;
    }
  }

  boolean endsGroup() {
    return endsGroup;
  }

  OwnedDescriptor descriptor() {
    return pidfd;
  }

  synchronized void registered(Reactor.Registration made) {
    registration = made;
    if (ended) {
      made.close();
    }
  }

  synchronized void awaitHangup() throws ErrnoException {
    if (registration != null) {
      registration.interest(Reactor.HANGUP);
    }
  }

  /** Closes the pidfd, then tells. Only the first call counts. */
  boolean end(ExitStatus status) {
    synchronized (this) {
      if (ended) {
        return false;
      }
      ended = true;
      if (registration != null) {
        registration.close();
      }
    }
    return exit.complete(status);
  }

  /** Stops watching without an end; who waits gets a cancellation. */
  void abandon() {
    synchronized (this) {
      if (ended) {
        return;
      }
      ended = true;
      if (registration != null) {
        registration.close();
      } else {
        pidfd.close();
      }
    }
    exit.completeExceptionally(
        new CompletionException(new IllegalStateException("no longer waiting for pid " + pid)));
  }
}
