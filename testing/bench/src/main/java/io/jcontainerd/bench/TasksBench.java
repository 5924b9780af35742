package io.jcontainerd.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Measures what happens to tasks, on ours and the distribution's containerd, in turns. */
final class TasksBench {
  /** Runs of each that nobody counts; ours compiles what it uses often. */
  private static final int WARM_UP = 60;

  /** Until what the other daemon has just done is over for the kernel, too. */
  private static final long PAUSE_MILLIS = 100;

  /** At once, while processor time is counted. */
  private static final int WORKERS = 8;

  private static final int CROWD = 64;

  /** Until a daemon that has just worked counts as idle. */
  private static final long REST_MILLIS = 30_000;

  private final Path folder;
  private final Path launcher;
  private final TaskOptions options;
  private final Figures figures;
  private final Cost cost;

  TasksBench(Path folder, Path launcher, TaskOptions options, Figures figures)
      throws IOException, InterruptedException {
    this.folder = folder;
    this.launcher = launcher;
    this.options = options;
    this.figures = figures;
    this.cost = new Cost();
  }

  /** What ours must keep to, with the runtime that theirs has, and with its own; 0 for nothing. */
  private record Targets(
      double start, double crowdedStart, double exec, double execCpu, Map<Integer, Double> memory) {
    private static final Map<Integer, Double> MEMORY = Map.of(100, 0.45, 300, 0.2);

    static Targets of(String runtime) {
      return runtime.equals("runc")
          ? new Targets(0.8, 0, 0.7, 0, Map.of())
          : new Targets(0.5, 0.5, 0.4, 0.5, MEMORY);
    }
  }

  void run() throws IOException, InterruptedException {
    Path archive = Image.write(folder.resolve("image.tar"));
    System.out.println("# " + launcher + ", milliseconds unless said otherwise, in turns");
    figures.head();
    for (String runtime : options.runtimes()) {
      System.out.println("## " + runtime + " below ours, runc below theirs");
      boolean alone = runtime.equals("crun");
      try (Subject theirs = Subject.reference(folder.resolve("theirs-" + runtime));
          Subject ours =
              Subject.ours(folder.resolve("ours-" + runtime), launcher, runtime, alone)) {
        for (Subject subject : List.of(ours, theirs)) {
          subject.start();
          subject.ctr("images", "import", archive.toString());
        }
        measure(ours, theirs, Targets.of(runtime));
      }
    }
  }

  private void measure(Subject ours, Subject theirs, Targets targets)
      throws IOException, InterruptedException {
    try (TaskWork our = new TaskWork(ours);
        TaskWork their = new TaskWork(theirs)) {
      for (int i = 0; i < WARM_UP; i++) {
        for (TaskWork work : List.of(our, their)) {
          work.wholeLife();
          work.exec();
        }
      }
      for (int parallel : options.parallel()) {
        latencies(our, their, parallel, targets);
      }
      if (options.execs() > 0) {
        figures.add(
            "processor seconds for " + options.execs() + " execs",
            execs(ours, our),
            execs(theirs, their),
            targets.execCpu());
      }
    }
    memory(ours, theirs, targets);
  }

  /** One timed piece of a task's life. */
  @FunctionalInterface
  private interface Work {
    long on(TaskWork work) throws IOException, InterruptedException;
  }

  private void latencies(TaskWork our, TaskWork their, int parallel, Targets targets)
      throws IOException, InterruptedException {
    double crowded = parallel == CROWD ? targets.crowdedStart() : 0;
    String at = ", " + parallel + " at once";
    figures(
        "create and start to first byte" + at,
        samples(our, their, parallel, TaskWork::firstByte),
        targets.start(),
        crowded);
    figures("whole life" + at, samples(our, their, parallel, TaskWork::wholeLife), 0, 0);
    figures("exec of true" + at, samples(our, their, parallel, TaskWork::exec), targets.exec(), 0);
    figures("kill to exit event" + at, samples(our, their, parallel, TaskWork::killToEvent), 0, 0);
  }

  private record Samples(List<Double> ours, List<Double> theirs) {}

  /** Rounds in turns, until there are as many samples as were asked for and three rounds. */
  private Samples samples(TaskWork our, TaskWork their, int parallel, Work work)
      throws IOException, InterruptedException {
    int rounds = Math.max(3, Math.ceilDiv(options.runs(), parallel));
    var ours = new ArrayList<Double>();
    var theirs = new ArrayList<Double>();
    for (int round = 0; round < rounds; round++) {
      Thread.sleep(PAUSE_MILLIS);
      ours.addAll(Together.run(parallel, _ -> work.on(our)));
      Thread.sleep(PAUSE_MILLIS);
      theirs.addAll(Together.run(parallel, _ -> work.on(their)));
    }
    return new Samples(ours, theirs);
  }

  private void figures(String what, Samples samples, double middle, double tail) {
    figures.add(
        what + ", p50",
        Figures.quantile(samples.ours(), 0.5),
        Figures.quantile(samples.theirs(), 0.5),
        middle);
    figures.add(
        what + ", p99",
        Figures.quantile(samples.ours(), 0.99),
        Figures.quantile(samples.theirs(), 0.99),
        tail);
  }

  /** What the daemon, its shims and the OCI runtimes below them take of the processors. */
  private double execs(Subject subject, TaskWork work) throws IOException, InterruptedException {
    double before = cpu(subject);
    int each = options.execs() / WORKERS;
    Together.run(
        WORKERS,
        _ -> {
          long begin = System.nanoTime();
          for (int i = 0; i < each; i++) {
            work.exec();
          }
          return System.nanoTime() - begin;
        });
    return cpu(subject) - before;
  }

  private double cpu(Subject subject) throws IOException {
    double sum = 0;
    for (long pid : subject.supervisors()) {
      sum += cost.cpu(pid);
    }
    return sum;
  }

  private void memory(Subject ours, Subject theirs, Targets targets)
      throws IOException, InterruptedException {
    var our = new Idle(ours);
    var their = new Idle(theirs);
    for (int count : options.idle()) {
      our.hold(count);
      their.hold(count);
      Thread.sleep(REST_MILLIS);
      figures.add(
          "daemon and shims, PSS MB, " + count + " containers",
          our.megabytes(),
          their.megabytes(),
          targets.memory().getOrDefault(count, 0.0));
    }
    our.end();
    their.end();
  }

  /** Idle containers of one daemon. */
  private static final class Idle {
    private static final double KIB_A_MEGABYTE = 1024;
    private static final int AT_ONCE = 4;

    private final Subject subject;
    private final List<String> running = new ArrayList<>();

    Idle(Subject subject) {
      this.subject = subject;
    }

    /** Starts so many as are missing. */
    void hold(int count) throws IOException, InterruptedException {
      String layer = subject.api().layer();
      while (running.size() < count) {
        int more = Math.min(AT_ONCE, count - running.size());
        int first = running.size();
        for (int i = 0; i < more; i++) {
          running.add(
              "idle-" + subject.name() + "-" + ProcessHandle.current().pid() + "-" + (first + i));
        }
        Together.run(
            more,
            i -> {
              String id = running.get(first + i);
              subject.api().create(id, layer, Image.spec(id, "\"/bin/sleep\", \"1000000\""));
              subject.api().start(id);
              return 0;
            });
      }
    }

    /** What daemon and shims have in memory. */
    double megabytes() throws IOException {
      return Memory.proportional(subject.supervisors()) / KIB_A_MEGABYTE;
    }

    void end() {
      for (String id : running) {
        subject.api().kill(id);
        subject.api().await(id);
        subject.api().delete(id);
      }
    }
  }
}
