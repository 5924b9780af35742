package io.jcontainerd.metadata;

import io.jcontainerd.core.check.StorageExplainer;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.snapshots.Snapshotter;
import io.jcontainerd.store.ReadTransaction;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/** Explains the collector's graph to people. Safe for many threads. */
final class Explanation implements StorageExplainer {
  private static final int SHORTEST_HEX = 4;

  private final Database database;
  private final Map<String, Snapshotter> backends;
  private final GcOptions gc;

  Explanation(Database database, Map<String, Snapshotter> backends, GcOptions gc) {
    this.database = database;
    this.backends = backends;
    this.gc = gc;
  }

  @Override
  public List<Kept> whyKept(String name) {
    Instant now = database.time().now();
    return database.read(
        tx -> {
          List<GcNode> targets = targets(tx, name);
          if (targets.isEmpty()) {
            throw new NotFoundException("no content or snapshot is named \"" + name + "\"");
          }
          References references = Marking.references(tx, now);
          return targets.stream().map(target -> kept(tx, references, target)).toList();
        });
  }

  private static List<GcNode> targets(ReadTransaction tx, String name) {
    List<GcNode> targets = new ArrayList<>();
    targets.addAll(
        tx.all(
            "SELECT namespace, snapshotter, key FROM snapshots"
                + " WHERE key = ?1 OR snapshotter || '/' || key = ?1 ORDER BY 1, 2",
            row -> GcNode.snapshot(row.text(0), row.text(1), row.text(2)),
            name));
    boolean bare = name.matches("[0-9a-f]+");
    if (bare && name.length() < SHORTEST_HEX) {
      throw new InvalidArgumentException(
          "\"" + name + "\" is too short for a digest: give at least " + SHORTEST_HEX + " digits");
    }
    String pattern = bare ? "%:" + name + "%" : name + "%";
    if (bare || name.matches("[a-z0-9]+:[0-9a-f]{" + SHORTEST_HEX + ",}")) {
      List<GcNode> blobs =
          tx.all(
              "SELECT namespace, digest FROM blobs WHERE digest LIKE ? ORDER BY 2, 1",
              row -> new GcNode(GcNode.Kind.CONTENT, row.text(0), row.text(1)),
              pattern);
      if (blobs.stream().map(GcNode::key).distinct().count() > 1) {
        throw new InvalidArgumentException(
            "\"" + name + "\" begins several digests: give more of it");
      }
      targets.addAll(blobs);
    }
    return targets;
  }

  private Kept kept(ReadTransaction tx, References references, GcNode target) {
    List<GcNode> way = references.wayTo(target);
    List<Link> chain = new ArrayList<>();
    for (int i = 0; i < way.size(); i++) {
      GcNode node = way.get(i).full();
      String because = i == 0 ? root(node) : because(tx, way.get(i - 1).full(), node);
      chain.add(new Link(kind(node), node.key(), because));
    }
    return new Kept(
        target.namespace(),
        kind(target),
        target.key(),
        chain,
        way.isEmpty() ? Optional.empty() : until(tx, way.getFirst().full()),
        way.isEmpty() ? end() : "");
  }

  private String end() {
    return "nothing refers to it: it goes with the next garbage collection, which follows the next"
        + " deletion, or "
        + Math.max(1, gc.mutationThreshold())
        + " changes, or a lease deleted synchronously";
  }

  private static String kind(GcNode node) {
    return switch (node.kind()) {
      case CONTENT, FLAT_CONTENT -> "content";
      case SNAPSHOT, FLAT_SNAPSHOT -> "snapshot";
      case IMAGE, FLAT_IMAGE -> "image";
      case CONTAINER -> "container";
      case LEASE -> "lease";
      case INGEST -> "ingest";
      case MOUNT -> "mount";
    };
  }

  private static String root(GcNode node) {
    return switch (node.kind()) {
      case IMAGE -> "an image stays until it is removed";
      case CONTAINER -> "a container stays until it is removed";
      case LEASE -> "a lease stays until it is deleted or expires";
      case INGEST -> "an operation that writes it is going on";
      case MOUNT -> "a mount that is active";
      default -> "labelled as a root, or referred to by a sandbox";
    };
  }

