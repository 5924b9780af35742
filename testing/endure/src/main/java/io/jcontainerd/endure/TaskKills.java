package io.jcontainerd.endure;

import io.jcontainerd.client.Containerd;
import io.jcontainerd.core.tasks.TaskStatus;
import io.jcontainerd.endure.KillTable.Victim;
import io.jcontainerd.endure.TaskBook.Certainty;
import io.jcontainerd.testkit.tasks.BusyboxRoot;
import io.jcontainerd.testkit.tasks.TaskDriver;
import io.jcontainerd.testkit.tasks.TaskDriver.Box;
import io.jcontainerd.testkit.tasks.TaskSubject;
import java.io.IOException;
import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Kills the daemon, the shim host, one that is starting, and commands of the OCI runtime while
 * clients create, start, exec, kill and delete. In rounds: in each one kind of victim is killed
 * some times while workers go on and some containers just run; then the workers come to their end,
 * and it is looked what is left, and whether those that just ran do so still.
 */
final class TaskKills {
  private static final int WORKERS = 5;
  private static final int KEPT = 2;
  private static final int KILLS_IN_A_ROUND = 5;
  private static final int STATUS_OF_KILLED = 137;
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final Duration ROUND = Duration.ofMinutes(6);
  private static final Duration STAGE = Duration.ofSeconds(2);
  private static final Duration STARTED = Duration.ofSeconds(5);
  private static final int LONGEST_WAIT_MILLIS = 12;
  private static final int LONGEST_DOWN_MILLIS = 400;
  private static final int LONGEST_START_MILLIS = 300;
  private static final int LONGEST_REST_MILLIS = 300;
  private static final List<Victim> VICTIMS = List.of(Victim.values());
  private static final List<Stage> OF_RUNTIME =
      List.of(Stage.CREATE, Stage.START, Stage.EXEC, Stage.KILL, Stage.DELETE);
  private static final List<Stage> OF_ALL =
      List.of(Stage.CREATE, Stage.START, Stage.EXEC, Stage.WAIT, Stage.KILL, Stage.DELETE);

  private final DaemonProcess daemon;
  private final String namespace;
  private final long seed;
  private final PrintStream out;
  private final SplittableRandom random;
  private final Victims victims;
  private final Problems problems = new Problems();
  private final TaskBook book = new TaskBook();
  private final KillTable table = new KillTable();
  private final AtomicInteger hostDeaths = new AtomicInteger();
  private int missed;

  /**
   * @param namespace in which nothing else is
   */
  TaskKills(DaemonProcess daemon, String namespace, long seed, PrintStream out) {
    this.daemon = daemon;
    this.namespace = namespace;
    this.seed = seed;
    this.out = out;
    this.random = new SplittableRandom(seed);
    this.victims = new Victims(daemon.run());
  }

  /** Kills so many times; returns whether all was as promised. */
  boolean run(int times) throws IOException, InterruptedException {
    long began = System.nanoTime();
    BusyboxRoot root = BusyboxRoot.make(daemon.folder().resolve("tree"));
    daemon.launch();
    try (Containerd client = daemon.awaitReady();
        TaskRecordReader _ = TaskRecordReader.start(client, namespace, book, problems)) {
      TaskSubject subject =
          new TaskSubject(
              client.tasks(),
              client.containers(),
              _ -> {
                throw new UnsupportedOperationException("the record is read");
              },
              Containerd.DEFAULT_RUNTIME,
              "");
      try (TaskDriver driver = new TaskDriver(subject, namespace, root)) {
        rounds(driver, times);
      }
    } finally {
      daemon.stop();
      TaskDriver.removeGroup();
    }
    table.print(out);
    out.println(book.result());
    problems.all().forEach(problem -> out.println("  " + problem));
    out.println(
        "%d kills, %d came too late, failures %d, seed %d, in %d s"
            .formatted(
                table.kills(),
                missed,
                problems.count(),
                seed,
                Duration.ofNanos(System.nanoTime() - began).toSeconds()));
    return problems.count() == 0;
  }

  private void rounds(TaskDriver driver, int times) throws IOException, InterruptedException {
    round(driver, Optional.empty(), 0);
    Census before = Census.take(daemon, namespace);
    int at = 0;
    while (table.kills() < times && problems.count() == 0) {
      Victim victim = VICTIMS.get(at % VICTIMS.size());
      at++;
      int known = problems.count();
      round(driver, Optional.of(victim), Math.min(KILLS_IN_A_ROUND, times - table.kills()));
      look(before);
      book.verify(problems);
      table.failed(problems.count() - known);
      out.println("%d kills, failures %d".formatted(table.kills(), problems.count()));
    }
  }

