package io.jcontainerd.metadata;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.content.ContentStore;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.DeadlineExceededException;
import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.NotImplementedException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.filter.Filter;
import io.jcontainerd.core.mount.MountActivator;
import io.jcontainerd.core.snapshots.Snapshotter;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Predicate;

/**
 * Removes from the backends what is condemned, in small batches, without holding anything up. What
 * cannot be removed now - a snapshot that still has a child, an ingest that is open - stays
 * condemned and is tried again next time. Backends that other programs serve come last, and only
 * for as long as they answer. For one thread at a time.
 */
final class Sweeper {
  private static final System.Logger LOG = System.getLogger(Sweeper.class.getName());
  private static final int BATCH = 512;
  private static final String USED_BLOB = "SELECT 1 FROM blobs WHERE digest = ? LIMIT 1";

  private final Database database;
  private final ContentStore content;
  private final Map<String, Snapshotter> snapshotters;
  private final Guards guards;
  private final Optional<MountActivator> mounts;

  private final Patience patience;
  private final BlobSweep blobs;

  /** After a start a killed daemon may have left things that are in no table. */
  private final AtomicBoolean orphansHere = new AtomicBoolean(true);

  private final AtomicBoolean orphansOutside = new AtomicBoolean(true);

  private volatile boolean stopped;
  private boolean left; // of the sweep under way
  private volatile boolean failed; // a removal of the sweep under way

  /** One condemned object. */
  private record Sentence(long id, String kind, String owner, String key, long sequence) {}

  Sweeper(
      Database database,
      ContentStore content,
      Map<String, Snapshotter> snapshotters,
      Optional<MountActivator> mounts,
      Guards guards,
      Patience patience) {
    this.database = database;
    this.content = content;
    this.snapshotters = snapshotters;
    this.mounts = mounts;
    this.guards = guards;
    this.patience = patience;
    this.blobs =
        new BlobSweep(
            database,
            content,
            guards,
            (what, removal) -> remove(Patience.CONTENT, Call.current(), what, removal),
            () -> !stopped && patience.mayAsk(Patience.CONTENT));
  }

  /** Something may be in a backend and in no table: the next sweep looks for it. */
  void orphansPossible() {
    orphansHere.set(true);
    orphansOutside.set(true);
  }

  private void orphansPossible(String owner) {
    (patience.isOutside(owner) ? orphansOutside : orphansHere).set(true);
  }

  /** Ends a sweep that is under way after the object it is at; what is left stays condemned. */
  void stop() {
    stopped = true;
  }

  /** Returns whether something is left to be tried again. */
  boolean sweep() {
    boolean ended = false;
    try {
      left = false;
      patience.beginSweep();
      sweep(false, orphansHere.getAndSet(false));
      if (patience.anyOutside()) {
        sweep(true, orphansOutside.getAndSet(false));
      } else {
        orphansOutside.set(false);
      }
      ended = true;
    } finally {
      if (!ended) {
        orphansPossible(); // whatever it came to, the next one looks at all
      }
    }
    return !stopped && (left || orphansHere.get() || orphansOutside.get());
  }

  /** Sweeps the backends of this process, or those outside. */
  private void sweep(boolean outside, boolean orphans) {
    Set<String> touched = new HashSet<>();
    if (orphans) {
      sweepOrphans(outside, touched);
    }
    sweepCondemned(outside, touched);
    if (!stopped) {
      touched.forEach(this::cleanup);
      if (patience.isOutside(Patience.CONTENT) == outside && patience.mayAsk(Patience.CONTENT)) {
        cleanupContent(outside);
      }
    }
  }

  private void cleanupContent(boolean outside) {
    try {
      patience.ask(Patience.CONTENT, Call.current(), content::cleanup);
    } catch (ContainerdException e) {
      if (!outside) {
        throw e;
      }
      LOG.log(System.Logger.Level.DEBUG, "the content store could not clean up", e);
      left = true;
    }
  }

  private void cleanup(String name) {
    Snapshotter snapshotter = snapshotters.get(name);
    if (snapshotter == null || !patience.mayAsk(name)) {
      return;
    }
    try {
      patience.ask(name, Call.current(), snapshotter::cleanup);
    } catch (NotImplementedException e) {
      LOG.log(System.Logger.Level.DEBUG, "snapshotter " + name + " cleans up by itself", e);
    } catch (ContainerdException e) {
      LOG.log(System.Logger.Level.WARNING, "snapshotter " + name + " could not clean up", e);
      orphansPossible(name); // finds what it left
    }
  }

  // ---- condemned ----

