package io.jcontainerd.metadata;

import io.jcontainerd.core.Digest;
import io.jcontainerd.core.content.ContentStore;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Removes blobs from the backend that no namespace has. Blobs have no order among themselves, so it
 * is done in portions that are looked up together, and several portions at a time.
 */
final class BlobSweep {
  private static final String USED =
      "SELECT DISTINCT digest FROM blobs WHERE digest IN " + Bulk.LIST;

  private final Database database;
  private final ContentStore content;
  private final Guards guards;
  private final Removal removal;
  private final BooleanSupplier goesOn;

  /** Tries a removal from a backend; whether nothing is left to do. Safe for many threads. */
  @FunctionalInterface
  interface Removal {
    boolean tried(String what, Runnable removal);
  }

  /**
   * @param goesOn whether the content store is still to be asked; safe for many threads unless
   *     blobs are removed one by one
   */
  BlobSweep(
      Database database,
      ContentStore content,
      Guards guards,
      Removal removal,
      BooleanSupplier goesOn) {
    this.database = database;
    this.content = content;
    this.guards = guards;
    this.removal = removal;
    this.goesOn = goesOn;
  }

  /**
   * Removes those that are not in use.
   *
   * @param oneByOne for a store that another program serves: it is asked for one blob at a time, by
   *     the calling thread, and holds up nobody who wants another blob
   * @return those of which nothing is left to do, for they are in use or gone
   */
  Set<String> remove(List<String> digests, boolean oneByOne) {
    Set<String> done = ConcurrentHashMap.newKeySet();
    int size = oneByOne ? 1 : Bulk.SIZE;
    List<List<String>> portions = new ArrayList<>();
    for (int begin = 0; begin < digests.size(); begin += size) {
      portions.add(digests.subList(begin, Math.min(begin + size, digests.size())));
    }
    if (oneByOne) {
      portions.forEach(portion -> removePortion(portion, done));
    } else {
      SideBySide.each(portions, portion -> removePortion(portion, done));
    }
    return done;
  }

  private void removePortion(List<String> digests, Set<String> done) {
    if (!goesOn.getAsBoolean()) {
      return;
    }
    Map<String, Guards.Sweep> sweeps = new LinkedHashMap<>();
    try {
      for (String digest : digests) {
        Guards.Sweep sweep = guards.trySweep(Guards.content(digest));
        if (sweep != null) {
          sweeps.put(digest, sweep);
        }
      }
      Set<String> used = used(List.copyOf(sweeps.keySet()));
      used.forEach(digest -> close(sweeps.remove(digest)));
      done.addAll(used);
      for (Map.Entry<String, Guards.Sweep> each : sweeps.entrySet()) {
        // who wants one of them waits for that one alone
        try (Guards.Sweep _ = each.getValue()) {
          if (removed(each.getKey())) {
            done.add(each.getKey());
          }
        }
      }
    } finally {
      sweeps.values().forEach(Guards.Sweep::close);
    }
  }

  private static void close(Guards.@Nullable Sweep sweep) {
    if (sweep != null) {
      sweep.close();
    }
  }

  private boolean removed(String digest) {
    return goesOn.getAsBoolean()
        && removal.tried("content " + digest, () -> content.delete(Digest.parse(digest)));
  }

  /** Those that a namespace has; of at most {@link Bulk#SIZE}. */
  private Set<String> used(List<String> digests) {
    if (digests.isEmpty()) {
      return Set.of();
    }
    List<String> asked = new ArrayList<>(digests);
    asked.addAll(Collections.nCopies(Bulk.SIZE - digests.size(), digests.getLast()));
    return new HashSet<>(
        database.read(tx -> tx.all(USED, row -> row.text(0), Bulk.arguments(asked))));
  }
}
