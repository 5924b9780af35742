package io.jcontainerd.endure;

import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.DeadlineExceededException;
import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.failure.UnknownException;
import io.jcontainerd.core.tasks.Stdio;
import io.jcontainerd.core.tasks.TaskStatus;
import io.jcontainerd.testkit.tasks.TaskDriver;
import io.jcontainerd.testkit.tasks.TaskDriver.Box;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Works with tasks while what serves them is killed: a call without an answer is made again, and
 * where the answer is that it cannot be done, it is looked whether it was done before. An answer
 * that a client could make nothing of is a problem. For one thread; others may ask for the stage.
 */
final class PatientClient {
  private static final Duration PATIENCE = Duration.ofMinutes(3);
  private static final Duration PAUSE = Duration.ofMillis(20);
  private static final int ATTEMPTS = 8;

  /** How sure it is that a process was started. */
  enum Begun {
    /** It was told so. */
    TOLD,
    /** It was found running. */
    RUNS,
    /** It cannot be known: it is over, or the runtime failed at it. */
    PERHAPS,
    /** There is no such process. */
    GONE
  }

  private final TaskDriver driver;
  private final KillTable table;
  private final Problems problems;
  private volatile Stage stage = Stage.NOTHING;
  private int unanswered;

  PatientClient(TaskDriver driver, KillTable table, Problems problems) {
    this.driver = driver;
    this.table = table;
    this.problems = problems;
  }

  /** What it waits for at the moment. */
  Stage stage() {
    return stage;
  }

  private interface Asking<T> {
    T ask() throws InterruptedException;
  }

  private interface Telling {
    void tell() throws InterruptedException;
  }

  /** Makes the call, again and again while nobody answers. */
  private <T> T ask(Stage what, Asking<T> call) throws InterruptedException {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    unanswered = 0;
    stage = what;
    try {
      while (true) {
        try {
          return call.ask();
        } catch (UnavailableException | DeadlineExceededException e) {
          table.saw(e);
          unanswered++;
          if (System.nanoTime() > deadline) {
            throw e;
          }
          Thread.sleep(PAUSE);
        } catch (ContainerdException e) {
          table.saw(e);
          throw e;
        }
      }
    } finally {
      stage = Stage.NOTHING;
    }
  }

  private void tell(Stage what, Telling call) throws InterruptedException {
    var _ =
        ask(
            what,
            () -> {
              call.tell();
              return true;
            });
  }

  /** Whether a refusal may be the echo of an earlier call that had no answer. */
  private void echo(String what, ContainerdException e) {
    problems.unless(unanswered > 0, what + ": " + e);
  }

  /** A container's record, under a name that is its own. */
  Box record(String... command) throws InterruptedException {
    return ask(Stage.RECORD, () -> driver.box(command));
  }

  /** Makes the task; false if it is there though no answer said so. */
  boolean create(Box box) throws InterruptedException {
    for (int i = 1; ; i++) {
      try {
        int _ = ask(Stage.CREATE, () -> box.create(Stdio.NONE));
        return true;
      } catch (AlreadyExistsException e) {
        echo("creation of " + box.id(), e);
        return false;
      } catch (UnknownException e) { // the runtime's failure, after which nothing is left
        if (i == ATTEMPTS) {
          throw e;
        }
      }
    }
  }

  /** Adds an exec. */
  boolean exec(Box box, String id, String... command) throws InterruptedException {
    try {
      tell(Stage.EXEC, () -> box.exec(id, Stdio.NONE, command));
      return true;
    } catch (AlreadyExistsException e) {
      echo("exec " + id, e);
      return false;
    }
  }

  /** Starts a process. */
  Begun start(Box box, String exec) throws InterruptedException {
    for (int i = 0; i < ATTEMPTS; i++) {
      try {
        int _ = ask(exec.isEmpty() ? Stage.START : Stage.EXEC, () -> box.start(exec));
        return Begun.TOLD;
      } catch (UnknownException | FailedPreconditionException | NotFoundException e) {
        Optional<TaskStatus> status = status(box, exec);
        if (status.isEmpty()) {
          return Begun.GONE;
        }
        switch (status.get()) {
          case RUNNING, PAUSED, PAUSING -> {
            return Begun.RUNS;
          }
          case STOPPED -> {
            return Begun.PERHAPS;
          }
          case CREATED, UNKNOWN -> Thread.sleep(PAUSE);
        }
      }
    }
    return Begun.PERHAPS;
  }

  /** Empty if there is no such process. */
  Optional<TaskStatus> status(Box box, String exec) throws InterruptedException {
    try {
      return Optional.of(ask(Stage.NOTHING, () -> box.state(exec)).status());
    } catch (NotFoundException _) {
      return Optional.empty();
    }
  }

  /** The number of the first process. */
  int pid(Box box) throws InterruptedException {
    return ask(Stage.NOTHING, box::state).pid();
  }

  /** The status with which the process ends; empty if there is no such process. */
  OptionalInt await(Box box, String exec) throws InterruptedException {
    try {
      return OptionalInt.of(ask(Stage.WAIT, () -> box.await(exec)).status());
    } catch (NotFoundException _) {
      return OptionalInt.empty();
    }
  }

  /** Sends the signal until it is taken or the process has ended. */
  void kill(Box box, String exec, boolean all) throws InterruptedException {
    for (int i = 1; ; i++) {
      try {
        tell(Stage.KILL, () -> box.kill(exec, TaskDriver.KILL, all));
        return;
      } catch (NotFoundException | FailedPreconditionException _) {
        return; // it has ended
      } catch (UnknownException e) {
        if (i == ATTEMPTS) {
          throw e;
        }
        Thread.sleep(PAUSE);
      }
    }
  }

  /** Deletes a process; the status that is told, empty if an earlier call got it. */
  OptionalInt delete(Box box, String exec) throws InterruptedException {
    for (int i = 1; ; i++) {
      try {
        return OptionalInt.of(
            ask(Stage.DELETE, () -> exec.isEmpty() ? box.delete() : box.delete(exec)).status());
      } catch (NotFoundException e) {
        if (i == 1) {
          echo("deletion of " + box.id() + "/" + exec, e);
        }
        return OptionalInt.empty();
      } catch (UnknownException | FailedPreconditionException e) {
        if (i == ATTEMPTS) {
          throw e;
        }
        Thread.sleep(PAUSE);
      }
    }
  }

  /** Deletes the record. */
  void forget(Box box) throws InterruptedException {
    try {
      tell(Stage.RECORD, box::forget);
    } catch (NotFoundException e) {
      echo("record of " + box.id(), e);
    }
  }
}
