package io.jcontainerd.metadata;

import io.jcontainerd.store.ReadTransaction;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Finds what nothing refers to, in one look at the tables, and keeps what it saw, so that what came
 * into use since can be spared. For one thread at a time.
 *
 * <p>Roots are leases that have not expired and what they hold, images that have not expired,
 * containers, ingests that have not expired, what sandboxes' labels refer to, and whatever is
 * labelled a root. Everything that can be reached from a root stays. A node may be reached flat (as
 * a lease asked) and fully; the full way is then followed too.
 */
final class Marking {
  private final ReadTransaction tx;
  private final Instant now;
  private final long nowNanos;

  private final Map<GcNode, Vertex> vertices = new HashMap<>();
  private final List<Vertex> existing = new ArrayList<>();

  /** What is kept in full, and what is kept flat, and still to be followed. */
  private final Deque<Vertex> queue = new ArrayDeque<>();

  private final Deque<Vertex> flatQueue = new ArrayDeque<>();

  private final Map<GcNode, Instant> usedAt = new HashMap<>();
  private final Map<GcNode, List<GcLabels.Condition>> conditional = new HashMap<>();

  /** The leases that have not expired, and which of them keep flatly. */
  private final Map<GcNode, Boolean> flat = new HashMap<>();

  /** What leases hold that have expired, or keep flatly: in full. */
  private final Map<GcNode, List<GcNode>> ofOthers = new HashMap<>();

  /** Whether the look is over, and what is told from here on was written since. */
  private boolean looked;

  /** Edges that were written since, each once however often it was. */
  private final Map<Vertex, Set<Vertex>> later = new HashMap<>();

  private final Map<GcNode, List<GcNode>> conditionedBy = new HashMap<>();

  /** The first lease that holds a root. */
  private final Map<GcNode, GcNode> leasedBy = new HashMap<>();

  /** The first time at which something that is kept now will be kept no more. */
  private Optional<Instant> next = Optional.empty();

  private Marking(ReadTransaction tx, Instant now) {
    this.tx = tx;
    this.now = now;
    this.nowNanos = Times.nanos(now);
  }

  /** Looks at the tables. */
  static Marking look(ReadTransaction tx, Instant now) {
    Marking marking = new Marking(tx, now);
    marking.gather();
    marking.follow();
    marking.looked = true;
    return marking;
  }

  /** The graph, with its roots and nothing followed yet. */
  static References references(ReadTransaction tx, Instant now) {
    Marking marking = new Marking(tx, now);
    marking.gather();
    return marking.references();
  }

  private References references() {
    List<GcNode> roots = new ArrayList<>();
    queue.forEach(vertex -> roots.add(vertex.node()));
    flatQueue.forEach(vertex -> roots.add(vertex.node().flat()));
    Map<GcNode, List<GcNode>> edges = new HashMap<>();
    Map<GcNode, GcNode> flatEdges = new HashMap<>();
    for (Vertex vertex : vertices.values()) {
      if (!vertex.targets().isEmpty()) {
        edges.put(vertex.node(), vertex.targets().stream().map(Vertex::node).toList());
      }
      Vertex below = vertex.below();
      if (below != null) {
        flatEdges.put(vertex.node().flat(), below.node().flat());
      }
    }
    return new References(roots, leasedBy, edges, flatEdges);
  }

  private void gather() {
    for (GraphTable table : GraphTable.values()) {
      table.each(tx, row -> enter(table, row));
    }
    conditions();
  }

  /** What can be removed, what refers to something before that. */
  ReferrersFirst<GcNode> garbage() {
    List<GcNode> garbage = existing.stream().filter(Vertex::isGarbage).map(Vertex::node).toList();
    return ReferrersFirst.of(
        garbage, node -> vertex(node).targets().stream().map(Vertex::node).toList());
  }

  /** Whether nothing has kept it, neither when the tables were looked at nor since. */
  boolean isGarbage(GcNode node) {
    return vertex(node).isGarbage();
  }

  /** When there will be more to remove even if nothing is changed; empty for never. */
  Optional<Instant> next() {
    return next;
  }

  /**
   * Spares what rows that were written since the look refer to, and what they are about.
   *
   * <p>Whatever came into use since then did so over something that was written since then, or from
   * there on by what was there before: what was written is taken for a root.
   */
  void spare(Collection<Touches.Touch> touches) {
    Set<Vertex> spared = new LinkedHashSet<>();
    touches.forEach(
        touch -> users(touch.table(), touch.values()).forEach(node -> spared.add(vertex(node))));
    spared.forEach(Vertex::keep);
    queue.addAll(spared); // also what was followed before: it may refer to more now
    follow();
  }

