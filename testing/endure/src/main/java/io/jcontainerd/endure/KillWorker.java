package io.jcontainerd.endure;

import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.endure.PatientClient.Begun;
import io.jcontainerd.endure.TaskBook.Certainty;
import io.jcontainerd.testkit.tasks.TaskDriver;
import io.jcontainerd.testkit.tasks.TaskDriver.Box;
import java.util.OptionalInt;
import java.util.SplittableRandom;
import java.util.function.BooleanSupplier;
import java.util.function.IntSupplier;

/**
 * Lets containers and execs live and end while what serves them is killed, and holds the daemon to
 * the statuses. For one thread.
 */
final class KillWorker {
  /** What nobody saw, for the host was dead, or the host's that has taken over. */
  static final int UNSEEN = 255;

  private static final int KILLED = 137;
  private static final int MOST_STATUSES = 126;
  private static final int LONGEST_MICROS = 400_000;

  private final PatientClient client;
  private final TaskBook book;
  private final Problems problems;
  private final IntSupplier hostDeaths;
  private final SplittableRandom random;

  /**
   * @param hostDeaths how often a shim host has died so far
   */
  KillWorker(
      PatientClient client,
      TaskBook book,
      Problems problems,
      IntSupplier hostDeaths,
      SplittableRandom random) {
    this.client = client;
    this.book = book;
    this.problems = problems;
    this.hostDeaths = hostDeaths;
    this.random = random;
  }

  Stage stage() {
    return client.stage();
  }

  /** Goes on until it is told to stop, and ends what it has begun. */
  void work(BooleanSupplier stop) {
    try {
      while (!stop.getAsBoolean()) {
        if (random.nextBoolean()) {
          shortLife();
        } else {
          longLife(1 + random.nextInt(3));
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (ContainerdException | AssertionError e) {
      StringBuilder text = new StringBuilder("worker: " + e);
      for (StackTraceElement frame : e.getStackTrace()) {
        if (frame.getClassName().startsWith("io.jcontainerd.endure.Kill")) {
          text.append(" at ").append(frame.getLineNumber());
        }
      }
      problems.add(text.toString());
    }
  }

  /** Its first process ends by itself. */
  private void shortLife() throws InterruptedException {
    int deaths = hostDeaths.getAsInt();
    int status = random.nextInt(MOST_STATUSES);
    int micros = random.nextInt(LONGEST_MICROS);
    Box box = client.record("sh", "-c", "usleep " + micros + "; exit " + status);
    boolean made = client.create(box);
    Begun begun = client.start(box, "");
    end(box, made, begun, status, deaths);
  }

  /** Its first process is killed, after some execs. */
  private void longLife(int execs) throws InterruptedException {
    int deaths = hostDeaths.getAsInt();
    Box box = client.record("sh", "-c", "sleep 100000 & wait");
    boolean made = client.create(box);
    Begun begun = client.start(box, "");
    if (begun == Begun.TOLD || begun == Begun.RUNS) {
      for (int i = 0; i < execs; i++) {
        exec(box);
      }
      if (random.nextInt(3) == 0) {
        execThatIsCutShort(box);
      }
      client.kill(box, "", random.nextBoolean());
    }
    end(box, made, begun, KILLED, deaths);
  }

  /**
   * Waits for the end, deletes and takes the record away.
   *
   * @param deaths how often a host had died before it began
   */
  private void end(Box box, boolean made, Begun begun, int status, int deaths)
      throws InterruptedException {
    boolean runs = begun == Begun.TOLD || begun == Begun.RUNS;
    if (begun == Begun.GONE) {
      problems.add("task " + box.id() + ": gone, though it was made");
      book.known(box.id(), "", Certainty.NONE, OptionalInt.empty());
      client.forget(box);
      return;
    }
    if (!runs) { // the runtime failed at its start: it is in whatever state, and can be removed
      client.kill(box, "", true);
    }
    OptionalInt waited = OptionalInt.empty();
    if (runs) {
      waited = client.await(box, "");
      problems.unless(waited.isPresent(), "task " + box.id() + ": gone, though it was started");
      judge(box.id(), status, waited, deaths);
    }
    OptionalInt deleted = client.delete(box, "");
    agree(box.id(), waited, deleted);
    client.forget(box);
    book.known(
        box.id(),
        "",
        new Certainty(made, begun == Begun.TOLD, runs),
        waited.isPresent() ? waited : deleted);
  }

  private void exec(Box box) throws InterruptedException {
    int deaths = hostDeaths.getAsInt();
    String id = TaskDriver.freshId("e");
    int status = random.nextInt(MOST_STATUSES);
    boolean killed = random.nextInt(4) == 0;
    boolean made =
        killed
            ? client.exec(box, id, "sleep", "1000")
            : client.exec(box, id, "sh", "-c", "exit " + status);
    Begun begun = client.start(box, id);
    boolean runs = begun == Begun.TOLD || begun == Begun.RUNS;
    OptionalInt waited = OptionalInt.empty();
    if (runs) {
      if (killed) {
        client.kill(box, id, false);
      }
      waited = client.await(box, id);
      problems.unless(waited.isPresent(), "exec " + id + ": gone, though it was started");
      judge(box.id() + "/" + id, killed ? KILLED : status, waited, deaths);
      agree(box.id() + "/" + id, waited, client.delete(box, id));
    }
    book.known(box.id(), id, new Certainty(made, begun == Begun.TOLD, runs), waited);
  }

  /** It runs until its container ends, and with that. */
  private void execThatIsCutShort(Box box) throws InterruptedException {
    int deaths = hostDeaths.getAsInt();
    String id = TaskDriver.freshId("e");
    boolean made = client.exec(box, id, "sleep", "1000");
    Begun begun = client.start(box, id);
    boolean runs = begun == Begun.TOLD || begun == Begun.RUNS;
    OptionalInt waited = OptionalInt.empty();
    if (runs) {
      client.kill(box, "", false);
      waited = client.await(box, id);
      problems.unless(waited.isPresent(), "exec " + id + ": gone, though it was started");
      judge(box.id() + "/" + id, KILLED, waited, deaths);
    }
    book.known(box.id(), id, new Certainty(made, begun == Begun.TOLD, runs), waited);
  }

  private void judge(String who, int status, OptionalInt found, int deaths) {
    if (found.isPresent() && found.getAsInt() != status) {
      problems.unless(
          found.getAsInt() == UNSEEN && hostDeaths.getAsInt() > deaths,
          "status of " + who + ": " + found.getAsInt() + ", not " + status);
    }
  }

  private void agree(String who, OptionalInt waited, OptionalInt deleted) {
    problems.unless(
        waited.isEmpty() || deleted.isEmpty() || waited.getAsInt() == deleted.getAsInt(),
        "status of %s: waiting told %s, deleting %s".formatted(who, waited, deleted));
  }
}
