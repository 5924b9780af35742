package io.jcontainerd.metadata;

import io.jcontainerd.store.StoreException;
import io.jcontainerd.store.WriteTransaction;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;

/**
 * One run of the garbage collector: mark, remove from the tables, sweep the backends.
 *
 * <p>Marking reads a snapshot of the store while writers go on. The rows are removed in a write
 * transaction that first compares the count of mutations with the one in the snapshot. If it is the
 * same, nothing was changed since and the marks are exact; if not, the marks are made anew inside
 * the transaction. So nothing that became used after the marking is ever removed.
 */
final class Collection {
  private final Database database;
  private final Sweeper sweeper;
  private final Runnable settle;

  /** What was found garbage in a state of the store. */
  private record Marks(long mutations, Marking.Found found) {
    List<GcNode> garbage() {
      return found.garbage();
    }
  }

  /**
   * What came of a run.
   *
   * @param held how long writers were held up
   * @param left whether something is still to be removed
   * @param next when there will be more to remove even if nothing is changed
   */
  record Outcome(Duration held, boolean left, Optional<Instant> next) {}

  /**
   * @param settle ends what was begun in a backend before anything is looked at
   */
  Collection(Database database, Sweeper sweeper, Runnable settle) {
    this.database = database;
    this.sweeper = sweeper;
    this.settle = settle;
  }

  Outcome run() {
    settle.run();
    Instant now = database.time().now();
    Marks marks = database.read(tx -> new Marks(Database.mutations(tx), Marking.look(tx, now)));
    Duration held = marks.garbage().isEmpty() ? Duration.ZERO : remove(marks, now);
    return new Outcome(held, sweeper.sweep(), marks.found().next());
  }

  private Duration remove(Marks marks, Instant now) {
    AtomicLong nanos = new AtomicLong();
    try {
      database
          .store()
          .writeToFree(
              tx -> {
                long began = System.nanoTime();
                List<GcNode> garbage =
                    Database.mutations(tx) == marks.mutations()
                        ? marks.garbage()
                        : Marking.look(tx, now).garbage();
                garbage.forEach(node -> remove(tx, node, Times.nanos(now)));
                tx.update("UPDATE mutations SET count = count + 1");
                nanos.set(System.nanoTime() - began);
                return true;
              });
    } catch (StoreException e) {
      throw Database.failure(e);
    }
    return Duration.ofNanos(nanos.get());
  }

  private static void remove(WriteTransaction tx, GcNode node, long now) {
    String namespace = node.namespace();
    String key = node.key();
    switch (node.kind()) {
      case CONTENT -> {
        tx.update("DELETE FROM blobs WHERE namespace = ? AND digest = ?", namespace, key);
        Condemned.content(tx, key);
      }
      case SNAPSHOT -> removeSnapshot(tx, node, now);
      case IMAGE -> {
        tx.update("DELETE FROM images WHERE namespace = ? AND name = ?", namespace, key);
        new Notices(tx, now, namespace).imageDeleted(key);
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
    String snapshotter = node.snapshotter();
    String key = node.snapshotKey();
    tx.first(
            "SELECT backend_key FROM snapshots"
                + " WHERE namespace = ? AND snapshotter = ? AND key = ?",
            row -> row.text(0),
            node.namespace(),
            snapshotter,
            key)
        .ifPresent(backendKey -> Condemned.snapshot(tx, snapshotter, backendKey));
    PendingCommit.drop(tx, node.namespace(), snapshotter, key);
    tx.update(
        "DELETE FROM snapshots WHERE namespace = ? AND snapshotter = ? AND key = ?",
        node.namespace(),
        snapshotter,
        key);
    new Notices(tx, now, node.namespace()).snapshotRemoved(snapshotter, key);
  }
}
