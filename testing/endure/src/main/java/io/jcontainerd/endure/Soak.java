package io.jcontainerd.endure;

import io.jcontainerd.client.Containerd;
import io.jcontainerd.testkit.tasks.BusyboxRoot;
import io.jcontainerd.testkit.tasks.TaskDriver;
import io.jcontainerd.testkit.tasks.TaskSubject;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Runs very many containers and execs, and then looks whether the daemon and its shim host are as
 * they were before: as many processes, threads, descriptors, mounts, control groups, network
 * namespaces and files; heaps that have not grown; and every event told once, with the right
 * status.
 *
 * <p>Counts are compared with those after a warm-up, in which every worker has done everything
 * once, since pools of threads and connections fill by use. Heaps are compared with those after the
 * first tenth, since caches and what is loaded late fill by more use; both are looked at after a
 * rest that is longer than anything is kept for a client that may ask again.
 */
final class Soak {
  /**
   * How many cycles and execs, over how many workers.
   *
   * @param longest after that it is over, however much was done
   */
  record Size(int cycles, int execs, int workers, Duration longest) {
    Size {
      if (cycles < 1 || execs < 0 || workers < 1) {
        throw new IllegalArgumentException("too few to do anything");
      }
    }
  }

  private static final int WARM_CYCLES = 4;
  private static final int WARM_EXECS = 40;

  /**
   * Much longer than it takes: what was not done once by then would be taken for something left.
   */
  private static final Duration WARM = Duration.ofMinutes(6);

  private static final Duration REST = Duration.ofSeconds(12);
  private static final Duration PATIENCE = Duration.ofSeconds(90);
  private static final Duration LINE = Duration.ofSeconds(10);

  /**
   * What a heap may grow after the first tenth. Less than six bytes for each of a hundred thousand
   * execs, so that nothing can be kept of each; more than what a cache or a class adds that is met
   * late, measured as at most a quarter of it.
   */
  private static final long MOST_GROWTH = 512 * 1024;

  private final DaemonProcess daemon;
  private final String namespace;
  private final String ociRuntime;
  private final Size size;
  private final long seed;
  private final PrintStream out;
  private final Problems problems = new Problems();
  private final TaskBook book = new TaskBook();
  private final AtomicLong cycles = new AtomicLong();
  private final AtomicLong execs = new AtomicLong();
  private long began;

  /**
   * @param namespace in which nothing else is
   * @param ociRuntime its program; empty for the daemon's choice
   */
  Soak(
      DaemonProcess daemon,
      String namespace,
      String ociRuntime,
      Size size,
      long seed,
      PrintStream out) {
    this.daemon = daemon;
    this.namespace = namespace;
    this.ociRuntime = ociRuntime;
    this.size = size;
    this.seed = seed;
    this.out = out;
  }

  /** Does all of it; returns whether nothing is off. */
  boolean run() throws IOException, InterruptedException {
    BusyboxRoot root = BusyboxRoot.make(daemon.folder().resolve("tree"));
    Path fifos = Files.createDirectories(daemon.run().resolve("fifos"));
    daemon.launch();
    try (Containerd client = daemon.awaitReady();
        TaskRecordReader reader = TaskRecordReader.start(client, namespace, book, problems)) {
      TaskSubject subject =
          new TaskSubject(
              client.tasks(),
              client.containers(),
              _ -> {
                throw new UnsupportedOperationException("the record is read");
              },
              Containerd.DEFAULT_RUNTIME,
              ociRuntime);
      try (TaskDriver driver = new TaskDriver(subject, namespace, root)) {
        work(driver, fifos, reader);
      }
    } finally {
      daemon.stop();
      TaskDriver.removeGroup();
    }
    problems.all().forEach(problem -> out.println("  " + problem));
    out.println("failures " + problems.count() + ", seed " + seed);
    return problems.count() == 0;
  }

  private void work(TaskDriver driver, Path fifos, TaskRecordReader reader)
      throws IOException, InterruptedException {
    SplittableRandom random = new SplittableRandom(seed);
    List<SoakWorker> workers = new ArrayList<>();
    for (int i = 0; i < size.workers(); i++) {
      workers.add(new SoakWorker(driver, book, problems, fifos, random.split(), cycles, execs));
    }
    began = System.nanoTime();
    phase(workers, WARM_CYCLES * size.workers(), WARM_EXECS * size.workers(), WARM);
    Census _ = rest(reader); // the looking itself starts threads in what it looks at
    Census before = steady(rest(reader));
    cycles.set(0);
    execs.set(0);
    began = System.nanoTime();
    phase(workers, size.cycles() / 10, size.execs() / 10, size.longest().dividedBy(10));
    Census _ = rest(reader);
    List<LiveHeap> tenth = heaps();
    long done = cycles.get();
    long execsDone = execs.get();
    phase(
        workers,
        (int) (size.cycles() - done),
        (int) Math.max(0, size.execs() - execsDone),
        size.longest().multipliedBy(9).dividedBy(10));
    Census after = awaitSame(before, rest(reader));
    out.println(line(reader));
    report(before, after);
    report(tenth, heaps());
    book.verify(problems);
    problems.unless(
        reader.interruptions() == 0,
        "record: the subscription ended " + reader.interruptions() + " times");
    out.println(book.result());
  }

