package io.jcontainerd.bench;

import io.jcontainerd.bench.PullImages.Stored;
import io.jcontainerd.testkit.registry.DockerRegistry;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;

/**
 * What our daemon holds of memory at most while it pulls images of one layer, by the size of that
 * layer. Each size meets a daemon that was started anew and has pulled the smallest image twice, so
 * that what differs comes from the size.
 */
final class LayerSizes {
  private static final int FIRST_USES = 2;

  /** MiB. */
  private static final double PEAK = 300;

  /** Beside the smallest layer: what two pulls of the same image may differ by. */
  private static final double GROWTH = 1.2;

  private final Path folder;
  private final Path launcher;
  private final PullOptions options;
  private final Figures figures;
  private final Cost cost;

  LayerSizes(Path folder, Path launcher, PullOptions options, Figures figures, Cost cost) {
    this.folder = folder;
    this.launcher = launcher;
    this.options = options;
    this.figures = figures;
    this.cost = cost;
  }

  void run(DockerRegistry registry, PullImages images) throws IOException, InterruptedException {
    System.out.println("## memory by the size of the one layer");
    Stored first = images.bulk(options.sizes().getFirst());
    try (Subject ours = Subject.ours("jcontainerd", folder.resolve("m"), launcher, Map.of());
        Subject theirs = Subject.reference(folder.resolve("n"))) {
      Puller our = Puller.jctr("jcontainerd", ours, launcher.resolveSibling("jctr"));
      Puller their = Puller.ctr("containerd", theirs, "ctr");
      double smallest = 0;
      for (int size : options.sizes()) {
        Stored image = images.bulk(size);
        PullCost.head();
        double ourPeak = peak(our, first, image, registry);
        double theirPeak = peak(their, first, image, registry);
        String what =
            String.format(Locale.ROOT, "layer of %.0f MB, peak RSS MB", image.megabytes());
        figures.head();
        figures.bound(what, ourPeak, theirPeak, PEAK);
        if (smallest == 0) {
          smallest = ourPeak;
        } else {
          figures.add(what + ", beside the first layer's", ourPeak, smallest, GROWTH);
        }
      }
    }
  }

  private double peak(Puller puller, Stored first, Stored image, DockerRegistry registry)
      throws IOException, InterruptedException {
    puller.daemon().start();
    for (int i = 0; i < FIRST_USES; i++) {
      pull(puller, first, registry);
    }
    PullCost one = pull(puller, image, registry);
    one.row(puller.title());
    puller.daemon().stop();
    return one.peak();
  }

  private PullCost pull(Puller puller, Stored image, DockerRegistry registry)
      throws IOException, InterruptedException {
    String reference = registry.address() + "/" + image.name();
    PullCost one = PullCost.of(puller, reference, registry.pid(), cost);
    puller.forget(reference);
    StorageBench.settle();
    return one;
  }
}