  /** What is in use now because of a row. */
  private List<GcNode> users(GraphTable table, GraphTable.Values row) {
    return switch (table) {
      case LEASES -> {
        GcNode lease = new GcNode(GcNode.Kind.LEASE, row.text(0), row.text(1));
        List<GcNode> held = new ArrayList<>(ofOthers.getOrDefault(lease, List.of()));
        held.add(lease);
        yield held;
      }
      case LEASE_RESOURCES -> List.of(resource(row.text(0), row.text(2), row.text(3)));
      case CONTAINERS -> List.of(container(row));
      case SANDBOXES -> sandbox(row);
      case COMMITS -> List.of(commit(row));
      case IMAGES -> List.of(image(row));
      case BLOBS -> List.of(blob(row));
      case INGESTS -> List.of(ingest(row));
      case MOUNTS -> List.of(mount(row));
      case SNAPSHOTS -> {
        GcNode snapshot = snapshot(row);
        List<GcNode> kept = new ArrayList<>(conditionedBy.getOrDefault(snapshot, List.of()));
        kept.add(snapshot);
        yield kept;
      }
    };
  }

  /** Something is kept until then. */
  private void until(Instant time) {
    if (next.isEmpty() || time.isBefore(next.get())) {
      next = Optional.of(time);
    }
  }

  /** Whether the labels say that the time is over. */
  private boolean expired(Map<String, String> labels) {
    Optional<Instant> expiry = GcLabels.expiry(labels);
    boolean over = expiry.filter(now::isAfter).isPresent();
    if (!over) {
      expiry.ifPresent(this::until);
    }
    return over;
  }

  private void root(GcNode node) {
    keep(vertex(node));
  }

  private void keep(Vertex vertex) {
    if (vertex.keep()) {
      queue.add(vertex);
    }
  }

  /** Keeps it without what it refers to, if that can be told from the rest of its kind. */
  private void keepFlat(Vertex vertex) {
    if (!vertex.node().hasFlat()) {
      keep(vertex);
    } else if (vertex.keepFlat()) {
      flatQueue.add(vertex);
    }
  }

  private void edge(GcNode from, GcNode to) {
    if (looked) {
      later.computeIfAbsent(vertex(from), _ -> new LinkedHashSet<>()).add(vertex(to));
    } else {
      vertex(from).refersTo(vertex(to));
    }
  }

  private Vertex vertex(GcNode node) {
    return vertices.computeIfAbsent(node, Vertex::new);
  }

  /** The labels in a text that are for us. */
  private static Map<String, String> labels(String text) {
    return LabelText.read(text, GcLabels.PREFIX);
  }

  private void references(GcNode node, Map<String, String> labels) {
    if (!labels.isEmpty()) {
      GcLabels.references(node.namespace(), labels).forEach(to -> edge(node, to));
    }
  }

  private void backReferences(GcNode node, Map<String, String> labels) {
    if (!labels.isEmpty()) {
      GcLabels.backReferences(node.namespace(), labels).forEach(from -> edge(from, node));
    }
  }

  private void conditions(GcNode node, Map<String, String> labels) {
    if (!labels.isEmpty()) {
      List<GcLabels.Condition> found = GcLabels.conditions(node.namespace(), labels);
      if (!found.isEmpty()) {
        conditional.put(node, found);
        if (!looked) {
          found.forEach(
              one ->
                  conditionedBy.computeIfAbsent(one.snapshot(), _ -> new ArrayList<>()).add(node));
        }
      }
    }
  }

  /** Notes a row of the graph, and whether it is kept by itself. */
  private void enter(GraphTable table, GraphTable.Values row) {
    switch (table) {
      case LEASES -> lease(row);
      case LEASE_RESOURCES -> leaseResource(row);
      case CONTAINERS -> root(container(row));
      case SANDBOXES -> sandbox(row).forEach(this::root);
      case COMMITS -> {
        GcNode _ = commit(row);
      }
      case IMAGES -> {
        GcNode image = image(row);
        existing.add(vertex(image));
        Map<String, String> labels = labels(row.text(3));
        if (expired(labels)) {
          backReferences(image, labels);
        } else {
          root(image);
        }
      }
      case BLOBS -> {
        GcNode blob = blob(row);
        existing.add(vertex(blob));
        if (GcLabels.isRoot(labels(row.text(2)))) {
          root(blob);
        }
      }
      case SNAPSHOTS -> {
        GcNode snapshot = snapshot(row);
        existing.add(vertex(snapshot));
        if (GcLabels.isRoot(labels(row.text(4)))) {
          root(snapshot);
        }
      }
      case INGESTS -> {
        GcNode ingest = ingest(row);
        existing.add(vertex(ingest));
        String expiresAt = row.textOrNull(3);
        // Without a time of expiry it lives as long as its lease.
        if (expiresAt != null && Long.parseLong(expiresAt) >= nowNanos) {
          until(Times.instant(Long.parseLong(expiresAt)));
          root(ingest);
        }
      }
      case MOUNTS -> existing.add(vertex(mount(row)));
    }
  }

  private void lease(GraphTable.Values row) {
    GcNode lease = new GcNode(GcNode.Kind.LEASE, row.text(0), row.text(1));
    existing.add(vertex(lease));
    Map<String, String> labels = labels(row.text(2));
    if (!expired(labels)) {
      root(lease);
      flat.put(lease, labels.containsKey(GcLabels.FLAT));
    }
  }

