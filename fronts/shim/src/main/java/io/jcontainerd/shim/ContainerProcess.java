package io.jcontainerd.shim;

import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.linux.process.Child;
import io.jcontainerd.linux.process.ExitStatus;
import io.jcontainerd.linux.process.ProcessIdentity;
import io.jcontainerd.oci.json.JsonObject;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * One process of a container: its first one, or one that was added by exec. All that changes is
 * guarded by the container's monitor; nothing here does I/O.
 */
final class ContainerProcess {
  private final String execId;
  private final Stdio stdio;
  private final JsonObject spec;
  private volatile CompletableFuture<ExitStatus> exited = new CompletableFuture<>();

  /** One start or delete of this process at a time. */
  final Turn turn;

  Phase phase = Phase.CREATED;
  @Nullable ProcessIdentity identity;
  @Nullable Child child;
  @Nullable ProcessIo io;
  @Nullable ExitStatus exit;
  boolean stdinClosed;

  /** While a start is under way an exit waits for the start's event. */
  boolean starting;

  @Nullable ExitStatus heldExit;

  /** Whether the exit was given to the event journal. */
  boolean exitPublished;

  /**
   * @param execId empty for the first process
   * @param spec the process object of an exec; empty for the first process
   */
  ContainerProcess(String containerId, String execId, Stdio stdio, JsonObject spec) {
    this.execId = execId;
    this.stdio = stdio;
    this.spec = spec;
    this.turn =
        new Turn(
            execId.isEmpty()
                ? "container " + containerId
                : "exec " + execId + " of container " + containerId);
  }

  String execId() {
    return execId;
  }

  boolean isInit() {
    return execId.isEmpty();
  }

  Stdio stdio() {
    return stdio;
  }

  JsonObject spec() {
    return spec;
  }

  /**
   * Completed with the exit, after its event; if it cannot be started or is deleted unstarted, see
   * {@link #startFailed} and {@link #deleted}.
   */
  CompletableFuture<ExitStatus> exited() {
    return exited;
  }

  /** Who waits by now is told an unknown exit; another start may be tried, and waited for. */
  void startFailed(Instant at) {
    CompletableFuture<ExitStatus> failed = exited;
    exited = new CompletableFuture<>();
    failed.complete(new ExitStatus(ExitStatus.UNKNOWN, at));
  }

  /** Nobody waits any longer: if there was no exit, there will be none. */
  void deleted() {
    exited.completeExceptionally(new NotFoundException(turn.subject()));
  }

  /** Its number, 0 before there is one. */
  int pid() {
    ProcessIdentity known = identity;
    return known == null ? 0 : known.pid();
  }

  Optional<ExitStatus> exit() {
    return Optional.ofNullable(exit);
  }
}