  private void sweepCondemned(boolean outside, Set<String> touched) {
    long beforeSequence = Long.MAX_VALUE;
    long beforeId = Long.MAX_VALUE;
    while (true) {
      List<Sentence> batch = batch(beforeSequence, beforeId);
      if (batch.isEmpty() || stopped) {
        return;
      }
      List<Sentence> ours =
          batch.stream().filter(it -> patience.isOutside(owner(it)) == outside).toList();
      Set<Sentence> undone = new HashSet<>(ours);
      undone.removeAll(executed(ours, outside, touched));
      left |= undone.stream().anyMatch(this::isKnown);
      forget(ours.stream().filter(it -> !undone.contains(it)).map(Sentence::id).toList());
      beforeSequence = batch.getLast().sequence();
      beforeId = batch.getLast().id();
    }
  }

  /** Those of which nothing is left to do. */
  private Set<Sentence> executed(List<Sentence> batch, boolean outside, Set<String> touched) {
    Predicate<Sentence> isBlob = sentence -> sentence.kind().equals(Condemned.CONTENT);
    Set<Sentence> done = new HashSet<>();
    batch.stream().filter(isBlob.negate()).filter(it -> execute(it, touched)).forEach(done::add);
    List<String> digests = batch.stream().filter(isBlob).map(Sentence::key).toList();
    Set<String> gone = blobs.remove(digests, outside);
    batch.stream().filter(isBlob).filter(it -> gone.contains(it.key())).forEach(done::add);
    return done;
  }

  /** Snapshots first, the youngest before the others, so that children go before parents. */
  private List<Sentence> batch(long beforeSequence, long beforeId) {
    return database.read(
        tx ->
            tx.all(
                "SELECT id, kind, owner, key, sequence FROM condemned"
                    + " WHERE (sequence, id) < (?, ?) ORDER BY sequence DESC, id DESC LIMIT ?",
                row ->
                    new Sentence(
                        row.number(0), row.text(1), row.text(2), row.text(3), row.number(4)),
                beforeSequence,
                beforeId,
                BATCH));
  }

  private void forget(List<Long> done) {
    if (!done.isEmpty()) {
      database
          .store()
          .writeToFree(
              tx -> {
                int bulk = done.size() - done.size() % Bulk.SIZE;
                for (int i = 0; i < bulk; i += Bulk.SIZE) {
                  tx.update(
                      "DELETE FROM condemned WHERE id IN " + Bulk.LIST,
                      Bulk.arguments(done.subList(i, i + Bulk.SIZE)));
                }
                done.subList(bulk, done.size())
                    .forEach(id -> tx.update("DELETE FROM condemned WHERE id = ?", id));
                return true;
              });
    }
  }

  private static String owner(Sentence sentence) {
    return switch (sentence.kind()) {
      case Condemned.SNAPSHOT -> sentence.owner();
      case Condemned.MOUNT -> Patience.HERE;
      default -> Patience.CONTENT;
    };
  }

  /** What belongs to a snapshotter that is not configured at present waits without being tried. */
  private boolean isKnown(Sentence sentence) {
    return !sentence.kind().equals(Condemned.SNAPSHOT)
        || snapshotters.containsKey(sentence.owner());
  }

  /** Returns whether nothing is left to do. */
  private boolean execute(Sentence sentence, Set<String> touched) {
    return switch (sentence.kind()) {
      case Condemned.INGEST -> removeIngest(sentence.key());
      case Condemned.SNAPSHOT -> {
        touched.add(sentence.owner());
        yield removeSnapshot(sentence.owner(), sentence.key());
      }
      case Condemned.MOUNT -> removeMount(sentence.key());
      default -> throw new AssertionError("condemned kind " + sentence.kind());
    };
  }

  private boolean removeIngest(String backendRef) {
    if (stopped || !patience.mayAsk(Patience.CONTENT)) {
      return false;
    }
    try (Guards.Sweep sweep = guards.trySweep(Guards.ingest(backendRef))) {
      return sweep != null
          && (isUsed("SELECT 1 FROM ingests WHERE backend_ref = ? LIMIT 1", backendRef)
              || remove(
                  Patience.CONTENT,
                  of(backendRef),
                  "ingest " + backendRef,
                  () -> content.abort(backendRef)));
    }
  }

  private boolean removeSnapshot(String owner, String backendKey) {
    Snapshotter snapshotter = snapshotters.get(owner);
    if (snapshotter == null || stopped || !patience.mayAsk(owner)) {
      return false; // not configured at present: it waits
    }
    try (Guards.Sweep sweep = guards.trySweep(Guards.snapshot(owner, backendKey))) {
      return sweep != null
          && (isUsed(
                  "SELECT 1 FROM snapshots WHERE snapshotter = ?1 AND backend_key = ?2"
                      + " UNION ALL SELECT 1 FROM snapshot_commits"
                      + " WHERE snapshotter = ?1 AND backend_name = ?2 LIMIT 1",
                  owner,
                  backendKey)
              || remove(
                  owner,
                  of(backendKey),
                  "snapshot " + backendKey + " of " + owner,
                  () -> snapshotter.remove(backendKey)));
    }
  }

