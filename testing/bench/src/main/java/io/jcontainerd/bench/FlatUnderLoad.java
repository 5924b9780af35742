package io.jcontainerd.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * How long it takes to create and start a container while the daemon unpacks a large image again
 * and again and collects a thousand snapshots at a time, beside the same in a daemon with nothing
 * else to do.
 */
final class FlatUnderLoad {
  private static final int SNAPSHOTS = 1_000;
  private static final int FIRST_USES = 30;
  private static final int CONTAINERS = 100;
  private static final double PERCENTILE = 0.99;
  private static final double TARGET = 2.0;

  private final Path folder;
  private final Path launcher;
  private final Path debian;
  private final Figures figures;
  private final AtomicInteger serial = new AtomicInteger();

  FlatUnderLoad(Path folder, Path launcher, Path debian, Figures figures) {
    this.folder = folder;
    this.launcher = launcher;
    this.debian = debian;
    this.figures = figures;
  }

  void run() throws IOException, InterruptedException {
    Path archive = Image.write(folder.resolve("image.tar"));
    try (Subject theirs = Subject.reference(folder.resolve("f"))) {
      measure(theirs, archive, 0);
    }
    try (Subject ours = Subject.ours("jcontainerd", folder.resolve("g"), launcher, Map.of())) {
      measure(ours, archive, TARGET);
    }
  }

  private void measure(Subject subject, Path archive, double target)
      throws IOException, InterruptedException {
    subject.start();
    subject.ctr("images", "import", archive.toString());
    String layer = subject.api().layer();
    subject.ctr("images", "import", "--no-unpack", debian.toString());
    String image = StorageBench.target(subject);
    containers(subject, layer, FIRST_USES);
    List<Double> idle = containers(subject, layer, CONTAINERS);
    var over = new AtomicBoolean();
    var unpacked = new AtomicInteger();
    var collected = new AtomicInteger();
    List<Double> busy;
    try (var load = Executors.newThreadPerTaskExecutor(Thread.ofPlatform().factory())) {
      List<Future<?>> futures =
          List.of(
              load.submit(() -> unpack(subject, image, layer, over, unpacked)),
              load.submit(() -> collect(subject, layer, over, collected)));
      try {
        busy = new ArrayList<>();
        while (busy.size() < CONTAINERS || unpacked.get() == 0 || collected.get() == 0) {
          busy.addAll(containers(subject, layer, 1));
          for (Future<?> future : futures) {
            if (future.isDone()) {
              over.set(true);
              var _ = result(future, subject);
            }
          }
        }
      } finally {
        over.set(true);
      }
      for (Future<?> future : futures) {
        var _ = result(future, subject);
      }
    }
    System.out.printf(
        "# %s unpacked %d times and collected %d times %d snapshots beside %d containers%n",
        subject.name(), unpacked.get(), collected.get(), SNAPSHOTS, busy.size());
    String what = "create and start under load beside idle, ms, " + subject.name();
    figures.add(what + ", p50", Figures.median(busy), Figures.median(idle), 0);
    figures.add(what + ", p99", percentile(busy), percentile(idle), target);
  }

  private static Object result(Future<?> future, Subject subject)
      throws IOException, InterruptedException {
    try {
      return future.get();
    } catch (ExecutionException e) {
      throw new IOException("the load of " + subject.name() + " failed", e.getCause());
    }
  }

  private static double percentile(List<Double> values) {
    List<Double> sorted = values.stream().sorted().toList();
    return sorted.get((int) Math.ceil(PERCENTILE * sorted.size()) - 1);
  }

  private List<Double> containers(Subject subject, String layer, int count) {
    var times = new ArrayList<Double>();
    Api api = subject.api();
    for (int i = 0; i < count; i++) {
      String id = "flat-" + serial.getAndIncrement() + "-" + subject.name();
      String spec = Image.spec(id, "\"/bin/true\"");
      long begin = System.nanoTime();
      api.create(id, layer, spec);
      api.start(id);
      times.add((System.nanoTime() - begin) / 1e6);
      int status = api.await(id);
      if (status != 0) {
        throw new IllegalStateException("the container ended with " + status);
      }
      api.delete(id);
    }
    return times;
  }

  /**
   * Unpacks the image and removes what that made, until it is told to end. It goes where containers
   * are, for ctr 1.6 unpacks to the usual snapshotter whichever it is told.
   */
  private static boolean unpack(
      Subject subject, String image, String kept, AtomicBoolean over, AtomicInteger rounds)
      throws IOException, InterruptedException {
    while (!over.get()) {
      subject.ctr("snapshots", "unpack", image);
      List<String> made =
          subject
              .ctr("snapshots", "ls")
              .lines()
              .map(line -> line.split("\\s+", 2)[0])
              .filter(key -> key.startsWith("sha256:") && !key.equals(kept))
              .toList();
      if (made.isEmpty()) {
        throw new IOException(subject.name() + " unpacked nothing");
      }
      for (String key : made) {
        subject.ctr("snapshots", "rm", key);
      }
      rounds.incrementAndGet();
    }
    return true;
  }

  /** Makes snapshots that a lease keeps, and ends the lease, until it is told to end. */
  private static boolean collect(
      Subject subject, String layer, AtomicBoolean over, AtomicInteger rounds) {
    try (StorageApi api = new StorageApi(subject.socket(), Subject.NAMESPACE)) {
      for (int round = 0; !over.get(); round++) {
        String lease = "flat-" + round;
        api.createLease(lease);
        for (int i = 0; i < SNAPSHOTS && !over.get(); i++) {
          api.prepare(lease + "-" + i, layer, lease);
        }
        api.deleteLease(lease);
        rounds.incrementAndGet();
      }
    }
    return true;
  }
}
