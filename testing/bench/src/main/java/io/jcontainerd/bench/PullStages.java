package io.jcontainerd.bench;

import io.jcontainerd.bench.Alone.Time;
import io.jcontainerd.bench.OciArchive.Blob;
import io.jcontainerd.bench.PullImages.Stored;
import io.jcontainerd.bench.layers.Codec;
import io.jcontainerd.testkit.registry.DockerRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Where the time of our pulls goes. What cannot be avoided is measured with nothing beside it:
 * fetching (which hashes and stores the packed layers) and writing (which hashes the plain ones) by
 * the daemon, which is given layers that are not packed for the latter; inflating on one thread
 * here. What is left of a core when all of that is added up is compared with the whole pull.
 */
final class PullStages {
  private static final String REGISTRY_BLOBS = "registry/data/docker/registry/v2/blobs/sha256";
  private static final String CONTENT_ONLY = "--no-unpack";
  private static final double SHOWN_SHARE = 0.02;

  private final Path folder;
  private final Path launcher;
  private final Path kept;
  private final PullOptions options;
  private final Figures figures;
  private final Cost cost;

  PullStages(
      Path folder, Path launcher, Path kept, PullOptions options, Figures figures, Cost cost) {
    this.folder = folder;
    this.launcher = launcher;
    this.kept = kept;
    this.options = options;
    this.figures = figures;
    this.cost = cost;
  }

  void run(DockerRegistry registry, PullImages images) throws IOException, InterruptedException {
    try (Subject ours = Subject.ours("jcontainerd", folder.resolve("s"), launcher, Map.of())) {
      ours.start();
      Puller puller = Puller.jctr("jcontainerd", ours, launcher.resolveSibling("jctr"));
      for (int layers : options.layers()) {
        Stored plain = images.debian(layers, Codec.NONE);
        for (Codec codec : options.codecs()) {
          account(puller, registry.address(), images, layers, codec, plain);
        }
      }
    }
  }

  private void account(
      Puller puller, String address, PullImages images, int layers, Codec codec, Stored plain)
      throws IOException, InterruptedException {
    Stored packed = images.debian(layers, codec);
    System.out.printf(
        "## stages of ours, %d layers, %s, from loopback to disk%n",
        layers, codec.name().toLowerCase(Locale.ROOT));
    var steps = new Steps(puller, address + "/" + packed.name(), address + "/" + plain.name());
    List<Path> files = packed.layers().stream().map(this::stored).toList();
    Path tar = images.plain();
    var inflate = new ArrayList<Time>();
    var hash = new ArrayList<Time>();
    var tars = new ArrayList<Time>();
    for (int run = 0; run <= options.runs(); run++) {
      steps.run(run > 0);
      Time inflated = Alone.inflate(files, codec);
      Time hashed = Alone.hash(tar);
      Time written = writtenByTar(tar);
      if (run > 0) {
        inflate.add(inflated);
        hash.add(hashed);
        tars.add(written);
      }
    }
    print(
        steps,
        codec,
        median(inflate),
        median(hash),
        median(tars),
        layers + " " + codec.name().toLowerCase(Locale.ROOT));
    steps.threads();
  }

  /**
   * What a program that does nothing else takes on this file system: most of it is the kernel's.
   */
  private Time writtenByTar(Path tar) throws IOException, InterruptedException {
    Path into = Files.createDirectory(folder.resolve("tar"));
    double cpu = cost.ofChildren();
    double kernel = cost.kernelOfChildren();
    long begin = System.nanoTime();
    Commands.run(List.of("tar", "--numeric-owner", "-C", into.toString(), "-xpf", tar.toString()));
    Commands.run(List.of("sync", "-f", into.toString()));
    Time time =
        new Time(
            (System.nanoTime() - begin) / 1e9,
            cost.ofChildren() - cpu,
            cost.kernelOfChildren() - kernel);
    Commands.run(List.of("rm", "-rf", into.toString()));
    StorageBench.settle();
    return time;
  }

  private Path stored(Blob layer) {
    return kept.resolve(REGISTRY_BLOBS)
        .resolve(layer.hex().substring(0, 2))
        .resolve(layer.hex())
        .resolve("data");
  }