  private boolean removeMount(String id) {
    if (mounts.isEmpty() || stopped) {
      return false;
    }
    return isUsed("SELECT 1 FROM mounts WHERE id = CAST(? AS INTEGER)", id)
        || remove(
            Patience.HERE,
            Call.current(),
            "mounts " + id,
            () -> mounts.get().deactivate(Long.parseLong(id)));
  }

  /** A backend that knows namespaces, as another daemon does, has it where it was made. */
  private static Call of(String backendKey) {
    int slash = backendKey.indexOf('/');
    return slash < 0 ? Call.current() : Call.in(backendKey.substring(0, slash));
  }

  private boolean isUsed(String sql, String... arguments) {
    return database.exists(sql, (Object[]) arguments);
  }

  private boolean remove(String owner, Call call, String what, Runnable removal) {
    try {
      patience.ask(owner, call, removal);
      return true;
    } catch (NotFoundException e) {
      return true;
    } catch (FailedPreconditionException | UnavailableException | DeadlineExceededException e) {
      LOG.log(System.Logger.Level.DEBUG, what + " cannot be removed yet", e);
      return false;
    } catch (ContainerdException e) {
      LOG.log(System.Logger.Level.WARNING, what + " could not be removed", e);
      failed = true;
      return false;
    }
  }

  // ---- orphans ----

  /** Removes what is in a backend and in no table; if that fails, the next sweep looks again. */
  private void sweepOrphans(boolean outside, Set<String> touched) {
    failed = false;
    if (patience.isOutside(Patience.CONTENT) == outside) {
      sweepContentOrphans();
    }
    snapshotters.forEach(
        (owner, snapshotter) -> {
          if (patience.isOutside(owner) == outside) {
            sweepOrphans(owner, snapshotter, touched);
          }
        });
    if (failed) {
      (outside ? orphansOutside : orphansHere).set(true);
    }
  }

  private void sweepContentOrphans() {
    if (!patience.mayAsk(Patience.CONTENT)) {
      orphansPossible(Patience.CONTENT);
      return;
    }
    try {
      List<String> digests = new ArrayList<>();
      List<String> refs = new ArrayList<>();
      patience.ask(
          Patience.CONTENT,
          Call.current(),
          () -> content.walk(Filter.ALL, info -> digests.add(info.digest().toString())));
      boolean outside = patience.isOutside(Patience.CONTENT);
      var _ = blobs.remove(unknown(digests), outside);
      patience.ask(
          Patience.CONTENT,
          Call.current(),
          () -> content.statuses(Filter.ALL).forEach(status -> refs.add(status.ref())));
      refs.forEach(this::removeIngest);
      lookAgainIfLeft(Patience.CONTENT);
    } catch (ContainerdException e) {
      LOG.log(System.Logger.Level.WARNING, "content could not be searched for orphans", e);
      orphansPossible(Patience.CONTENT);
    }
  }

  /** Those of which no namespace has the blob; many are asked for at a time. */
  private List<String> unknown(List<String> digests) {
    List<String> unknown = new ArrayList<>();
    for (int begin = 0; begin < digests.size() && !stopped; begin += BATCH) {
      List<String> some = digests.subList(begin, Math.min(begin + BATCH, digests.size()));
      database.read(
          tx ->
              unknown.addAll(
                  some.stream().filter(digest -> !tx.exists(USED_BLOB, digest)).toList()));
    }
    return unknown;
  }

  private void sweepOrphans(String owner, Snapshotter snapshotter, Set<String> touched) {
    if (!patience.mayAsk(owner)) {
      orphansPossible(owner);
      return;
    }
    try {
      List<String> keys = new ArrayList<>();
      patience.ask(
          owner, Call.current(), () -> snapshotter.walk(Filter.ALL, info -> keys.add(info.name())));
      keys.sort(Comparator.comparingLong(Condemned::sequence).reversed());
      keys.forEach(key -> removeSnapshot(owner, key));
      lookAgainIfLeft(owner);
      touched.add(owner); // folders without a record are the backend's own to find
    } catch (ContainerdException e) {
      LOG.log(System.Logger.Level.WARNING, "snapshotter " + owner + " could not be searched", e);
      orphansPossible(owner);
    }
  }

  private void lookAgainIfLeft(String owner) {
    if (!patience.mayAsk(owner)) {
      orphansPossible(owner);
    }
  }
}
