package io.jcontainerd.metadata;

import io.jcontainerd.core.CleanUp;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.DataLossException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.snapshots.SnapshotInfo;
import io.jcontainerd.core.snapshots.Snapshotter;
import io.jcontainerd.store.WriteTransaction;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/**
 * What a backend has lost, as after a power cut: it is forgotten in the tables, and the namespaces
 * that had it are told once. Safe for many threads.
 */
final class SnapshotLosses {
  private final String name;
  private final Database database;
  private final Snapshotter backend;
  private final SnapshotRows rows;
  private final UntoldLosses untold = new UntoldLosses();

  /** How many times losses were about to be forgotten. */
  private final AtomicLong forgotten = new AtomicLong();

  SnapshotLosses(String name, Database database, Snapshotter backend, SnapshotRows rows) {
    this.name = name;
    this.database = database;
    this.backend = backend;
    this.rows = rows;
  }

  /** To be asked before the backend makes what {@link #writeOfBackend} is to record. */
  long count() {
    return forgotten.get();
  }

  /**
   * Records something that the backend has. If losses were forgotten since it was asked, this may
   * be one of them, of which nothing was recorded that could have been removed: so it is asked
   * again.
   *
   * @param before the number of times that losses were forgotten before the backend was asked
   */
  void writeOfBackend(String backendKey, long before, Consumer<WriteTransaction> body) {
    long known = before;
    while (!tryWrite(known, body)) {
      known = forgotten.get();
      try {
        SnapshotInfo _ = backend.stat(backendKey);
      } catch (NotFoundException e) {
        throw new NotFoundException("snapshot " + backendKey + " was lost meanwhile", e);
      }
    }
  }

  /** Forgetting counts before it writes: whichever writes second knows of the other. */
  private boolean tryWrite(long known, Consumer<WriteTransaction> body) {
    return database.write(
        tx -> {
          boolean sure = known == forgotten.get();
          if (sure) {
            body.accept(tx);
          }
          return sure;
        });
  }

  /**
   * Makes the snapshots durable. Also fails if something of this namespace was lost before, whoever
   * found it, and is not there again; it is told once.
   */
  void makeDurable(String namespace) {
    try {
      backend.makeDurable();
      forget();
    } catch (ContainerdException e) {
      forget(e);
      untold.take(namespace);
      throw e;
    }
    Set<String> lost = untold.take(namespace);
    Set<String> gone =
        lost.isEmpty()
            ? lost
            : database.read(
                tx ->
                    lost.stream()
                        .filter(key -> rows.find(tx, namespace, key).isEmpty())
                        .collect(Collectors.toCollection(TreeSet::new)));
    if (!gone.isEmpty()) {
      throw new DataLossException(
          "snapshotter %s: could not be made durable, unpack again: %s".formatted(name, gone));
    }
  }

  /** Whoever relied on what was found lost is gone: the daemon starts. */
  void nobodyToTell() {
    untold.clear();
  }

  /** Like {@link #forget()}, on the way out of a failure. */
  void forget(ContainerdException reason) {
    try {
      CleanUp.run(this::forget);
    } catch (ContainerdException second) {
      reason.addSuppressed(second); // the next collection tries again
    }
  }

  /** Removes from the tables, in one step, what the backend has lost. */
  void forget() {
    Set<String> lost = backend.lost();
    if (lost.isEmpty()) {
      return;
    }
    forgotten.incrementAndGet();
    Instant now = database.time().now();
    var places = new ArrayList<LostSnapshots.Place>();
    database.delete(
        tx -> {
          places.clear();
          lost.forEach(
              backendKey -> places.addAll(LostSnapshots.forget(tx, name, backendKey, now)));
          return true;
        });
    places.forEach(place -> untold.add(place.namespace(), place.key()));
    backend.forgetLost(lost);
  }
}
