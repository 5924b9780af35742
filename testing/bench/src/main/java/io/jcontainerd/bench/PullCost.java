package io.jcontainerd.bench;

import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;

/**
 * What one pull took.
 *
 * @param wall seconds until the client returned
 * @param durable seconds until everything was on disk, too
 * @param daemon CPU seconds of the daemon and of programs that it ran
 * @param client CPU seconds of the client
 * @param registry CPU seconds of the registry
 * @param peak MiB that the daemon had at most
 */
record PullCost(
    double wall, double durable, double daemon, double client, double registry, double peak) {

  /** Pulls once. */
  static PullCost of(Puller puller, String reference, long registry, Cost cost)
      throws IOException, InterruptedException {
    long pid = puller.daemon().pid();
    Cost.forgetPeak(pid);
    double daemonBefore = cost.cpu(pid);
    double registryBefore = cost.cpu(registry);
    double clientBefore = cost.ofChildren();
    long begin = System.nanoTime();
    puller.pull(reference);
    long returned = System.nanoTime();
    double client = cost.ofChildren() - clientBefore;
    puller.sync();
    long synced = System.nanoTime();
    return new PullCost(
        (returned - begin) / 1e9,
        (synced - begin) / 1e9,
        cost.cpu(pid) - daemonBefore,
        client,
        cost.cpu(registry) - registryBefore,
        Cost.peak(pid));
  }

  /** The median of each figure, and the greatest peak. */
  static PullCost median(List<PullCost> costs) {
    return new PullCost(
        median(costs, PullCost::wall),
        median(costs, PullCost::durable),
        median(costs, PullCost::daemon),
        median(costs, PullCost::client),
        median(costs, PullCost::registry),
        costs.stream().mapToDouble(PullCost::peak).max().orElseThrow());
  }

  private static double median(List<PullCost> costs, ToDoubleFunction<PullCost> figure) {
    return Figures.median(costs.stream().map(figure::applyAsDouble).toList());
  }

  /** The cores that daemon and client kept busy. */
  double cores() {
    return (daemon + client) / wall;
  }

  static void head() {
    System.out.printf(
        "%-46s %8s %8s %8s %8s %9s %6s %8s%n",
        "", "wall s", "synced s", "daemon s", "client s", "registry s", "cores", "peak MB");
  }

  void row(String title) {
    System.out.printf(
        Locale.ROOT,
        "%-46s %8.2f %8.2f %8.2f %8.2f %9.2f %6.2f %8.0f%n",
        title,
        wall,
        durable,
        daemon,
        client,
        registry,
        cores(),
        peak);
  }
}
