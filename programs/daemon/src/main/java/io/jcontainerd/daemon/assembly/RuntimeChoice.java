package io.jcontainerd.daemon.assembly;

import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.runtime.OciRuntimes;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;

/**
 * The OCI runtime that makes containers whose request names none. Proving one takes about as long
 * as a container does; it goes on beside the rest of the start, and only who needs the answer
 * waits. As long as none works, whoever asks has them tried again.
 *
 * <p>Closing waits for the proof, for a container that is half made would stay behind; one that
 * takes too long is interrupted and may still take its container away.
 */
final class RuntimeChoice implements AutoCloseable {
  private static final Logger LOG = System.getLogger(RuntimeChoice.class.getName());

  /** Longer than the runtimes are given to answer. */
  private static final Duration ANSWER = Duration.ofSeconds(90);

  /** How long a proof that found none is not repeated. */
  private static final Duration PAUSE = Duration.ofSeconds(5);

  private static final Duration GRACE = Duration.ofSeconds(10);

  /** Tries the runtimes of this machine. */
  @FunctionalInterface
  interface Proof {
    OciRuntimes prove() throws InterruptedException;
  }

  /** One run of the proof. */
  private static final class Trial {
    private final CompletableFuture<OciRuntimes> result = new CompletableFuture<>();
    private final Thread thread;
    private volatile long ended;

    Trial(Proof proof) {
      thread = Thread.ofVirtual().name("prove OCI runtimes").start(() -> settle(proof));
    }

    private void settle(Proof proof) {
      try {
        OciRuntimes proven = proof.prove();
        ended = System.nanoTime();
        result.complete(proven);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        fail(e);
      } catch (RuntimeException | Error e) {
        LOG.log(Level.ERROR, "OCI runtimes could not be tried", e);
        fail(e);
      }
    }

    private void fail(Throwable reason) {
      ended = System.nanoTime();
      result.completeExceptionally(reason);
    }

    Optional<Path> chosen() {
      return result.isDone() && !result.isCompletedExceptionally()
          ? result.resultNow().chosen()
          : Optional.empty();
    }

    boolean isFutile() {
      return result.isDone() && chosen().isEmpty();
    }
  }

  private final Proof proof;
  private final Duration pause;

  // guarded by this
  private Trial trial;
  private boolean closed;

  private RuntimeChoice(Proof proof, Duration pause) {
    this.proof = proof;
    this.pause = pause;
    this.trial = new Trial(proof);
  }

  /** Begins the proof on a thread of its own. */
  static RuntimeChoice begin(Proof proof) {
    return begin(proof, PAUSE);
  }

  /**
   * Begins the proof on a thread of its own.
   *
   * @param pause how long a proof that found none holds, before one who asks has it tried again
   */
  static RuntimeChoice begin(Proof proof, Duration pause) {
    return new RuntimeChoice(proof, pause);
  }

  /** What was chosen, if that is known by now and there is one. */
  Optional<Path> known() {
    return newest().chosen();
  }

  private synchronized Trial newest() {
    return trial;
  }

  /** One may have been installed since none was found. */
  private synchronized Trial current() {
    if (trial.isFutile() && !closed && System.nanoTime() - trial.ended >= pause.toNanos()) {
      trial = new Trial(proof);
    }
    return trial;
  }

  /**
   * The chosen program, waiting for the proof.
   *
   * @throws FailedPreconditionException if none works here, saying why for each
   */
  Optional<Path> chosen() {
    OciRuntimes runtimes;
    try {
      runtimes = current().result.get(ANSWER.toNanos(), TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new UnavailableException("interrupted while OCI runtimes were tried", e);
    } catch (TimeoutException e) {
      throw new UnavailableException("OCI runtimes did not answer within " + ANSWER, e);
    } catch (ExecutionException e) {
      throw new UnavailableException("OCI runtimes could not be tried: " + e.getCause(), e);
    }
    if (runtimes.chosen().isEmpty()) {
      throw new FailedPreconditionException(
          "no OCI runtime works on this host, install crun or runc: "
              + reasons(runtimes.attempts()));
    }
    return runtimes.chosen();
  }

  static String reasons(List<OciRuntimes.Attempt> attempts) {
    return attempts.stream()
        .map(attempt -> attempt.name() + ": " + attempt.refusal())
        .collect(Collectors.joining("; "));
  }

  @Override
  public void close() {
    Thread thread;
    synchronized (this) {
      closed = true;
      thread = trial.thread;
    }
    try {
      if (thread.join(GRACE)) {
        return;
      }
      LOG.log(Level.WARNING, "OCI runtimes are still being tried, giving up");
      thread.interrupt();
      if (!thread.join(GRACE)) {
        LOG.log(Level.WARNING, "an OCI runtime does not end; its container may stay behind");
      }
    } catch (InterruptedException e) {
      thread.interrupt();
      Thread.currentThread().interrupt();
    }
  }
}