  private void leaseResource(GraphTable.Values row) {
    GcNode lease = new GcNode(GcNode.Kind.LEASE, row.text(0), row.text(1));
    GcNode resource = resource(row.text(0), row.text(2), row.text(3));
    Boolean isFlat = flat.get(lease);
    if (isFlat == null || isFlat) {
      ofOthers.computeIfAbsent(lease, _ -> new ArrayList<>()).add(resource);
    }
    if (isFlat != null) {
      leasedBy.putIfAbsent(isFlat ? resource.flat() : resource, lease);
      if (isFlat) {
        keepFlat(vertex(resource));
      } else {
        root(resource);
      }
    }
  }

  private static GcNode resource(String namespace, String type, String id) {
    return switch (type) {
      case StoredLeases.CONTENT -> new GcNode(GcNode.Kind.CONTENT, namespace, id);
      case StoredLeases.IMAGES -> new GcNode(GcNode.Kind.IMAGE, namespace, id);
      case StoredLeases.INGESTS -> new GcNode(GcNode.Kind.INGEST, namespace, id);
      default -> GcNode.snapshot(namespace, type.substring(type.indexOf('/') + 1), id);
    };
  }

  private GcNode image(GraphTable.Values row) {
    GcNode image = new GcNode(GcNode.Kind.IMAGE, row.text(0), row.text(1));
    GcNode target = new GcNode(GcNode.Kind.CONTENT, row.text(0), row.text(2));
    Map<String, String> labels = labels(row.text(3));
    edge(image, target);
    vertex(image).standsOn(vertex(target));
    references(image, labels);
    conditions(image, labels);
    return image;
  }

  private GcNode blob(GraphTable.Values row) {
    GcNode blob = new GcNode(GcNode.Kind.CONTENT, row.text(0), row.text(1));
    Map<String, String> labels = labels(row.text(2));
    references(blob, labels);
    backReferences(blob, labels);
    conditions(blob, labels);
    return blob;
  }

  private GcNode ingest(GraphTable.Values row) {
    GcNode ingest = new GcNode(GcNode.Kind.INGEST, row.text(0), row.text(1));
    String expected = row.textOrNull(2);
    if (expected != null) {
      edge(ingest, new GcNode(GcNode.Kind.CONTENT, row.text(0), expected));
    }
    return ingest;
  }

  private GcNode container(GraphTable.Values row) {
    GcNode container = new GcNode(GcNode.Kind.CONTAINER, row.text(0), row.text(1));
    if (!row.text(2).isEmpty()) {
      edge(container, GcNode.snapshot(row.text(0), row.text(2), row.text(3)));
    }
    references(container, labels(row.text(4)));
    return container;
  }

  private GcNode snapshot(GraphTable.Values row) {
    GcNode snapshot = GcNode.snapshot(row.text(0), row.text(1), row.text(2));
    Map<String, String> labels = labels(row.text(4));
    standsOn(snapshot, row, 3);
    references(snapshot, labels);
    backReferences(snapshot, labels);
    if (!labels.isEmpty()) {
      GcLabels.usedAt(labels).ifPresent(time -> usedAt.put(snapshot, time));
    }
    return snapshot;
  }

  /** What a commit that is under way will stand on, its active snapshot keeps. */
  private GcNode commit(GraphTable.Values row) {
    GcNode active = GcNode.snapshot(row.text(0), row.text(1), row.text(2));
    standsOn(active, row, 3);
    return active;
  }

  private void standsOn(GcNode snapshot, GraphTable.Values row, int parentColumn) {
    if (!row.text(parentColumn).isEmpty()) {
      GcNode parent = GcNode.snapshot(row.text(0), row.text(1), row.text(parentColumn));
      edge(snapshot, parent);
      vertex(snapshot).standsOn(vertex(parent));
    }
  }

  private static List<GcNode> sandbox(GraphTable.Values row) {
    return GcLabels.references(row.text(0), labels(row.text(1)));
  }

  /** Without a lease, or another thing that it belongs to, nothing keeps a mount. */
  private GcNode mount(GraphTable.Values row) {
    GcNode mount = new GcNode(GcNode.Kind.MOUNT, row.text(0), row.text(1));
    String lease = row.textOrNull(2);
    if (lease != null) {
      edge(new GcNode(GcNode.Kind.LEASE, row.text(0), lease), mount);
    }
    backReferences(mount, labels(row.text(3)));
    return mount;
  }

  private void conditions() {
    conditional.forEach(
        (node, conditions) -> {
          for (GcLabels.Condition condition : conditions) {
            Instant time = usedAt.get(condition.snapshot());
            if (time != null && condition.holds(time, now)) {
              condition.ends(time).ifPresent(this::until);
              edge(condition.snapshot(), node);
            }
          }
        });
  }

  private void follow() {
    for (Vertex vertex = queue.poll(); vertex != null; vertex = queue.poll()) {
      vertex.targets().forEach(this::keep);
      later.getOrDefault(vertex, Set.of()).forEach(this::keep);
    }
    for (Vertex vertex = flatQueue.poll(); vertex != null; vertex = flatQueue.poll()) {
      Vertex below = vertex.below();
      if (below != null) {
        keepFlat(below);
      }
    }
  }
}