  private void phase(List<SoakWorker> workers, int cycleCount, int execCount, Duration longest)
      throws InterruptedException {
    long deadline = System.nanoTime() + longest.toNanos();
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < workers.size(); i++) {
      int mine = share(cycleCount, i);
      int execsOfMine = share(execCount, i);
      SoakWorker worker = workers.get(i);
      threads.add(
          Thread.ofPlatform()
              .name("worker-" + i)
              .start(
                  () ->
                      worker.work(
                          mine,
                          execsOfMine,
                          () -> problems.count() > 0 || System.nanoTime() > deadline)));
    }
    long nextLine = System.nanoTime() + LINE.toNanos();
    for (Thread thread : threads) {
      while (!thread.join(Duration.ofMillis(200))) {
        if (System.nanoTime() > nextLine) {
          out.println(progress());
          nextLine += LINE.toNanos();
        }
        if (System.nanoTime() - deadline > 2 * PATIENCE.toNanos() + longest.toNanos()) {
          problems.add("worker: does not come to its end");
          return;
        }
      }
    }
  }

  private int share(int all, int worker) {
    return all / size.workers() + (worker < all % size.workers() ? 1 : 0);
  }

  /** Waits until everything is told and nothing is kept for anybody; looks. */
  private Census rest(TaskRecordReader reader) throws IOException, InterruptedException {
    boolean complete = book.awaitComplete(PATIENCE.toMillis());
    problems.unless(complete, "record: not all is told " + PATIENCE + " after the last call");
    Thread.sleep(REST);
    out.println(line(reader));
    return Census.take(daemon, namespace);
  }

  /** Without what is there for a moment only, which would be missed later. */
  private Census steady(Census first) throws IOException, InterruptedException {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    Census before = first;
    while (true) {
      Thread.sleep(1000);
      Census now = Census.take(daemon, namespace);
      if (now.changesSince(before).isEmpty() || System.nanoTime() > deadline) {
        return now;
      }
      before = now;
    }
  }

  /** Threads of pools that nobody needs end late. */
  private Census awaitSame(Census before, Census first) throws IOException, InterruptedException {
    long deadline = System.nanoTime() + 2 * PATIENCE.toNanos();
    Census now = first;
    while (!now.changesSince(before).isEmpty() && System.nanoTime() < deadline) {
      Thread.sleep(1000);
      now = Census.take(daemon, namespace);
    }
    return now;
  }

  private List<LiveHeap> heaps() throws IOException, InterruptedException {
    List<LiveHeap> heaps = new ArrayList<>(List.of(LiveHeap.of(daemon.pid())));
    for (long host : Processes.hosts(daemon.run())) {
      heaps.add(LiveHeap.of(host));
    }
    return heaps;
  }

  private void report(Census before, Census after) {
    out.println("%-28s %10s %10s".formatted("", "BEFORE", "AFTER"));
    var kinds = new TreeSet<>(before.kinds().keySet());
    kinds.addAll(after.kinds().keySet());
    for (String kind : kinds) {
      out.println("%-28s %10d %10d".formatted(kind, before.count(kind), after.count(kind)));
    }
    after.changesSince(before).forEach(change -> problems.add("left behind " + change));
  }

  private void report(List<LiveHeap> tenth, List<LiveHeap> end) {
    if (tenth.size() != end.size()) {
      problems.add("heaps: %d processes, and %d before".formatted(end.size(), tenth.size()));
      return;
    }
    for (int i = 0; i < end.size(); i++) {
      String who = i == 0 ? "daemon" : "shim host";
      long growth = end.get(i).bytes() - tenth.get(i).bytes();
      out.println(
          "%-28s %7d kB %7d kB, %+d bytes since the first tenth"
              .formatted(
                  "heap of " + who,
                  tenth.get(i).bytes() / 1024,
                  end.get(i).bytes() / 1024,
                  growth));
      out.println("    " + String.join(", ", end.get(i).growthSince(tenth.get(i))));
      problems.unless(
          growth <= MOST_GROWTH,
          "heap of %s: grew by %d bytes: %s"
              .formatted(who, growth, end.get(i).growthSince(tenth.get(i))));
    }
  }

  private String progress() {
    return "%5d s: %d cycles, %d execs, %d events, failures %d"
        .formatted(
            Duration.ofNanos(System.nanoTime() - began).toSeconds(),
            cycles.get(),
            execs.get(),
            book.events(),
            problems.count());
  }

  private String line(TaskRecordReader reader) {
    return progress() + ", record read to number " + reader.last();
  }
}
