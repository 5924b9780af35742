package io.jcontainerd.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Measures ours and the distribution's containerd in alternating runs. */
final class Bench {
  /** Runs that nobody counts: file caches and first uses. */
  private static final int FIRST_USES = 3;

  /** Runs after which a daemon's latency no longer falls; ours compiles what it uses often. */
  private static final int WARM_UP = 60;

  /** Until a daemon that has just worked counts as idle. */
  private static final long REST_MILLIS = 15_000;

  /**
   * Before each timed piece of work: one daemon's container leaves the kernel's lock for moving
   * processes between groups open for a while, by which the other's next one would be quicker.
   */
  private static final long PAUSE_MILLIS = 100;

  private static final int[] IDLE = {0, 10, 50, 100};
  private static final String TRUE = "\"/bin/true\"";
  private static final String SLEEP = "\"/bin/sleep\", \"1000000\"";

  private final Path folder;
  private final Path launcher;
  private final int runs;
  private final int mostIdle;
  private final Figures figures;
  private int serial;

  Bench(Path folder, Path launcher, int runs, int mostIdle, Figures figures) {
    this.folder = folder;
    this.launcher = launcher;
    this.runs = runs;
    this.mostIdle = mostIdle;
    this.figures = figures;
  }

  void run() throws IOException, InterruptedException {
    Path archive = Image.write(folder.resolve("image.tar"));
    System.out.println("# " + launcher + ", " + runs + " alternating runs, milliseconds, medians");
    figures.head();
    System.out.println("## the same OCI runtime for both: runc");
    try (Subject theirs = Subject.reference(folder.resolve("a"));
        Subject ours = Subject.ours(folder.resolve("b"), launcher, "runc", false)) {
      coldStarts(ours, theirs);
      begin(ours, archive);
      begin(theirs, archive);
      Thread.sleep(REST_MILLIS);
      idleMemory(ours, theirs);
      latencies(ours, theirs, 0.8);
      density(ours, theirs);
      loadedMemory(ours, theirs);
    }
    System.out.println("## crun below ours, in a mount namespace without cgroup2, and their runc");
    try (Subject theirs = Subject.reference(folder.resolve("c"));
        Subject ours = Subject.ours(folder.resolve("d"), launcher, "crun", true)) {
      begin(ours, archive);
      begin(theirs, archive);
      latencies(ours, theirs, 0.8);
    }
  }

  private static void begin(Subject subject, Path archive)
      throws IOException, InterruptedException {
    subject.start();
    subject.ctr("images", "import", archive.toString());
  }

  private void coldStarts(Subject ours, Subject theirs) throws IOException, InterruptedException {
    var our = new ArrayList<Double>();
    var their = new ArrayList<Double>();
    for (int i = 0; i < FIRST_USES + runs; i++) {
      double a = ours.start();
      ours.stop();
      double b = theirs.start();
      theirs.stop();
      if (i >= FIRST_USES) {
        our.add(a);
        their.add(b);
      }
    }
    figures.bound("cold start to first answer", Figures.median(our), Figures.median(their), 700);
  }

  /** One timed piece of work on a daemon. */
  @FunctionalInterface
  private interface Work {
    void on(Subject subject) throws IOException, InterruptedException;
  }

  /** The daemons' first runs are told beside the target's, which are those of daemons at work. */
  private void alternate(String what, Subject ours, Subject theirs, double target, Work work)
      throws IOException, InterruptedException {
    repeat(FIRST_USES, ours, theirs, work);
    Medians young = repeat(runs, ours, theirs, work);
    figures.add(what + ", young daemons", young.ours(), young.theirs(), 0);
    repeat(Math.max(1, WARM_UP - runs - FIRST_USES), ours, theirs, work);
    Medians warm = repeat(runs, ours, theirs, work);
    figures.add(what, warm.ours(), warm.theirs(), target);
  }

  private record Medians(double ours, double theirs) {}

  private static Medians repeat(int times, Subject ours, Subject theirs, Work work)
      throws IOException, InterruptedException {
    var our = new ArrayList<Double>();
    var their = new ArrayList<Double>();
    for (int i = 0; i < times; i++) {
      our.add(timed(ours, work));
      their.add(timed(theirs, work));
    }
    return new Medians(Figures.median(our), Figures.median(their));
  }

  private static double timed(Subject subject, Work work) throws IOException, InterruptedException {
    Thread.sleep(PAUSE_MILLIS);
    long begin = System.nanoTime();
    work.on(subject);
    return (System.nanoTime() - begin) / 1e6;
  }

  private String id() {
    return "bench-" + ProcessHandle.current().pid() + "-" + serial++;
  }

  private void latencies(Subject ours, Subject theirs, double target)
      throws IOException, InterruptedException {
    alternate(
        "ctr run --rm true",
        ours,
        theirs,
        target,
        subject -> subject.ctr("run", "--rm", Image.NAME, id(), "/bin/true"));
    alternate(
        "create, start, wait, delete by API",
        ours,
        theirs,
        target,
        subject -> {
          String id = id();
          Api api = subject.api();
          api.create(id, api.layer(), Image.spec(id, TRUE));
          api.start(id);
          expectZero(api.await(id));
          api.delete(id);
        });
    String sleeper = id();
    for (Subject subject : List.of(ours, theirs)) {
      sleep(subject, sleeper);
    }
    String process = Image.process(TRUE);
    alternate(
        "exec of true by API",
        ours,
        theirs,
        target,
        subject -> expectZero(subject.api().exec(own(subject, sleeper), id(), process)));
    for (Subject subject : List.of(ours, theirs)) {
      end(subject.api(), own(subject, sleeper));
    }
  }

  /** Both have their OCI runtime's state in the same folder, where an id may be used once. */
  private static String own(Subject subject, String id) {
    return id + "-" + subject.name();
  }

  private static void sleep(Subject subject, String id) {
    String own = own(subject, id);
    Api api = subject.api();
    api.create(own, api.layer(), Image.spec(own, SLEEP));
    api.start(own);
  }

  private static void expectZero(int status) {
    if (status != 0) {
      throw new IllegalStateException("the container ended with " + status);
    }
  }

  private static void end(Api api, String id) {
    api.kill(id);
    api.await(id);
    api.delete(id);
  }

  private static double megabytes(long kib) {
    return kib / 1024.0;
  }

  private void idleMemory(Subject ours, Subject theirs) throws IOException {
    figures.bound(
        "idle daemon, RSS MB",
        megabytes(Memory.resident(ours.pid())),
        megabytes(Memory.resident(theirs.pid())),
        110);
  }

  private void loadedMemory(Subject ours, Subject theirs) throws IOException {
    figures.bound(
        "daemon after the load, RSS MB",
        megabytes(Memory.resident(ours.pid())),
        megabytes(Memory.resident(theirs.pid())),
        160);
  }

  private void density(Subject ours, Subject theirs) throws IOException {
    var running = new ArrayList<String>();
    for (int count : IDLE) {
      if (count > mostIdle) {
        break;
      }
      while (running.size() < count) {
        String id = id();
        for (Subject subject : List.of(ours, theirs)) {
          sleep(subject, id);
        }
        running.add(id);
      }
      double target = count == 50 ? 1.0 : count == 100 ? 0.6 : 0;
      figures.add(
          "daemon and shims, PSS MB, " + count + " containers",
          megabytes(Memory.proportional(ours.supervisors())),
          megabytes(Memory.proportional(theirs.supervisors())),
          target);
    }
    for (String id : running) {
      end(ours.api(), own(ours, id));
      end(theirs.api(), own(theirs, id));
    }
  }
}
