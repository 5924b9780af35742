package io.jcontainerd.bench;

import io.jcontainerd.bench.OciArchive.Blob;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Measures what is stored: unpacking a large image, and the lists, updates and garbage collections
 * of a store with very many images. Ours is durable; the distribution's containerd is as it comes,
 * without synchronising what it unpacks.
 */
final class StorageBench {
  private static final String WITHOUT_DURABILITY = "JCONTAINERD_BENCH_DURABILITY";
  private static final String SNAPSHOTTER = "overlayfs";
  private static final String RARE = "labels.\"%s\"==rare".formatted(CrowdedStore.LABEL);
  private static final int BLOBS_OF_AN_IMAGE = CrowdedStore.LAYERS + 2;
  private static final int UPDATES = 100;
  private static final int CONCURRENT = 64;
  private static final int UPDATES_EACH = 20;
  private static final long PAUSE_MILLIS = 1_000;

  private final Path folder;
  private final Path launcher;
  private final Path kept;
  private final int runs;
  private final int images;
  private final int garbage;
  private final Figures figures;

  /**
   * @param folder for the daemons, on the file system that is measured
   * @param kept for what later runs use again
   * @param garbage blobs that each collection finds
   */
  StorageBench(
      Path folder, Path launcher, Path kept, int runs, int images, int garbage, Figures figures) {
    this.folder = folder;
    this.launcher = launcher;
    this.kept = kept;
    this.runs = runs;
    this.images = images;
    this.garbage = garbage;
    this.figures = figures;
  }

  void run() throws IOException, InterruptedException {
    figures.head();
    System.out.println("## unpacking " + DebianImage.NAME);
    unpack();
    System.out.printf(
        "## a store with %,d images and %,d blobs%n", images, images * BLOBS_OF_AN_IMAGE);
    crowd();
    System.out.println("## containers while an image is unpacked and snapshots are collected");
    new FlatUnderLoad(folder, launcher, DebianImage.in(kept), figures).run();
  }

  private void unpack() throws IOException, InterruptedException {
    Path archive = DebianImage.in(kept);
    try (Subject theirs = Subject.reference(folder.resolve("a"));
        Subject ours = Subject.ours("jcontainerd", folder.resolve("b"), launcher, Map.of());
        Subject careless =
            Subject.ours(
                "jcontainerd-careless",
                folder.resolve("c"),
                launcher,
                Map.of(WITHOUT_DURABILITY, "off"))) {
      List<Subject> all = List.of(ours, theirs, careless);
      for (Subject subject : all) {
        subject.start();
        subject.ctr("images", "import", "--no-unpack", archive.toString());
      }
      var times =
          List.of(new ArrayList<Double>(), new ArrayList<Double>(), new ArrayList<Double>());
      for (int run = 0; run <= runs; run++) {
        for (int i = 0; i < all.size(); i++) {
          // the first changes from run to run, for whoever comes later finds the disk busier
          int turn = (i + run) % all.size();
          double time = unpackOnce(all.get(turn));
          if (run > 0) {
            times.get(turn).add(time);
          }
        }
      }
      double our = Figures.median(times.get(0));
      figures.add("unpack", our, Figures.median(times.get(1)), 0.7);
      figures.add("unpack, beside ours without durability", our, Figures.median(times.get(2)), 1.1);
    }
  }

  /** Unpacks and removes again what was unpacked. */
  private static double unpackOnce(Subject subject) throws IOException, InterruptedException {
    String digest = target(subject);
    settle();
    long begin = System.nanoTime();
    subject.ctr("snapshots", "--snapshotter", SNAPSHOTTER, "unpack", digest);
    double millis = (System.nanoTime() - begin) / 1e6;
    for (String line : subject.ctr("snapshots", "ls").lines().skip(1).toList()) {
      subject.ctr("snapshots", "rm", line.split("\\s+", 2)[0]);
    }
    return millis;
  }

  /** The digest of the large image, which was imported. */
  static String target(Subject subject) throws IOException, InterruptedException {
    return subject
        .ctr("images", "ls")
        .lines()
        .filter(line -> line.startsWith(DebianImage.NAME))
        .map(line -> line.split("\\s+", 4)[2])
        .findFirst()
        .orElseThrow(() -> new IOException(subject.name() + " does not list the image"));
  }

  /** What was written before does not slow down what is measured next. */
  static void settle() throws IOException, InterruptedException {
    Commands.run(List.of("sync"));
    Thread.sleep(PAUSE_MILLIS);
  }

  private void crowd() throws IOException, InterruptedException {
    try (Subject theirs = Subject.reference(folder.resolve("d"));
        Subject ours = Subject.ours("jcontainerd", folder.resolve("e"), launcher, Map.of())) {
      ours.start();
      theirs.start();
      try (StorageApi our = api(ours);
          StorageApi their = api(theirs)) {
        fill(ours, our);
        fill(theirs, their);
        settle();
        alternate("images ls by ctr", 1.0, ours, theirs, s -> s.ctr("images", "ls", "-q"));
        lists("list of all by API", "", our, their);
        lists("list of one in " + CrowdedStore.RARE + " by API", RARE, our, their);
        updates(our, their);
        throughput(our, their);
        collections(our, their);
      }
      starts(ours, theirs);
      figures.bound(
          "daemon after the load, RSS MB",
          Memory.resident(ours.pid()) / 1024.0,
          Memory.resident(theirs.pid()) / 1024.0,
          256);
    }
  }

