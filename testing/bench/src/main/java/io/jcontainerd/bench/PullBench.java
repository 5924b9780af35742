package io.jcontainerd.bench;

import io.jcontainerd.bench.PullImages.Stored;
import io.jcontainerd.bench.PullOptions.Part;
import io.jcontainerd.bench.layers.Codec;
import io.jcontainerd.bench.link.ShapedLink;
import io.jcontainerd.testkit.registry.DockerRegistry;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Measures pulls from a registry on loopback, beside other daemons: until the client returns, and
 * until what it pulled is on disk. Ours is durable when it returns; containerd never waits for the
 * files that it unpacked, so its second time is the one that compares.
 */
final class PullBench {
  private static final double MILLIS = 1_000;

  /** Beside defaults. */
  private static final double USUAL = 0.5;

  /** Beside the best settings. */
  private static final double QUICKEST = 0.8;

  /** MiB. */
  private static final double PEAK = 300;

  private final Path folder;
  private final Path launcher;
  private final Path kept;
  private final PullOptions options;
  private final Figures figures;
  private final Cost cost = new Cost();

  /**
   * @param folder for the daemons, on the file system that is measured
   * @param kept for what later runs use again
   */
  PullBench(Path folder, Path launcher, Path kept, PullOptions options, Figures figures)
      throws IOException, InterruptedException {
    this.folder = folder;
    this.launcher = launcher;
    this.kept = kept;
    this.options = options;
    this.figures = figures;
  }

  void run() throws IOException, InterruptedException {
    System.out.printf(
        "# %s, %d alternating runs that count, medians; %d cores; beside: %s%n",
        launcher,
        options.runs(),
        Runtime.getRuntime().availableProcessors(),
        Programs.found("unpigz", "igzip"));
    try (DockerRegistry registry = DockerRegistry.start(kept.resolve("registry"))) {
      var images = new PullImages(kept, registry.address());
      if (options.parts().contains(Part.PULL)) {
        beside(registry, images);
      }
      if (options.parts().contains(Part.STAGES)) {
        new PullStages(folder, launcher, kept, options, figures, cost).run(registry, images);
      }
      if (options.parts().contains(Part.SIZES)) {
        new LayerSizes(folder, launcher, options, figures, cost).run(registry, images);
      }
    }
  }

  private void beside(DockerRegistry registry, PullImages images)
      throws IOException, InterruptedException {
    int port = Integer.parseInt(registry.address().split(":", 2)[1]);
    try (Contenders contenders = Contenders.start(folder, launcher)) {
      for (long shape : options.shapes()) {
        for (int layers : options.layers()) {
          for (Codec codec : options.codecs()) {
            Stored image = images.debian(layers, codec);
            String what = layers + " " + codec.name().toLowerCase(Locale.ROOT) + " " + shown(shape);
            System.out.printf(
                Locale.ROOT,
                "## %s in %d layers, %.0f MB packed by %s, line: %s%n",
                DebianImage.NAME,
                layers,
                image.megabytes(),
                codec.name().toLowerCase(Locale.ROOT),
                shown(shape));
            if (shape == 0) {
              compare(contenders, what, registry.address(), image, registry.pid());
            } else {
              try (ShapedLink link = new ShapedLink(port, shape)) {
                compare(contenders, what, link.address(), image, registry.pid());
              }
            }
          }
        }
      }
    }
  }

  private static String shown(long shape) {
    return shape == 0 ? "unshaped" : PullOptions.shown(shape);
  }

  private void compare(
      Contenders contenders, String what, String address, Stored image, long registry)
      throws IOException, InterruptedException {
    String reference = address + "/" + image.name();
    List<Puller> all = contenders.all();
    Map<Puller, List<PullCost>> costs = new HashMap<>();
    PullCost.head();
    for (int run = 0; run <= options.runs(); run++) {
      for (int i = 0; i < all.size(); i++) {
        // the first changes from run to run, for whoever comes later finds the disk busier
        Puller puller = all.get((i + run) % all.size());
        PullCost one = PullCost.of(puller, reference, registry, cost);
        puller.forget(reference);
        StorageBench.settle();
        if (run == 0) {
          one.row("# once before, " + puller.title());
        } else {
          costs.computeIfAbsent(puller, _ -> new ArrayList<>()).add(one);
        }
      }
    }
    Map<Puller, PullCost> medians = new HashMap<>();
    for (Puller puller : all) {
      PullCost median = PullCost.median(costs.getOrDefault(puller, List.of()));
      medians.put(puller, median);
      median.row(puller.title());
    }
    figures.head();
    verdicts(contenders, what, medians);
  }

  private void verdicts(Contenders contenders, String what, Map<Puller, PullCost> medians) {
    PullCost ours = of(medians, contenders.ours());
    against(
        what + ", beside " + contenders.usualRelease(),
        ours,
        of(medians, contenders.usual()),
        USUAL);
    against(
        what + ", both by its ctr",
        of(medians, contenders.oursByCtr()),
        of(medians, contenders.usual()),
        0);
    String newer = contenders.otherRelease();
    contenders
        .other()
        .ifPresent(other -> against(what + ", beside " + newer, ours, of(medians, other), USUAL));
    contenders
        .quickest()
        .ifPresent(
            other ->
                against(what + ", beside " + newer + " best", ours, of(medians, other), QUICKEST));
    figures.bound(
        what + ", peak RSS MB", ours.peak(), of(medians, contenders.usual()).peak(), PEAK);
  }

  private static PullCost of(Map<Puller, PullCost> medians, Puller puller) {
    PullCost cost = medians.get(puller);
    if (cost == null) {
      throw new IllegalStateException(puller.title() + " was not measured");
    }
    return cost;
  }

  private void against(String what, PullCost ours, PullCost theirs, double target) {
    figures.add(what + ": durable ms", ours.durable() * MILLIS, theirs.durable() * MILLIS, target);
    figures.add(what + ": returns ms", ours.wall() * MILLIS, theirs.wall() * MILLIS, 0);
  }
}
