package io.jcontainerd.metadata;

import static io.jcontainerd.core.operation.RunningOperation.tell;

import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.store.StoreException;
import io.jcontainerd.store.WriteTransaction;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * One run of the garbage collector: mark, remove from the tables, sweep the backends.
 *
 * <p>Marking reads a snapshot of the store while writers go on. The rows are removed a few at a
 * time, each batch in a write transaction that holds others up for no longer than {@link #BUDGET}.
 * All that is written from before the marking on is noted, and each batch begins with sparing
 * whatever that brought into use, so that nothing in use is ever removed. What refers to something
 * goes before that, and what refers to each other in circles goes in one batch however long it
 * takes, so that whatever is still there has all its parts.
 */
final class Collection {
  /** So long may a batch hold up others before it ends. */
  private static final Duration BUDGET = Duration.ofMillis(2);

  private final Database database;
  private final Touches touches;
  private final Sweeper sweeper;
  private final Runnable settle;
  private volatile boolean stopped;

  /**
   * What came of a run.
   *
   * @param held how long writers were held up
   * @param left whether something is still to be removed
   * @param next when there will be more to remove even if nothing is changed
   */
  record Outcome(Duration held, boolean left, Optional<Instant> next) {}

  /** What became of the tables. */
  private record Removal(Duration held, boolean left, Optional<Instant> next) {}

  /** How far a batch came, what it spared of that, and how long it took. */
  private record Batch(int end, int spared, long nanos) {}

  /**
   * @param settle ends what was begun in a backend before anything is looked at
   */
  Collection(Database database, Sweeper sweeper, Runnable settle) {
    this.database = database;
    this.touches = new Touches(database.store());
    this.sweeper = sweeper;
    this.settle = settle;
  }

  /** Ends a run that is under way at the next place where it can; the next one goes on with it. */
  void stop() {
    stopped = true;
    sweeper.stop();
  }

  Outcome run() {
    tell("settle", "snapshotters, to end what was begun");
    settle.run();
    tell("mark", "");
    Removal removal;
    try {
      removal = remove(database.time().now());
    } catch (StoreException e) {
      throw withSweep(Database.failure(e));
    } finally {
      touches.end();
    }
    tell("sweep", "the file systems of blobs and snapshots");
    boolean left = sweeper.sweep();
    return new Outcome(removal.held(), left || removal.left(), removal.next());
  }

  /** On a full disk what is condemned already makes room for the rest. */
  private ContainerdException withSweep(ContainerdException failure) {
    try {
      boolean _ = sweeper.sweep();
    } catch (ContainerdException | StoreException e) {
      failure.addSuppressed(e);
    }
    return failure;
  }

  private Removal remove(Instant now) {
    touches.begin();
    Marking marking = database.read(tx -> Marking.look(tx, now));
    ReferrersFirst<GcNode> garbage = marking.garbage();
    List<GcNode> nodes = garbage.nodes();
    long nanos = 0;
    int spared = 0;
    int begin = 0;
    while (begin < nodes.size() && !stopped) {
      marking.spare(touches.take()); // most of it here, where it holds up nobody
      int from = begin;
      Batch batch = database.store().writeToFree(tx -> remove(tx, marking, garbage, from));
      nanos += batch.nanos();
      spared += batch.spared();
      begin = batch.end();
    }
    boolean left = spared > 0 || begin < nodes.size();
    return new Removal(Duration.ofNanos(nanos), left, marking.next());
  }

  private Batch remove(
      WriteTransaction tx, Marking marking, ReferrersFirst<GcNode> garbage, int from) {
    long began = System.nanoTime();
    marking.spare(touches.take());
    List<GcNode> nodes = garbage.nodes();
    long now = database.now();
    int spared = 0;
    int at = from;
    boolean time = true;
    while (at < nodes.size() && time) {
      int end = endOfRun(nodes, at);
      List<GcNode> run = nodes.subList(at, end).stream().filter(marking::isGarbage).toList();
      remove(tx, run, now);
      spared += end - at - run.size();
      at = end;
      boolean within = at > garbage.coreBegin() && at < garbage.coreEnd();
      time = within || System.nanoTime() - began < BUDGET.toNanos();
    }
    return new Batch(at, spared, System.nanoTime() - began);
  }

  /** The index behind what may be removed at once: blobs of one namespace, or one node. */
  private static int endOfRun(List<GcNode> nodes, int begin) {
    GcNode first = nodes.get(begin);
    int end = begin + 1;
    while (first.kind() == GcNode.Kind.CONTENT
        && end < Math.min(nodes.size(), begin + Bulk.SIZE)
        && nodes.get(end).kind() == GcNode.Kind.CONTENT
        && nodes.get(end).namespace().equals(first.namespace())) {
      end++;
    }
    return end;
  }

  private static void remove(WriteTransaction tx, List<GcNode> run, long now) {
    if (run.size() == Bulk.SIZE) {
      List<String> digests = run.stream().map(GcNode::key).toList();
      List<Object> arguments = new ArrayList<>(digests);
      arguments.addFirst(run.getFirst().namespace());
      tx.update(
          "DELETE FROM blobs WHERE namespace = ? AND digest IN " + Bulk.LIST, arguments.toArray());
      // one that somebody has removed since is condemned once more, which does no harm
      Condemned.contents(tx, digests);
    } else {
      run.forEach(node -> remove(tx, node, now));
    }
  }

  private static void remove(WriteTransaction tx, GcNode node, long now) {
    String namespace = node.namespace();
    String key = node.key();
    switch (node.kind()) {
      case CONTENT -> {
        if (tx.update("DELETE FROM blobs WHERE namespace = ? AND digest = ?", namespace, key) > 0) {
          Condemned.content(tx, key);
        }
      }
      case SNAPSHOT -> removeSnapshot(tx, node, now);
      case IMAGE -> {
        if (tx.update("DELETE FROM images WHERE namespace = ? AND name = ?", namespace, key) > 0) {
          new Notices(tx, now, namespace).imageDeleted(key);
        }
      }
      case LEASE -> {
        tx.update("DELETE FROM leases WHERE namespace = ? AND id = ?", namespace, key);
        tx.update("DELETE FROM lease_resources WHERE namespace = ? AND lease = ?", namespace, key);
      }
      case INGEST -> {
        tx.first(
                "DELETE FROM ingests WHERE namespace = ? AND ref = ? RETURNING backend_ref",
                row -> row.text(0),
                namespace,
                key)
            .ifPresent(ref -> Condemned.ingest(tx, ref));
      }
      case MOUNT ->
          NamespacedMounts.removed(tx, namespace, key).ifPresent(id -> Condemned.mount(tx, id));
      case CONTAINER, FLAT_CONTENT, FLAT_SNAPSHOT, FLAT_IMAGE ->
          throw new AssertionError(node.kind() + " is never collected");
    }
  }

  private static void removeSnapshot(WriteTransaction tx, GcNode node, long now) {
    String namespace = node.namespace();
    String snapshotter = node.snapshotter();
    String key = node.snapshotKey();
    Optional<String> backendKey =
        tx.first(
            "DELETE FROM snapshots WHERE namespace = ? AND snapshotter = ? AND key = ?"
                + " RETURNING backend_key",
            row -> row.text(0),
            namespace,
            snapshotter,
            key);
    if (backendKey.isPresent()) { // else somebody has removed it since
      Condemned.snapshot(tx, snapshotter, backendKey.get());
      PendingCommit.drop(tx, namespace, snapshotter, key);
      new Notices(tx, now, namespace).snapshotRemoved(snapshotter, key);
    }
  }
}
