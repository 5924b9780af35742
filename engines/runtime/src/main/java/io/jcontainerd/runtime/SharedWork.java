package io.jcontainerd.runtime;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.failure.CancelledException;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.DeadlineExceededException;
import io.jcontainerd.core.failure.InternalException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.operation.OperationRegistry;
import io.jcontainerd.core.operation.RunningOperation;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * Work that does not end with the call that asked for it, and that an equal request joins. It runs
 * on a thread of its own, which neither the caller's cancel nor its deadline reaches: callers only
 * wait for it.
 *
 * <p>When the last caller has left, the work is abandoned. It goes on for a while, so that a client
 * whose call timed out, or that has reconnected, finds it when it asks again; and when it succeeds
 * meanwhile, the result is kept for such a client as long. What nobody claims is undone. A request
 * for the same thing that is not equal ends abandoned work and waits until it is undone; while a
 * caller waits for that work, it is refused.
 *
 * <p>The monitor of an attempt guards the number of its callers and where it is in its life;
 * nothing is waited for under it.
 */
final class SharedWork {
  private static final System.Logger LOG = System.getLogger("io.jcontainerd.runtime");

  /**
   * What the work is about.
   *
   * @param kind what is done
   * @param namespace where
   * @param subject to what
   */
  record Key(String kind, String namespace, String subject) {
    Key of(String another) {
      return new Key(another, namespace, subject);
    }
  }

  /** The work itself. */
  @FunctionalInterface
  interface Work<T> {
    T run(RunningOperation operation) throws InterruptedException;
  }

  /**
   * How the work is given up.
   *
   * @param patience how long it goes on, and its result is kept, without anybody who waits
   * @param endsAbandoned whether it is cancelled then; else it goes on to its end
   * @param follows kinds of work on the same subject whose results are not kept any longer when
   *     this begins
   */
  record Manner(Duration patience, boolean endsAbandoned, List<String> follows) {
    Manner {
      follows = List.copyOf(follows);
    }
  }

  /** What is done by work of one kind, and what undoes it. */
  interface Task<T> extends Work<T> {
    /** Makes the work end soon, when it is cancelled; the worker is interrupted after. */
    default void cancel() throws InterruptedException {}

    /** Nobody wanted what was done. */
    default void undo(T result) throws InterruptedException {}

    /** What a different request is told while somebody waits for this work. */
    ContainerdException refusal();
  }

  private final OperationRegistry operations;
  private final Map<Key, Attempt<?>> attempts = new ConcurrentHashMap<>();

  SharedWork(OperationRegistry operations) {
    this.operations = operations;
  }

  /**
   * Does the work, or joins whoever does it.
   *
   * @param request equal for calls that want the very same
   * @param limit how long the caller waits
   */
  <T> T run(Key key, Object request, Manner manner, Duration limit, Task<T> task)
      throws InterruptedException {
    long deadline = System.nanoTime() + limit.toNanos();
    while (true) {
      var mine = new Attempt<T>(key, request, manner, task);
      Attempt<?> there = attempts.putIfAbsent(key, mine);
      if (there == null) {
        // whoever asks for the next thing knows how the last one ended
        manner.follows().forEach(kind -> claim(key.of(kind)));
        mine.begin();
        return mine.await(deadline);
      }
      if (there.request.equals(request)) {
        if (there.enter()) {
          @SuppressWarnings("unchecked") // of the same kind, which has one type of results
          Attempt<T> joined = (Attempt<T>) there;
          return joined.await(deadline);
        }
      } else if (!there.giveUp()) {
        throw task.refusal();
      }
      there.awaitGone(deadline);
    }
  }

  /** Somebody uses what the work has made: it is not undone. */
  void claim(Key key) {
    Attempt<?> there = attempts.get(key);
    if (there != null) {
      there.claimed();
    }
  }

  /** What was asked for by work that goes on, or whose result is kept. */
  Optional<Object> asked(Key key) {
    return Optional.ofNullable(attempts.get(key)).map(there -> there.request);
  }

