package io.jcontainerd.metadata;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What refers to what, as the garbage collector sees it.
 *
 * @param roots what stays by itself
 * @param leasedBy the first lease that holds a root
 * @param edges from each node
 * @param flatEdges to follow from a flat node
 */
record References(
    List<GcNode> roots,
    Map<GcNode, GcNode> leasedBy,
    Map<GcNode, List<GcNode>> edges,
    Map<GcNode, GcNode> flatEdges) {

  private List<GcNode> next(GcNode node) {
    List<GcNode> all = new ArrayList<>(edges.getOrDefault(node, List.of()));
    GcNode flat = flatEdges.get(node);
    if (flat != null) {
      all.add(flat);
    }
    return all;
  }

  /** Everything that a node keeps, itself included, each once and in its full form. */
  Set<GcNode> keptBy(GcNode root) {
    Set<GcNode> seen = new LinkedHashSet<>();
    Deque<GcNode> queue = new ArrayDeque<>(List.of(root));
    seen.add(root);
    while (!queue.isEmpty()) {
      for (GcNode to : next(queue.remove())) {
        if (seen.add(to)) {
          queue.add(to);
        }
      }
    }
    Set<GcNode> full = new LinkedHashSet<>();
    seen.forEach(node -> full.add(node.full()));
    return full;
  }

  /**
   * A shortest way from a root to a node, from one that stays for good if there is such a way;
   * empty if nothing keeps it.
   */
  List<GcNode> wayTo(GcNode target) {
    List<GcNode> lasting = roots.stream().filter(root -> lasts(root)).toList();
    List<GcNode> way = wayTo(target, lasting);
    return way.isEmpty() ? wayTo(target, roots) : way;
  }

  private boolean lasts(GcNode root) {
    return root.kind() != GcNode.Kind.LEASE
        && root.kind() != GcNode.Kind.INGEST
        && !leasedBy.containsKey(root);
  }

  private List<GcNode> wayTo(GcNode target, List<GcNode> from) {
    Map<GcNode, GcNode> before = new HashMap<>();
    Deque<GcNode> queue = new ArrayDeque<>();
    for (GcNode root : from) {
      before.put(root, root);
      queue.add(root);
    }
    while (!queue.isEmpty()) {
      GcNode node = queue.remove();
      if (node.full().equals(target)) {
        return way(node, before);
      }
      for (GcNode to : next(node)) {
        if (before.putIfAbsent(to, node) == null) {
          queue.add(to);
        }
      }
    }
    return List.of();
  }

  private List<GcNode> way(GcNode end, Map<GcNode, GcNode> before) {
    List<GcNode> way = new ArrayList<>();
    GcNode at = end;
    GcNode above = before.get(at);
    while (above != null && !above.equals(at)) {
      way.addFirst(at);
      at = above;
      above = before.get(at);
    }
    way.addFirst(at);
    GcNode lease = leasedBy.get(at);
    if (lease != null) {
      way.addFirst(lease);
    }
    return List.copyOf(way);
  }
}
