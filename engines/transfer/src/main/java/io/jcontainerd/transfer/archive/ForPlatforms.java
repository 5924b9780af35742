package io.jcontainerd.transfer.archive;

import io.jcontainerd.core.Platform;
import io.jcontainerd.oci.image.Index;
import io.jcontainerd.oci.platform.Platforms;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Which manifests of an index count for the platforms that somebody wants: for each of these the
 * one that it runs best (or several, if they differ only in what is not compared), and those that
 * tell no platform.
 *
 * @param wanted the best first; empty for all
 */
record ForPlatforms(List<Platform> wanted) {
  /** The manifests that count, the best first. */
  List<Index.Entry> of(Index index) {
    if (wanted.isEmpty()) {
      return index.manifests();
    }
    Set<Index.Entry> chosen = new LinkedHashSet<>();
    for (Platform platform : wanted) {
      chosen.addAll(best(platform, index));
    }
    index.manifests().stream().filter(e -> e.platform().isEmpty()).forEach(chosen::add);
    return List.copyOf(chosen);
  }

  private static List<Index.Entry> best(Platform machine, Index index) {
    List<Index.Entry> best = new ArrayList<>();
    int least = Integer.MAX_VALUE;
    for (Index.Entry entry : index.manifests()) {
      Optional<Integer> rank = entry.platform().flatMap(p -> Platforms.rank(machine, p));
      if (rank.isPresent() && rank.get() < least) {
        best.clear();
        least = rank.get();
      }
      if (rank.isPresent() && rank.get() == least) {
        best.add(entry);
      }
    }
    return best;
  }

  /** Whether something for that platform runs on a wanted one. */
  boolean runs(Platform platform) {
    return wanted.isEmpty()
        || wanted.stream().anyMatch(machine -> Platforms.rank(machine, platform).isPresent());
  }

  /** For messages. */
  @Override
  public String toString() {
    return String.join(", ", wanted.stream().map(Platforms::format).toList());
  }
}