  /**
   * Ends work that nobody waits for any more, at once, and waits until it is undone.
   *
   * @return false if somebody waits for it, and it goes on
   * @throws UnavailableException if it takes longer than the limit
   */
  boolean giveUp(Key key, Duration limit) throws InterruptedException {
    long deadline = System.nanoTime() + limit.toNanos();
    Attempt<?> there = attempts.get(key);
    if (there == null) {
      return true;
    }
    if (!there.giveUp()) {
      return false;
    }
    there.awaitGone(deadline);
    return true;
  }

  private enum Phase {
    /** The work goes on. */
    WORKING,
    /** It succeeded, and nobody has the result yet. */
    UNCLAIMED,
    /** Whoever waited has the result, or it was undone. */
    OVER
  }

  private final class Attempt<T> {
    private final Key key;
    private final Object request;
    private final Manner manner;
    private final Task<T> task;
    private final CompletableFuture<T> answer = new CompletableFuture<>();
    private final CompletableFuture<Boolean> gone = new CompletableFuture<>();
    private Phase phase = Phase.WORKING;
    private int callers = 1;
    private int leaves; // tells a patience that was interrupted by a caller from the present one
    private boolean cancelled;
    private volatile @Nullable RunningOperation operation;
    private volatile @Nullable Thread worker;

    Attempt(Key key, Object request, Manner manner, Task<T> task) {
      this.key = key;
      this.request = request;
      this.manner = manner;
      this.task = task;
    }

    void begin() {
      RunningOperation begun = operations.begin(key.kind(), key.namespace(), key.subject());
      operation = begun;
      Call call = Call.current();
      Call lasting = new Call(call.namespaceHeader(), call.lease(), Optional.empty());
      Thread thread =
          Thread.ofVirtual()
              .name(key.kind() + " " + key.namespace() + "/" + key.subject())
              .unstarted(() -> lasting.run(() -> work(begun)));
      worker = thread;
      begun.cancelledBy(() -> later("cancel", this::cancel));
      thread.start();
    }

    private void work(RunningOperation begun) {
      try (begun) {
        T result = task.run(begun);
        succeeded(result);
      } catch (Throwable e) {
        if (!(e instanceof ContainerdException || e instanceof InterruptedException)) {
          LOG.log(Level.ERROR, "unexpected failure of " + key.kind() + " of " + key.subject(), e);
        }
        begun.failed(e);
        failed(e);
      }
    }

    private void succeeded(T result) {
      boolean unclaimed;
      boolean unwanted;
      int mine;
      synchronized (this) {
        unclaimed = callers == 0;
        unwanted = unclaimed && cancelled;
        phase = unclaimed ? Phase.UNCLAIMED : Phase.OVER;
        leaves++;
        mine = leaves;
      }
      if (!unclaimed) {
        remove();
      }
      answer.complete(result);
      if (unwanted) {
        later("undo", this::undo); // whoever has cancelled interrupts this thread yet
      } else if (unclaimed) {
        later("patience", () -> endPatience(mine));
      }
    }

    private void failed(Throwable reason) {
      synchronized (this) {
        phase = Phase.OVER;
      }
      remove();
      answer.completeExceptionally(reason);
    }

    private void remove() {
      attempts.remove(key, this);
      gone.complete(true);
    }

    /** One more waits for it; false if it is too late for that. */
    synchronized boolean enter() {
      if (phase == Phase.OVER || cancelled) {
        return false;
      }
      callers++;
      joined(1);
      return true;
    }

    private void joined(int more) {
      RunningOperation begun = operation;
      if (begun != null) {
        begun.joined(more);
      }
    }