  private static String because(ReadTransaction tx, GcNode from, GcNode to) {
    return switch (from.kind()) {
      case LEASE -> "held by the lease";
      case INGEST -> "what the ingest becomes";
      case IMAGE -> {
        boolean target =
            tx.exists(
                "SELECT 1 FROM images WHERE namespace = ? AND name = ? AND digest = ?",
                from.namespace(),
                from.key(),
                to.key());
        yield target ? "the image's target" : label(tx, from, to);
      }
      case CONTAINER -> {
        boolean root =
            tx.exists(
                "SELECT 1 FROM containers WHERE namespace = ? AND id = ?"
                    + " AND snapshotter || '/' || snapshot_key = ?",
                from.namespace(),
                from.key(),
                to.key());
        yield root ? "the container's root file system" : label(tx, from, to);
      }
      case SNAPSHOT -> {
        boolean parent =
            tx.exists(
                "SELECT 1 FROM snapshots WHERE namespace = ? AND snapshotter = ? AND key = ?"
                    + " AND snapshotter || '/' || parent = ?",
                from.namespace(),
                from.snapshotter(),
                from.snapshotKey(),
                to.key());
        yield parent ? "the snapshot's parent" : label(tx, from, to);
      }
      default -> label(tx, from, to);
    };
  }

  /** The label that makes the one refer to the other. */
  private static String label(ReadTransaction tx, GcNode from, GcNode to) {
    for (Map.Entry<String, String> label : labels(tx, from).entrySet()) {
      if (GcLabels.references(from.namespace(), Map.of(label.getKey(), label.getValue()))
          .contains(to)) {
        return "the " + kind(from) + "'s label " + label.getKey();
      }
    }
    for (Map.Entry<String, String> label : labels(tx, to).entrySet()) {
      Map<String, String> one = Map.of(label.getKey(), label.getValue());
      boolean back = GcLabels.backReferences(to.namespace(), one).contains(from);
      boolean condition =
          GcLabels.conditions(to.namespace(), one).stream()
              .anyMatch(found -> found.snapshot().equals(from));
      if (back || condition) {
        return "its own label " + label.getKey();
      }
    }
    return "a commit that is going on";
  }

  private static Map<String, String> labels(ReadTransaction tx, GcNode node) {
    Optional<String> text =
        switch (node.kind()) {
          case CONTENT ->
              text(tx, "SELECT labels FROM blobs WHERE namespace = ? AND digest = ?", node);
          case IMAGE ->
              text(tx, "SELECT labels FROM images WHERE namespace = ? AND name = ?", node);
          case CONTAINER ->
              text(tx, "SELECT labels FROM containers WHERE namespace = ? AND id = ?", node);
          case LEASE -> text(tx, "SELECT labels FROM leases WHERE namespace = ? AND id = ?", node);
          case SNAPSHOT ->
              text(
                  tx,
                  "SELECT labels FROM snapshots WHERE namespace = ?"
                      + " AND snapshotter || '/' || key = ?",
                  node);
          case INGEST, MOUNT, FLAT_CONTENT, FLAT_SNAPSHOT, FLAT_IMAGE -> Optional.empty();
        };
    return new TreeMap<>(text.map(LabelText::read).orElse(Map.of()));
  }

  private static Optional<String> text(ReadTransaction tx, String sql, GcNode node) {
    return tx.first(sql, row -> row.text(0), node.namespace(), node.key());
  }

  private static Optional<Instant> until(ReadTransaction tx, GcNode root) {
    if (root.kind() == GcNode.Kind.INGEST) {
      return tx.first(
          "SELECT expires_at FROM ingests WHERE namespace = ? AND ref = ?"
              + " AND expires_at IS NOT NULL",
          row -> Times.instant(row.number(0)),
          root.namespace(),
          root.key());
    }
    return GcLabels.expiry(labels(tx, root));
  }

  /** Things that take room, and what they take. */
  private record Sizes(Map<GcNode, String> identity, Map<String, Long> bytes) {
    long of(String thing) {
      return bytes.getOrDefault(thing, 0L);
    }
  }