  private static StorageApi api(Subject subject) {
    return new StorageApi(subject.socket(), Subject.NAMESPACE);
  }

  private void fill(Subject subject, StorageApi api) throws InterruptedException {
    long begin = System.nanoTime();
    new CrowdedStore(api).images(images);
    System.out.printf(
        "# %s was filled in %.0f s%n", subject.name(), (System.nanoTime() - begin) / 1e9);
  }

  private interface OnSubject {
    void run(Subject subject) throws IOException, InterruptedException;
  }

  private void alternate(String what, double target, Subject ours, Subject theirs, OnSubject work)
      throws IOException, InterruptedException {
    var our = new ArrayList<Double>();
    var their = new ArrayList<Double>();
    for (int i = 0; i <= runs; i++) {
      long begin = System.nanoTime();
      work.run(ours);
      long middle = System.nanoTime();
      work.run(theirs);
      if (i > 0) {
        our.add((middle - begin) / 1e6);
        their.add((System.nanoTime() - middle) / 1e6);
      }
    }
    figures.add(what, Figures.median(our), Figures.median(their), target);
  }

  private void lists(String what, String filter, StorageApi ours, StorageApi theirs) {
    var our = new ArrayList<Double>();
    var their = new ArrayList<Double>();
    for (int i = 0; i <= runs; i++) {
      long begin = System.nanoTime();
      int mine = ours.list(filter);
      long middle = System.nanoTime();
      int other = theirs.list(filter);
      long end = System.nanoTime();
      if (mine != other || mine == 0) {
        throw new IllegalStateException("lists differ: " + mine + " and " + other);
      }
      if (i > 0) {
        our.add((middle - begin) / 1e6);
        their.add((end - middle) / 1e6);
      }
    }
    figures.add(what, Figures.median(our), Figures.median(their), 1.0);
  }

  private void updates(StorageApi ours, StorageApi theirs) {
    var our = new ArrayList<Double>();
    var their = new ArrayList<Double>();
    for (int i = 0; i < UPDATES * 2; i++) {
      String image = CrowdedStore.name(i * 37 % images);
      long begin = System.nanoTime();
      ours.label(image, "bench.n", "u" + i);
      long middle = System.nanoTime();
      theirs.label(image, "bench.n", "u" + i);
      if (i >= UPDATES) {
        our.add((middle - begin) / 1e6);
        their.add((System.nanoTime() - middle) / 1e6);
      }
    }
    figures.add("durable update, one at a time", Figures.median(our), Figures.median(their), 1.0);
  }

  private void throughput(StorageApi ours, StorageApi theirs) throws InterruptedException {
    var our = new ArrayList<Double>();
    var their = new ArrayList<Double>();
    for (int i = 0; i <= runs; i++) {
      double mine = together(ours, i);
      double other = together(theirs, i);
      if (i > 0) {
        our.add(mine);
        their.add(other);
      }
    }
    figures.add(
        CONCURRENT + " updates at a time, ms for " + CONCURRENT * UPDATES_EACH,
        Figures.median(our),
        Figures.median(their),
        0.2);
  }

  /** The milliseconds for many callers' updates. */
  private double together(StorageApi api, int run) throws InterruptedException {
    var serial = new AtomicInteger();
    var failure = new ArrayList<Throwable>();
    var callers = new ArrayList<Thread>();
    long begin = System.nanoTime();
    for (int c = 0; c < CONCURRENT; c++) {
      callers.add(
          Thread.ofVirtual()
              .uncaughtExceptionHandler(
                  (_, problem) -> {
                    synchronized (failure) {
                      failure.add(problem);
                    }
                  })
              .start(
                  () -> {
                    for (int u = 0; u < UPDATES_EACH; u++) {
                      int number = serial.getAndIncrement();
                      api.label(
                          CrowdedStore.name(number * 53 % images), "bench.n", run + "-" + number);
                    }
                  }));
    }
    for (Thread caller : callers) {
      caller.join();
    }
    synchronized (failure) {
      if (!failure.isEmpty()) {
        throw new IllegalStateException("an update failed", failure.getFirst());
      }
    }
    return (System.nanoTime() - begin) / 1e6;
  }

  private void collections(StorageApi ours, StorageApi theirs) throws InterruptedException {
    var our = new ArrayList<Double>();
    var their = new ArrayList<Double>();
    for (int i = 0; i < runs; i++) {
      our.add(collect(ours, i));
      their.add(collect(theirs, i));
    }
    figures.add(
        "collecting " + garbage + " blobs", Figures.median(our), Figures.median(their), 0.5);
  }

  private double collect(StorageApi api, int run) throws InterruptedException {
    String lease = "bench-garbage-" + run;
    Blob one = new CrowdedStore(api).leased(lease, garbage, run + 1L);
    if (!api.has(one)) {
      throw new IllegalStateException("a leased blob is gone");
    }
    long begin = System.nanoTime();
    api.deleteLease(lease);
    double millis = (System.nanoTime() - begin) / 1e6;
    if (api.has(one)) {
      throw new IllegalStateException("a blob that nothing keeps was not collected");
    }
    return millis;
  }

  private void starts(Subject ours, Subject theirs) throws IOException, InterruptedException {
    var our = new ArrayList<Double>();
    var their = new ArrayList<Double>();
    for (int i = 0; i < runs; i++) {
      ours.stop();
      our.add(ours.start());
      theirs.stop();
      their.add(theirs.start());
    }
    figures.bound("start on that store", Figures.median(our), Figures.median(their), 1500);
  }
}
