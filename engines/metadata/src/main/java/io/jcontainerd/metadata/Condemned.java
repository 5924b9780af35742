package io.jcontainerd.metadata;

import io.jcontainerd.store.WriteTransaction;
import java.util.List;

/** Marks what was removed from the tables and is still to be removed from its backend. */
final class Condemned {
  static final String CONTENT = "content";
  static final String INGEST = "ingest";
  static final String SNAPSHOT = "snapshot";
  static final String MOUNT = "mount";

  /** Condemned anew it is another sentence: who executed the old one may forget only that. */
  private static final String ANEW =
      " ON CONFLICT(kind, owner, key) DO UPDATE SET id = (SELECT max(id) + 1 FROM condemned)";

  private static final String CONTENTS =
      "INSERT INTO condemned(kind, owner, key, sequence) SELECT 'content', '', column1, 0 FROM "
          + Bulk.TABLE
          + " WHERE NOT EXISTS (SELECT 1 FROM blobs WHERE digest = column1)"
          + ANEW;

  private Condemned() {}

  /** The blob, if no namespace has it any more. */
  static void content(WriteTransaction tx, String digest) {
    if (!tx.exists("SELECT 1 FROM blobs WHERE digest = ?", digest)) {
      add(tx, CONTENT, "", digest, 0);
    }
  }

  /** {@link Bulk#SIZE} blobs, those of them that no namespace has any more. */
  static void contents(WriteTransaction tx, List<String> digests) {
    tx.update(CONTENTS, Bulk.arguments(digests));
  }

  static void ingest(WriteTransaction tx, String backendRef) {
    add(tx, INGEST, "", backendRef, 0);
  }

  /** The snapshot; a higher number was made later, so children are removed before parents. */
  static void snapshot(WriteTransaction tx, String snapshotter, String backendKey) {
    add(tx, SNAPSHOT, snapshotter, backendKey, sequence(backendKey));
  }

  static void mount(WriteTransaction tx, long id) {
    add(tx, MOUNT, "", Long.toString(id), 0);
  }

  private static void add(
      WriteTransaction tx, String kind, String owner, String key, long sequence) {
    tx.update(
        "INSERT INTO condemned(kind, owner, key, sequence) VALUES (?, ?, ?, ?)" + ANEW,
        kind,
        owner,
        key,
        sequence);
  }

  /** The number in {@code NAMESPACE/NUMBER/KEY}; 0 for a key that others made. */
  static long sequence(String backendKey) {
    int first = backendKey.indexOf('/');
    int second = first < 0 ? -1 : backendKey.indexOf('/', first + 1);
    if (second < 0) {
      return 0;
    }
    try {
      return Long.parseLong(backendKey, first + 1, second, 10);
    } catch (NumberFormatException e) {
      return 0;
    }
  }
}