  private void print(Steps steps, Codec codec, Time inflate, Time hash, Time tar, String what) {
    Time nothing = median(steps.nothing);
    Time fetch = less(median(steps.fetch), nothing);
    Time unpack = less(median(steps.unpack), nothing);
    Time write = less(median(steps.write), nothing);
    Time whole = less(median(steps.whole), nothing);
    System.out.printf("%-46s %9s %9s %9s %7s%n", "", "wall s", "CPU s", "kernel s", "cores");
    row("nothing to do: client and names", nothing);
    row("fetch alone: hashed and stored, packed", fetch);
    row("inflate alone, one thread, by " + Alone.inflater(codec), inflate);
    row("write alone: hashed and written, plain", write);
    row("  of it the hash, one thread", hash);
    row("beside: GNU tar writes it, and a sync", tar);
    Time sum =
        new Time(
            fetch.wall() + inflate.wall() + write.wall(),
            fetch.cpu() + inflate.cpu() + write.cpu(),
            fetch.kernel() + inflate.kernel() + write.kernel());
    row("the sum", sum);
    row("unpack without fetch: inflate and write", unpack);
    row("the whole pull", whole);
    figures.head();
    figures.add(what + ": wall beside the sum, ms", whole.wall() * 1e3, sum.wall() * 1e3, 0);
    figures.add(what + ": CPU beside the sum, ms", whole.cpu() * 1e3, sum.cpu() * 1e3, 0);
    double floor = sum.cpu() / Runtime.getRuntime().availableProcessors();
    figures.add(
        what + ": wall beside the sum on all cores, ms", whole.wall() * 1e3, floor * 1e3, 0);
  }

  private static void row(String what, Time time) {
    System.out.printf(
        Locale.ROOT,
        "%-46s %9.2f %9.2f %9.2f %7.2f%n",
        what,
        time.wall(),
        time.cpu(),
        time.kernel(),
        time.cpu() / Math.max(time.wall(), 1e-9));
  }

  private static Time less(Time time, Time nothing) {
    return new Time(
        time.wall() - nothing.wall(), time.cpu() - nothing.cpu(), time.kernel() - nothing.kernel());
  }

  private static Time median(List<Time> times) {
    return new Time(
        Figures.median(times.stream().map(Time::wall).toList()),
        Figures.median(times.stream().map(Time::cpu).toList()),
        Figures.median(times.stream().map(Time::kernel).toList()));
  }

  /** The same image again and again, a step at a time and whole. */
  private final class Steps {
    private final Puller puller;
    private final String packed;
    private final String plain;
    private final List<Time> fetch = new ArrayList<>();
    private final List<Time> unpack = new ArrayList<>();
    private final List<Time> nothing = new ArrayList<>();
    private final List<Time> write = new ArrayList<>();
    private final List<Time> whole = new ArrayList<>();

    Steps(Puller puller, String packed, String plain) {
      this.puller = puller;
      this.packed = packed;
      this.plain = plain;
    }

    void run(boolean counts) throws IOException, InterruptedException {
      time(fetch, counts, packed, CONTENT_ONLY);
      time(unpack, counts, packed);
      time(nothing, counts, packed);
      forget(packed);
      puller.pull(plain, CONTENT_ONLY);
      StorageBench.settle();
      time(write, counts, plain);
      forget(plain);
      time(whole, counts, packed);
      forget(packed);
    }

    private void forget(String reference) throws IOException, InterruptedException {
      puller.forget(reference);
      StorageBench.settle();
    }

    private void time(List<Time> times, boolean counts, String reference, String... flags)
        throws IOException, InterruptedException {
      long pid = puller.daemon().pid();
      double cpu = cost.cpu(pid);
      double kernel = cost.kernel(pid);
      long begin = System.nanoTime();
      puller.pull(reference, flags);
      double wall = (System.nanoTime() - begin) / 1e9;
      if (counts) {
        times.add(new Time(wall, cost.cpu(pid) - cpu, cost.kernel(pid) - kernel));
      }
    }

    /** Which threads keep the cores busy in one more pull. */
    void threads() throws IOException, InterruptedException {
      long begin = System.nanoTime();
      var threads = new ThreadCosts(puller.daemon().pid(), cost);
      try (threads) {
        puller.pull(packed);
      }
      double wall = (System.nanoTime() - begin) / 1e9;
      forget(packed);
      System.out.printf(
          Locale.ROOT, "%-46s %9.2f%n", "one more pull, by the daemon's threads", wall);
      for (ThreadCosts.Group group : threads.groups()) {
        if (group.seconds() >= SHOWN_SHARE * wall) {
          System.out.printf(
              Locale.ROOT,
              "  %-44s %9s %9.2f %9s %7.2f%n",
              group.name(),
              "",
              group.seconds(),
              "",
              group.seconds() / wall);
        }
      }
    }
  }
}
