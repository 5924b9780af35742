package io.jcontainerd.daemon.assembly;

import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.runtime.OciRuntimes;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.stream.Collectors;

/**
 * The OCI runtime that makes containers whose request names none. Proving one takes about as long
 * as a container does; it goes on beside the rest of the start, and only who needs the answer
 * waits.
 */
final class RuntimeChoice {
  /** Tries the runtimes of this machine. */
  @FunctionalInterface
  interface Proof {
    OciRuntimes prove() throws InterruptedException;
  }

  private final CompletableFuture<OciRuntimes> result;

  private RuntimeChoice(CompletableFuture<OciRuntimes> result) {
    this.result = result;
  }

  /** Begins the proof on a thread of its own. */
  static RuntimeChoice begin(Proof proof) {
    var result = new CompletableFuture<OciRuntimes>();
    Thread.ofVirtual()
        .name("prove OCI runtimes")
        .start(
            () -> {
              try {
                result.complete(proof.prove());
              } catch (InterruptedException e) {
                result.completeExceptionally(e);
              } catch (RuntimeException e) {
                result.completeExceptionally(e);
                throw e;
              }
            });
    return new RuntimeChoice(result);
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
      runtimes = result.get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new UnavailableException("interrupted while OCI runtimes were tried", e);
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

  private static String reasons(List<OciRuntimes.Attempt> attempts) {
    return attempts.stream()
        .map(attempt -> attempt.name() + ": " + attempt.refusal())
        .collect(Collectors.joining("; "));
  }
}
