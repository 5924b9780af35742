package io.jcontainerd.metadata;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** Puts nodes of a graph into an order in which each comes before those that it refers to. */
final class ReferrersFirst {
  private ReferrersFirst() {}

  /**
   * The nodes in such an order; those that refer to each other in a circle, and what only they
   * refer to, come last in the order given.
   *
   * @param references of a node, among them nodes that are not to be ordered
   */
  static <N> List<N> order(Collection<N> nodes, Function<N, List<N>> references) {
    Map<N, Integer> referrers = LinkedHashMap.newLinkedHashMap(nodes.size());
    nodes.forEach(node -> referrers.put(node, 0));
    nodes.forEach(
        node ->
            references
                .apply(node)
                .forEach(to -> referrers.computeIfPresent(to, (_, count) -> count + 1)));
    Deque<N> free = new ArrayDeque<>();
    referrers.forEach(
        (node, count) -> {
          if (count == 0) {
            free.add(node);
          }
        });
    List<N> ordered = new ArrayList<>(nodes.size());
    for (N node = free.poll(); node != null; node = free.poll()) {
      ordered.add(node);
      referrers.remove(node);
      for (N to : references.apply(node)) {
        Integer left = referrers.computeIfPresent(to, (_, count) -> count - 1);
        if (left != null && left == 0) {
          free.add(to);
        }
      }
    }
    ordered.addAll(referrers.keySet());
    return ordered;
  }
}
