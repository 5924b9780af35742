package io.jcontainerd.metadata;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * Nodes of a graph in an order in which each comes before those that it refers to, but for those
 * that refer to each other in circles: they lie side by side in the middle.
 *
 * @param nodes in that order
 * @param coreBegin the index of the first of the nodes that lie on circles or between them
 * @param coreEnd the index behind the last of them
 */
record ReferrersFirst<N>(List<N> nodes, int coreBegin, int coreEnd) {

  /**
   * Orders nodes.
   *
   * @param references of a node, among them nodes that are not to be ordered
   */
  static <N> ReferrersFirst<N> of(Collection<N> nodes, Function<N, List<N>> references) {
    Map<N, List<N>> down = LinkedHashMap.newLinkedHashMap(nodes.size());
    nodes.forEach(node -> down.put(node, references.apply(node)));
    List<N> ordered = peel(down);
    int coreBegin = ordered.size();
    Map<N, List<N>> up = upwards(down);
    List<N> last = peel(up);
    ordered.addAll(up.keySet());
    int coreEnd = ordered.size();
    ordered.addAll(last.reversed());
    return new ReferrersFirst<>(Collections.unmodifiableList(ordered), coreBegin, coreEnd);
  }

  /** Takes out, one after the other, what nothing refers to that is still in. */
  private static <N> List<N> peel(Map<N, List<N>> graph) {
    Map<N, Integer> referrers = HashMap.newHashMap(graph.size());
    graph.forEach((_, targets) -> targets.forEach(to -> referrers.merge(to, 1, Integer::sum)));
    Deque<N> free = new ArrayDeque<>();
    for (N node : graph.keySet()) {
      if (!referrers.containsKey(node)) {
        free.add(node);
      }
    }
    List<N> peeled = new ArrayList<>(graph.size());
    for (N node = free.poll(); node != null; node = free.poll()) {
      peeled.add(node);
      for (N to : graph.getOrDefault(node, List.of())) {
        int left = referrers.merge(to, -1, Integer::sum);
        if (left == 0 && graph.containsKey(to)) {
          free.add(to);
        }
      }
      graph.remove(node);
    }
    return peeled;
  }

  private static <N> Map<N, List<N>> upwards(Map<N, List<N>> down) {
    Map<N, List<N>> up = LinkedHashMap.newLinkedHashMap(down.size());
    down.keySet().forEach(node -> up.put(node, new ArrayList<>()));
    down.forEach(
        (node, targets) -> {
          for (N to : targets) {
            List<N> known = up.get(to);
            if (known != null) {
              known.add(node);
            }
          }
        });
    return up;
  }
}
