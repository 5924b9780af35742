package io.jcontainerd.metadata;

import io.jcontainerd.store.ReadTransaction;
import io.jcontainerd.store.Row;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Finds what nothing refers to, in one look at the tables.
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

  private final List<GcNode> existing = new ArrayList<>();
  private final Deque<GcNode> queue = new ArrayDeque<>();
  private final Set<GcNode> reached = new HashSet<>();
  private final Map<GcNode, List<GcNode>> edges = new HashMap<>();

  /** Edges to follow from a flat node. */
  private final Map<GcNode, GcNode> flatEdges = new HashMap<>();

  private final Map<GcNode, Instant> usedAt = new HashMap<>();
  private final Map<GcNode, List<GcLabels.Condition>> conditional = new HashMap<>();

  /** The first lease that holds a root. */
  private final Map<GcNode, GcNode> leasedBy = new HashMap<>();

  /** The first time at which something that is kept now will be kept no more. */
  private Optional<Instant> next = Optional.empty();

  /**
   * What was found.
   *
   * @param garbage can be removed
   * @param next when there will be more even if nothing is changed; empty for never
   */
  record Found(List<GcNode> garbage, Optional<Instant> next) {}

  private Marking(ReadTransaction tx, Instant now) {
    this.tx = tx;
    this.now = now;
    this.nowNanos = Times.nanos(now);
  }

  /** Looks for what can be removed. */
  static Found look(ReadTransaction tx, Instant now) {
    return new Marking(tx, now).run();
  }

  /** The graph, with its roots and nothing followed yet. */
  static References references(ReadTransaction tx, Instant now) {
    Marking marking = new Marking(tx, now);
    marking.gather();
    return new References(
        List.copyOf(marking.queue), marking.leasedBy, marking.edges, marking.flatEdges);
  }

  private Found run() {
    gather();
    follow();
    return new Found(existing.stream().filter(node -> !isReached(node)).toList(), next);
  }

  private void gather() {
    leases();
    images();
    blobs();
    ingests();
    containers();
    snapshots();
    commits();
    sandboxes();
    mounts();
    conditions();
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

  private boolean isReached(GcNode node) {
    return reached.contains(node) || reached.contains(node.flat());
  }

  private void root(GcNode node) {
    if (reached.add(node)) {
      queue.add(node);
    }
  }

  private void edge(GcNode from, GcNode to) {
    edges.computeIfAbsent(from, _ -> new ArrayList<>(2)).add(to);
  }

  /** The labels in a column, if any of them is for us. */
  private static Map<String, String> labels(Row row, int column) {
    String text = row.text(column);
    return text.contains(GcLabels.PREFIX) ? LabelText.read(text) : Map.of();
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
      }
    }
  }

  private void leases() {
    Map<GcNode, Boolean> flat = new HashMap<>();
    tx.each(
        "SELECT namespace, id, labels FROM leases",
        row -> {
          GcNode lease = new GcNode(GcNode.Kind.LEASE, row.text(0), row.text(1));
          existing.add(lease);
          Map<String, String> labels = labels(row, 2);
          if (!expired(labels)) {
            root(lease);
            flat.put(lease, labels.containsKey(GcLabels.FLAT));
          }
        });
    tx.each(
        "SELECT namespace, lease, type, id FROM lease_resources",
        row -> {
          Boolean isFlat = flat.get(new GcNode(GcNode.Kind.LEASE, row.text(0), row.text(1)));
          if (isFlat != null) {
            GcNode resource = resource(row.text(0), row.text(2), row.text(3));
            GcNode held = isFlat ? resource.flat() : resource;
            leasedBy.putIfAbsent(held, new GcNode(GcNode.Kind.LEASE, row.text(0), row.text(1)));
            root(held);
          }
        });
  }

  private static GcNode resource(String namespace, String type, String id) {
    return switch (type) {
      case StoredLeases.CONTENT -> new GcNode(GcNode.Kind.CONTENT, namespace, id);
      case StoredLeases.IMAGES -> new GcNode(GcNode.Kind.IMAGE, namespace, id);
      case StoredLeases.INGESTS -> new GcNode(GcNode.Kind.INGEST, namespace, id);
      default -> GcNode.snapshot(namespace, type.substring(type.indexOf('/') + 1), id);
    };
  }

  private void images() {
    tx.each(
        "SELECT namespace, name, digest, labels FROM images",
        row -> {
          GcNode image = new GcNode(GcNode.Kind.IMAGE, row.text(0), row.text(1));
          GcNode target = new GcNode(GcNode.Kind.CONTENT, row.text(0), row.text(2));
          Map<String, String> labels = labels(row, 3);
          existing.add(image);
          edge(image, target);
          flatEdges.put(image.flat(), target.flat());
          references(image, labels);
          conditions(image, labels);
          if (expired(labels)) {
            backReferences(image, labels);
          } else {
            root(image);
          }
        });
  }

  private void blobs() {
    tx.each(
        "SELECT namespace, digest, labels FROM blobs",
        row -> {
          GcNode blob = new GcNode(GcNode.Kind.CONTENT, row.text(0), row.text(1));
          Map<String, String> labels = labels(row, 2);
          existing.add(blob);
          references(blob, labels);
          backReferences(blob, labels);
          conditions(blob, labels);
          if (GcLabels.isRoot(labels)) {
            root(blob);
          }
        });
  }

  private void ingests() {
    tx.each(
        "SELECT namespace, ref, expected, expires_at FROM ingests",
        row -> {
          GcNode ingest = new GcNode(GcNode.Kind.INGEST, row.text(0), row.text(1));
          existing.add(ingest);
          String expected = row.textOrNull(2);
          if (expected != null) {
            edge(ingest, new GcNode(GcNode.Kind.CONTENT, row.text(0), expected));
          }
          // Without a time of expiry it lives as long as its lease.
          if (!row.isNull(3) && row.number(3) >= nowNanos) {
            until(Times.instant(row.number(3)));
            root(ingest);
          }
        });
  }

  private void containers() {
    tx.each(
        "SELECT namespace, id, snapshotter, snapshot_key, labels FROM containers",
        row -> {
          GcNode container = new GcNode(GcNode.Kind.CONTAINER, row.text(0), row.text(1));
          Map<String, String> labels = labels(row, 4);
          if (!row.text(2).isEmpty()) {
            edge(container, GcNode.snapshot(row.text(0), row.text(2), row.text(3)));
          }
          references(container, labels);
          root(container);
        });
  }

  private void snapshots() {
    tx.each(
        "SELECT namespace, snapshotter, key, parent, labels FROM snapshots",
        row -> {
          GcNode snapshot = GcNode.snapshot(row.text(0), row.text(1), row.text(2));
          Map<String, String> labels = labels(row, 4);
          existing.add(snapshot);
          if (!row.text(3).isEmpty()) {
            GcNode parent = GcNode.snapshot(row.text(0), row.text(1), row.text(3));
            edge(snapshot, parent);
            flatEdges.put(snapshot.flat(), parent.flat());
          }
          references(snapshot, labels);
          backReferences(snapshot, labels);
          if (!labels.isEmpty()) {
            GcLabels.usedAt(labels).ifPresent(time -> usedAt.put(snapshot, time));
            if (GcLabels.isRoot(labels)) {
              root(snapshot);
            }
          }
        });
  }

  /** What a commit that is under way will stand on, its active snapshot keeps. */
  private void commits() {
    tx.each(
        "SELECT namespace, snapshotter, key, parent FROM snapshot_commits WHERE parent != ''",
        row -> {
          GcNode active = GcNode.snapshot(row.text(0), row.text(1), row.text(2));
          GcNode parent = GcNode.snapshot(row.text(0), row.text(1), row.text(3));
          edge(active, parent);
          flatEdges.put(active.flat(), parent.flat());
        });
  }

  private void sandboxes() {
    tx.each(
        "SELECT namespace, labels FROM sandboxes",
        row -> GcLabels.references(row.text(0), labels(row, 1)).forEach(this::root));
  }

  /** Without a lease, or another thing that it belongs to, nothing keeps a mount. */
  private void mounts() {
    tx.each(
        "SELECT namespace, name, lease, labels FROM mounts",
        row -> {
          GcNode mount = new GcNode(GcNode.Kind.MOUNT, row.text(0), row.text(1));
          existing.add(mount);
          String lease = row.textOrNull(2);
          if (lease != null) {
            edge(new GcNode(GcNode.Kind.LEASE, row.text(0), lease), mount);
          }
          backReferences(mount, labels(row, 3));
        });
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
    for (GcNode node = queue.poll(); node != null; node = queue.poll()) {
      GcNode flat = flatEdges.get(node);
      if (flat != null) {
        root(flat);
      }
      edges.getOrDefault(node, List.of()).forEach(this::root);
    }
  }
}
