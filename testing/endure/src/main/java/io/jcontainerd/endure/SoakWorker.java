package io.jcontainerd.endure;

import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.tasks.Stdio;
import io.jcontainerd.testkit.tasks.Streams;
import io.jcontainerd.testkit.tasks.TaskDriver;
import io.jcontainerd.testkit.tasks.TaskDriver.Box;
import java.io.IOException;
import java.nio.file.Path;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;

/**
 * Runs containers to their ends, and execs in some of them: with random statuses, with streams and
 * without, ended by themselves or by a signal. What they must have told stands in the book. For one
 * thread.
 */
final class SoakWorker {
  private static final int OF_THOSE_KILLED = 128;
  private static final int MOST_STATUSES = 126;
  private static final String LONG = "1000";

  private final TaskDriver driver;
  private final TaskBook book;
  private final Problems problems;
  private final Path fifos;
  private final SplittableRandom random;
  private final AtomicLong cycles;
  private final AtomicLong execs;

  /**
   * @param fifos folder for streams
   * @param cycles counts the containers that are gone
   * @param execs counts the execs that are gone
   */
  SoakWorker(
      TaskDriver driver,
      TaskBook book,
      Problems problems,
      Path fifos,
      SplittableRandom random,
      AtomicLong cycles,
      AtomicLong execs) {
    this.driver = driver;
    this.book = book;
    this.problems = problems;
    this.fifos = fifos;
    this.random = random;
    this.cycles = cycles;
    this.execs = execs;
  }

  /**
   * Does so many cycles with so many execs in them, in half of the containers, or fewer when it is
   * told to stop.
   */
  void work(int cycleCount, int execCount, BooleanSupplier stop) {
    int execsLeft = execCount;
    try {
      for (int left = cycleCount; left > 0 && !stop.getAsBoolean(); left--) {
        if (left > 1 && random.nextBoolean()) {
          shortCycle();
          continue;
        }
        int most = left == 1 ? execsLeft : (int) Math.min(execsLeft, 4L * execsLeft / left);
        int mine = left == 1 ? most : random.nextInt(most + 1);
        longCycle(mine, stop);
        execsLeft -= mine;
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (IOException | ContainerdException | AssertionError e) {
      problems.add("worker: " + e);
    }
  }

  private String fresh(String prefix) {
    return TaskDriver.freshId(prefix);
  }

  /** One whose first process ends by itself. */
  private void shortCycle() throws IOException, InterruptedException {
    int status = random.nextInt(MOST_STATUSES);
    String word = fresh("w");
    Box box = driver.box("sh", "-c", "echo " + word + "; exit " + status);
    if (random.nextInt(8) > 0) {
      int _ = box.create(Stdio.NONE);
      int _ = box.start();
      end(box, status);
      return;
    }
    try (Streams streams = Streams.output(fifos, box.id())) {
      int _ = box.create(streams.stdio());
      int _ = box.start();
      end(box, status);
      said(box.id(), word, streams);
    }
  }

  /** One with execs in it, which is killed. */
  private void longCycle(int count, BooleanSupplier stop) throws IOException, InterruptedException {
    int signal = random.nextBoolean() ? TaskDriver.KILL : TaskDriver.TERM;
    int status = random.nextInt(MOST_STATUSES);
    Box box =
        driver.box("sh", "-c", "trap 'exit " + status + "' TERM; touch /tmp/up; sleep 1000 & wait");
    int _ = box.create(Stdio.NONE);
    int _ = box.start();
    for (int i = 0; i < count && !stop.getAsBoolean(); i++) {
      exec(box);
      execs.incrementAndGet();
    }
    if (signal == TaskDriver.TERM) {
      listens(box);
    }
    box.kill("", signal, signal == TaskDriver.KILL && random.nextBoolean());
    end(box, signal == TaskDriver.KILL ? OF_THOSE_KILLED + TaskDriver.KILL : status);
  }

  /** Waits until the first process has its trap, by another exec. */
  private void listens(Box box) throws InterruptedException {
    String id = fresh("e");
    box.exec(id, Stdio.NONE, "sh", "-c", "while [ ! -e /tmp/up ]; do usleep 10000; done");
    int _ = box.start(id);
    end(box, id, 0);
  }

  private void exec(Box box) throws IOException, InterruptedException {
    String id = fresh("e");
    switch (random.nextInt(8)) {
      case 0, 1, 2, 3 -> {
        box.exec(id, Stdio.NONE, "true");
        int _ = box.start(id);
        end(box, id, 0);
      }
      case 4, 5 -> {
        int status = random.nextInt(MOST_STATUSES);
        box.exec(id, Stdio.NONE, "sh", "-c", "exit " + status);
        int _ = box.start(id);
        end(box, id, status);
      }
      case 6 -> {
        box.exec(id, Stdio.NONE, "sleep", LONG);
        int _ = box.start(id);
        box.kill(id, TaskDriver.KILL, false);
        end(box, id, OF_THOSE_KILLED + TaskDriver.KILL);
      }
      default -> {
        int status = random.nextInt(MOST_STATUSES);
        try (Streams streams = Streams.output(fifos, id)) {
          box.exec(id, streams.stdio(), "sh", "-c", "echo " + id + "; exit " + status);
          int _ = box.start(id);
          end(box, id, status);
          said(id, id, streams);
        }
      }
    }
  }

  private void said(String who, String word, Streams streams) throws InterruptedException {
    String said = streams.wholeOut();
    problems.unless(
        said.equals(word + "\n"), "output of " + who + ": '" + said + "', not '" + word + "'");
  }

  private void end(Box box, String exec, int status) throws InterruptedException {
    int waited = box.await(exec).status();
    int deleted = box.delete(exec).status();
    same(box.id() + "/" + exec, status, waited, deleted);
    book.lived(box.id(), exec, status);
  }

  private void end(Box box, int status) throws InterruptedException {
    int waited = box.await().status();
    int deleted = box.delete().status();
    box.forget();
    same(box.id(), status, waited, deleted);
    book.lived(box.id(), "", status);
    cycles.incrementAndGet();
  }

  private void same(String who, int status, int waited, int deleted) {
    problems.unless(
        waited == status && deleted == status,
        "status of %s: %d, but waiting told %d and deleting %d"
            .formatted(who, status, waited, deleted));
  }
}
