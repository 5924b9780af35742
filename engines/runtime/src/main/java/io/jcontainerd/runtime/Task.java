package io.jcontainerd.runtime;

import io.jcontainerd.core.tasks.Exit;
import io.jcontainerd.runtime.bundle.Bundle;
import io.jcontainerd.runtime.shim.Shim;
import io.jcontainerd.runtime.shim.ShimLauncher;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * A task's entry in the daemon: a name taken, later a shim that answers for it, at last a name that
 * is being cleared. It holds the name until nothing of the task is left, so that a new task of the
 * same name never meets the remains of the old one.
 */
final class Task {
  /** Where the entry is in its life; it only goes forward. */
  enum Stage {
    /** Its creation is under way. */
    CREATING,
    /** Its shim keeps it. */
    LIVE,
    /** Somebody is removing what is left of it; nobody else may. */
    ENDING
  }

  private final Bundle bundle;
  private final String runtime;
  private final String sandbox;
  private final AtomicReference<Stage> stage = new AtomicReference<>(Stage.CREATING);

  /** Completed when nothing is left, with the exit that was made up for a dead shim's task. */
  private final CompletableFuture<Optional<Exit>> gone = new CompletableFuture<>();

  private final AtomicInteger deletions = new AtomicInteger();
  private volatile @Nullable CompletableFuture<?> creation;
  private volatile @Nullable ShimLauncher launcher;
  private volatile @Nullable Shim shim;
  private volatile ShimProcess shimProcess = ShimProcess.UNKNOWN;
  private volatile int pid;
  private volatile boolean joined;
  private volatile boolean activated;

  Task(Bundle bundle, String runtime, String sandbox) {
    this.bundle = bundle;
    this.runtime = runtime;
    this.sandbox = sandbox;
  }

  Bundle bundle() {
    return bundle;
  }

  String namespace() {
    return bundle.namespace();
  }

  String id() {
    return bundle.id();
  }

  String runtime() {
    return runtime;
  }

  String sandbox() {
    return sandbox;
  }

  void attach(ShimLauncher keeper, Shim connection) {
    launcher = keeper;
    shim = connection;
  }

  Optional<ShimLauncher> launcher() {
    return Optional.ofNullable(launcher);
  }

  Optional<Shim> shim() {
    return Optional.ofNullable(shim);
  }

  /** Notes that its shim is that of its sandbox. */
  void joins() {
    joined = true;
  }

  /** Whether its shim is that of its sandbox, and so not the task's to end. */
  boolean hasJoined() {
    return joined;
  }

  /** Notes that mounts were activated for it. */
  void activated() {
    activated = true;
  }

  /** Whether its creation has activated mounts, which were not there before. */
  boolean hasActivated() {
    return activated;
  }

  /** The shim was asked to create; completed with whatever it answers. */
  void creation(CompletableFuture<?> answer) {
    creation = answer;
  }

  /** Waits until the shim has answered to the creation; false when that takes longer. */
  boolean awaitCreation(Duration limit) throws InterruptedException {
    CompletableFuture<?> answer = creation;
    if (answer == null) {
      return true;
    }
    try {
      answer.get(limit.toNanos(), TimeUnit.NANOSECONDS);
      return true;
    } catch (ExecutionException e) {
      return true; // an answer as well, and told to the caller
    } catch (TimeoutException e) {
      return false;
    }
  }

  /**
   * A shim's process.
   *
   * @param pid 0 if the shim did not say
   * @param startTime tells it from a later process of the same number
   */
  record ShimProcess(int pid, Optional<Long> startTime) {
    static final ShimProcess UNKNOWN = new ShimProcess(0, Optional.empty());

    /** As kept in the bundle; unknown if it is not readable. */
    static ShimProcess parse(String text) {
      String[] parts = text.split(" ", -1);
      try {
        return parts.length == 2
            ? new ShimProcess(Integer.parseInt(parts[0]), Optional.of(Long.parseLong(parts[1])))
            : UNKNOWN;
      } catch (NumberFormatException e) {
        return UNKNOWN;
      }
    }

    String toText() {
      return pid + " " + startTime.map(String::valueOf).orElse("");
    }
  }

  ShimProcess shimProcess() {
    return shimProcess;
  }

  void shimProcess(ShimProcess process) {
    shimProcess = process;
  }

  /** The init process; 0 before it is known. */
  int pid() {
    return pid;
  }

  void pid(int number) {
    pid = number;
  }

  boolean isLive() {
    return stage.get() == Stage.LIVE;
  }

  boolean isCreating() {
    return stage.get() == Stage.CREATING;
  }

  void live() {
    if (!stage.compareAndSet(Stage.CREATING, Stage.LIVE)) {
      throw new IllegalStateException("task " + id() + " is " + stage.get());
    }
  }

  /** Gives the right to remove what is left, to one caller only. */
  boolean claim(Stage from) {
    return stage.compareAndSet(from, Stage.ENDING);
  }

  /** A deletion asks the shim, and so may be the one that gets the exit. */
  void deletionAsks() {
    deletions.incrementAndGet();
  }

  /** It has its answer. */
  void deletionAnswered() {
    deletions.decrementAndGet();
  }

  /** Whether a deletion may still get the exit from the shim. */
  boolean isDeletionAsking() {
    return deletions.get() > 0;
  }

  void cleared(Optional<Exit> exit) {
    gone.complete(exit);
  }

  /**
   * Waits until nothing is left.
   *
   * @return empty when that takes longer
   */
  Optional<Optional<Exit>> awaitCleared(Duration limit) throws InterruptedException {
    try {
      return Optional.of(gone.get(limit.toNanos(), TimeUnit.NANOSECONDS));
    } catch (TimeoutException e) {
      return Optional.empty();
    } catch (ExecutionException e) {
      throw new AssertionError("never completed with a failure", e);
    }
  }
}