  private void round(TaskDriver driver, Optional<Victim> victim, int kills)
      throws IOException, InterruptedException {
    PatientClient own = new PatientClient(driver, table, problems);
    int deaths = hostDeaths.get();
    Map<Box, Integer> kept = new HashMap<>();
    for (int i = 0; i < KEPT; i++) {
      Box box = own.record("sleep", "100000");
      own.create(box);
      own.start(box, "");
      kept.put(box, own.pid(box));
    }
    AtomicBoolean over = new AtomicBoolean();
    List<KillWorker> workers = new ArrayList<>();
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < WORKERS; i++) {
      KillWorker worker =
          new KillWorker(
              new PatientClient(driver, table, problems),
              book,
              problems,
              hostDeaths::get,
              random.split());
      workers.add(worker);
      threads.add(
          Thread.ofPlatform()
              .daemon()
              .name("worker-" + i)
              .start(() -> worker.work(() -> over.get() || problems.count() > 0)));
    }
    try {
      if (victim.isEmpty()) {
        Thread.sleep(1000);
      } else {
        for (int i = 0; i < kills && problems.count() == 0; i++) {
          kill(victim.get(), workers);
          Thread.sleep(random.nextInt(LONGEST_REST_MILLIS));
        }
      }
    } finally {
      over.set(true);
    }
    long deadline = System.nanoTime() + ROUND.toNanos();
    for (Thread thread : threads) {
      if (!thread.join(Duration.ofNanos(Math.max(1, deadline - System.nanoTime())))) {
        problems.add("worker: does not come to its end: " + List.of(thread.getStackTrace()));
        return;
      }
    }
    for (Map.Entry<Box, Integer> each : kept.entrySet()) {
      endKept(own, each.getKey(), each.getValue(), hostDeaths.get() > deaths);
    }
  }

  private void kill(Victim victim, List<KillWorker> workers)
      throws IOException, InterruptedException {
    List<Stage> stages = victim == Victim.RUNTIME ? OF_RUNTIME : OF_ALL;
    Stage stage = stages.get(random.nextInt(stages.size()));
    if (victim == Victim.RUNTIME) {
      table.killed(victim, stage);
      if (!victims.killRuntime(stage.word(), STAGE)) {
        missed++;
      }
      return;
    }
    awaitStage(stage, workers);
    Thread.sleep(random.nextInt(LONGEST_WAIT_MILLIS));
    table.killed(victim, stage);
    switch (victim) {
      case DAEMON -> {
        daemon.kill();
        Thread.sleep(random.nextInt(LONGEST_DOWN_MILLIS));
        daemon.launch();
        daemon.awaitReady().close();
      }
      case HOST -> killHosts();
      case STARTING_HOST -> {
        killHosts();
        Duration pause = Duration.ofMillis(random.nextInt(LONGEST_START_MILLIS));
        hostDeaths.incrementAndGet();
        if (!victims.killStartingHost(pause, STARTED)) {
          missed++;
        }
      }
      case RUNTIME -> throw new AssertionError("was dealt with");
    }
  }

  private void killHosts() throws IOException, InterruptedException {
    hostDeaths.incrementAndGet(); // before, so that a status is not judged too early
    int killed = victims.killHosts();
    if (killed == 0) {
      missed++;
    }
  }

  private static void awaitStage(Stage stage, List<KillWorker> workers)
      throws InterruptedException {
    long deadline = System.nanoTime() + STAGE.toNanos();
    while (workers.stream().noneMatch(worker -> worker.stage() == stage)
        && System.nanoTime() < deadline) {
      Thread.sleep(1);
    }
  }

  /**
   * It has gone on all the time, and ends as any other.
   *
   * @param takenOver whether another host than the first may have it, to whom not every kernel
   *     tells the status
   */
  private void endKept(PatientClient own, Box box, int pid, boolean takenOver)
      throws InterruptedException {
    Optional<TaskStatus> status = own.status(box, "");
    boolean runs = status.filter(TaskStatus.RUNNING::equals).isPresent();
    problems.unless(runs, "task " + box.id() + ": is not what was killed, and yet " + status);
    OptionalInt ended = OptionalInt.empty();
    if (status.isPresent()) {
      int now = own.pid(box);
      problems.unless(now == pid, "task " + box.id() + ": process " + now + ", not " + pid);
      own.kill(box, "", true);
      ended = own.await(box, "");
      problems.unless(
          ended.isPresent()
              && (ended.getAsInt() == STATUS_OF_KILLED
                  || (takenOver && ended.getAsInt() == KillWorker.UNSEEN)),
          "status of " + box.id() + ": " + ended + ", not " + STATUS_OF_KILLED);
      var _ = own.delete(box, "");
    }
    own.forget(box);
    book.known(box.id(), "", Certainty.ALL, ended);
  }

  /** Whether anything is there that was not there before the first kill. */
  private void look(Census before) throws IOException, InterruptedException {
    boolean complete = book.awaitComplete(PATIENCE.toMillis());
    problems.unless(complete, "record: not all is told " + PATIENCE + " after the last call");
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    List<String> more = Census.take(daemon, namespace).additionsSince(before);
    while (!more.isEmpty() && System.nanoTime() < deadline) {
      Thread.sleep(500);
      more = Census.take(daemon, namespace).additionsSince(before);
    }
    table.leaked(more.size());
    more.forEach(each -> problems.add("left behind " + each));
  }
}