  private record Owner(GcNode node, Set<GcNode> kept) {}

  @Override
  public DiskUsage diskUsage() {
    Instant now = database.time().now();
    Map<GcNode, String> identity = new HashMap<>();
    Map<String, Long> bytes = new HashMap<>();
    List<Owner> owners = new ArrayList<>();
    database.read(
        tx -> {
          tx.each(
              "SELECT namespace, digest, size FROM blobs",
              row -> {
                String thing = "content " + row.text(1);
                identity.put(new GcNode(GcNode.Kind.CONTENT, row.text(0), row.text(1)), thing);
                bytes.put(thing, row.number(2));
              });
          tx.each(
              "SELECT namespace, snapshotter, key, backend_key FROM snapshots",
              row ->
                  identity.put(
                      GcNode.snapshot(row.text(0), row.text(1), row.text(2)),
                      "snapshot " + row.text(1) + "/" + row.text(3)));
          References references = Marking.references(tx, now);
          List<GcNode> nodes = new ArrayList<>();
          nodes.addAll(
              tx.all(
                  "SELECT namespace, name FROM images ORDER BY 1, 2",
                  row -> new GcNode(GcNode.Kind.IMAGE, row.text(0), row.text(1))));
          nodes.addAll(
              tx.all(
                  "SELECT namespace, id FROM containers ORDER BY 1, 2",
                  row -> new GcNode(GcNode.Kind.CONTAINER, row.text(0), row.text(1))));
          nodes.forEach(node -> owners.add(new Owner(node, references.keptBy(node))));
          return true;
        });
    measure(identity, bytes);
    return usage(new Sizes(identity, bytes), owners);
  }

  /** Active snapshots are measured, which takes its time: not while looking at the tables. */
  private void measure(Map<GcNode, String> identity, Map<String, Long> bytes) {
    for (String thing : Set.copyOf(identity.values())) {
      if (thing.startsWith("snapshot ")) {
        String name = thing.substring("snapshot ".length());
        int slash = name.indexOf('/');
        Snapshotter backend = backends.get(name.substring(0, slash));
        if (backend != null) {
          bytes.put(thing, measured(backend, name.substring(slash + 1)));
        }
      }
    }
  }

  private static long measured(Snapshotter backend, String key) {
    try {
      return backend.usage(key).size();
    } catch (NotFoundException _) {
      return 0; // removed meanwhile
    }
  }

  private static DiskUsage usage(Sizes sizes, List<Owner> owners) {
    Map<String, Integer> users = new HashMap<>();
    for (Owner owner : owners) {
      things(sizes, owner).forEach(thing -> users.merge(thing, 1, Integer::sum));
    }
    List<Usage> each = new ArrayList<>();
    for (Owner owner : owners) {
      long content = 0;
      long snapshots = 0;
      long unique = 0;
      for (String thing : things(sizes, owner)) {
        long size = sizes.of(thing);
        content += thing.startsWith("content ") ? size : 0;
        snapshots += thing.startsWith("snapshot ") ? size : 0;
        unique += users.getOrDefault(thing, 0) == 1 ? size : 0;
      }
      each.add(
          new Usage(
              owner.node().namespace(),
              kind(owner.node()),
              owner.node().key(),
              content,
              snapshots,
              unique,
              content + snapshots - unique));
    }
    long contentBytes = total(sizes, "content ");
    long snapshotBytes = total(sizes, "snapshot ");
    long used = users.keySet().stream().mapToLong(sizes::of).sum();
    return new DiskUsage(each, contentBytes, snapshotBytes, contentBytes + snapshotBytes - used);
  }

  private static long total(Sizes sizes, String prefix) {
    return sizes.bytes().entrySet().stream()
        .filter(entry -> entry.getKey().startsWith(prefix))
        .mapToLong(Map.Entry::getValue)
        .sum();
  }

  private static List<String> things(Sizes sizes, Owner owner) {
    return owner.kept().stream()
        .flatMap(node -> Optional.ofNullable(sizes.identity().get(node)).stream())
        .distinct()
        .toList();
  }
}
