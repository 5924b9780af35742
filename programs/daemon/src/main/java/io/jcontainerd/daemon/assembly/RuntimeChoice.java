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
 * waits.
 *
 * <p>Closing waits for the proof, for a container that is half made would stay behind; one that
 * takes too long is interrupted and may still take its container away.
 */
final class RuntimeChoice implements AutoCloseable {
  private static final Logger LOG = System.getLogger(RuntimeChoice.class.getName());

  /** Longer than the runtimes are given to answer. */
  private static final Duration ANSWER = Duration.ofSeconds(90);

  private static final Duration GRACE = Duration.ofSeconds(10);

  /** Tries the runtimes of this machine. */
  @FunctionalInterface
  interface Proof {
    OciRuntimes prove() throws InterruptedException;
  }

  private final CompletableFuture<OciRuntimes> result;
  private final Thread thread;

  private RuntimeChoice(CompletableFuture<OciRuntimes> result, Thread thread) {
    this.result = result;
    this.thread = thread;
  }

  /** Begins the proof on a thread of its own. */
  static RuntimeChoice begin(Proof proof) {
    var result = new CompletableFuture<OciRuntimes>();
    Thread thread =
        Thread.ofVirtual().name("prove OCI runtimes").start(() -> settle(proof, result));
    return new RuntimeChoice(result, thread);
  }

  private static void settle(Proof proof, CompletableFuture<OciRuntimes> result) {
    try {
      result.complete(proof.prove());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      result.completeExceptionally(e);
    } catch (RuntimeException | Error e) {
      LOG.log(Level.ERROR, "OCI runtimes could not be tried", e);
      result.completeExceptionally(e);
    }
  }

  /** What was chosen, if that is known by now and there is one. */
  Optional<Path> known() {
    return result.isDone() && !result.isCompletedExceptionally()
        ? result.resultNow().chosen()
        : Optional.empty();
  }

  /**
   * The chosen program, waiting for the proof.
   *
   * @throws FailedPreconditionException if none works here, saying why for each
   */
  Optional<Path> chosen() {
    OciRuntimes runtimes;
    try {
      runtimes = result.get(ANSWER.toNanos(), TimeUnit.NANOSECONDS);
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