    T await(long deadline) throws InterruptedException {
      boolean stays = false;
      try {
        T result = answer.get(Math.max(0, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
        stays = true;
        claimed();
        return result;
      } catch (TimeoutException e) {
        if (answer.isDone() && !answer.isCompletedExceptionally()) { // just now
          stays = true;
          claimed();
          return answer.join();
        }
        throw new DeadlineExceededException(
            key.kind() + " of " + key.subject() + ": " + doing(), e);
      } catch (ExecutionException e) {
        stays = true;
        throw failure(e.getCause());
      } finally {
        if (!stays) {
          leave();
        }
      }
    }

    private String doing() {
      RunningOperation begun = operation;
      return begun == null ? "it has just begun" : begun.doing();
    }

    private RuntimeException failure(@Nullable Throwable reason) {
      String what = key.kind() + " of " + key.subject();
      return switch (reason) {
        case Error error -> throw error;
        case null -> throw new AssertionError(what + " failed without a reason");
        case Throwable e when e instanceof InterruptedException || isCancelled() ->
            new CancelledException(what + " was cancelled", e);
        case ContainerdException known -> known;
        case Throwable bug -> new InternalException(what + ": " + bug, bug);
      };
    }

    private synchronized boolean isCancelled() {
      return cancelled;
    }

    /** The result is somebody's. */
    void claimed() {
      boolean first;
      synchronized (this) {
        first = phase == Phase.UNCLAIMED && !cancelled;
        if (first) {
          phase = Phase.OVER;
        }
      }
      if (first) {
        remove();
      }
    }

    /** One fewer waits for it. */
    private void leave() {
      int mine;
      joined(-1);
      synchronized (this) {
        callers--;
        if (callers > 0 || phase == Phase.OVER) {
          return;
        }
        leaves++;
        mine = leaves;
      }
      later("patience", () -> endPatience(mine));
    }

    private void endPatience(int mine) throws InterruptedException {
      Thread.sleep(manner.patience());
      boolean isWorking;
      synchronized (this) {
        if (callers > 0 || leaves != mine || phase == Phase.OVER || cancelled) {
          return;
        }
        isWorking = phase == Phase.WORKING;
        if (isWorking && !manner.endsAbandoned()) {
          return;
        }
        cancelled = true;
      }
      if (isWorking) {
        LOG.log(Level.INFO, "{0} of {1}: nobody waits for it any more", key.kind(), key.subject());
        end();
      } else {
        undo();
      }
    }

    /** Ends it if nobody waits for it; false if somebody does. */
    boolean giveUp() {
      boolean isWorking;
      synchronized (this) {
        if (phase == Phase.OVER || cancelled) {
          return true;
        }
        if (callers > 0) { // of a result that is kept, one that has just joined
          return false;
        }
        isWorking = phase == Phase.WORKING;
        cancelled = true;
      }
      later(
          "end",
          () -> {
            if (isWorking) {
              end();
            } else {
              undo();
            }
          });
      return true;
    }

    /** Somebody wants it to end, whoever waits for it. */
    private void cancel() throws InterruptedException {
      synchronized (this) {
        if (phase != Phase.WORKING || cancelled) {
          return;
        }
        cancelled = true;
      }
      end();
    }

    private void end() throws InterruptedException {
      try {
        task.cancel();
      } finally {
        Thread working = worker;
        if (working != null) {
          working.interrupt();
        }
      }
    }

    private void undo() {
      try {
        task.undo(answer.join());
      } catch (ContainerdException e) {
        LOG.log(Level.WARNING, key.kind() + " of " + key.subject() + " cannot be undone", e);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      } finally {
        synchronized (this) {
          phase = Phase.OVER;
        }
        remove();
      }
    }

    /** Waits until it is out of the way of the next one. */
    void awaitGone(long deadline) throws InterruptedException {
      try {
        var _ = gone.get(Math.max(0, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
      } catch (TimeoutException e) {
        throw new UnavailableException(
            "former " + key.kind() + " of " + key.subject() + " is still undone: " + doing(), e);
      } catch (ExecutionException e) {
        throw new AssertionError("never completed with a failure", e);
      }
    }

    private void later(String what, Step step) {
      Thread.ofVirtual()
          .name(what + " of " + key.kind() + " " + key.subject())
          .start(
              () -> {
                try {
                  step.run();
                } catch (InterruptedException e) {
                  Thread.currentThread().interrupt();
                } catch (RuntimeException e) {
                  LOG.log(Level.ERROR, what + " of " + key.kind() + " of " + key.subject(), e);
                }
              });
    }
  }

  private interface Step {
    void run() throws InterruptedException;
  }
}
