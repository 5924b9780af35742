package io.jcontainerd.metadata;

import io.jcontainerd.core.Digest;
import io.jcontainerd.core.content.ContentInfo;
import io.jcontainerd.store.ReadTransaction;
import io.jcontainerd.store.Row;
import io.jcontainerd.store.WriteTransaction;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The table of the blobs of all namespaces. */
final class BlobRows {
  private static final String SELECT =
      "SELECT digest, size, created_at, updated_at, labels FROM blobs WHERE namespace = ?";

  private BlobRows() {}

  static Optional<ContentInfo> find(ReadTransaction tx, String namespace, Digest digest) {
    return tx.first(SELECT + " AND digest = ?", BlobRows::info, namespace, digest.toString());
  }

  /** The namespace's, in order of digest. */
  static List<ContentInfo> all(ReadTransaction tx, String namespace, Narrowing narrowing) {
    return tx.all(
        SELECT + narrowing.condition() + " ORDER BY digest",
        BlobRows::info,
        narrowing.after(namespace));
  }

  private static ContentInfo info(Row row) {
    return new ContentInfo(
        Digest.parse(row.text(0)),
        row.number(1),
        Times.instant(row.number(2)),
        Times.instant(row.number(3)),
        LabelText.read(row.text(4)));
  }

  static void insert(
      WriteTransaction tx,
      String namespace,
      Digest digest,
      long size,
      Map<String, String> labels,
      long now) {
    tx.update(
        "INSERT INTO blobs(namespace, digest, size, labels, created_at, updated_at)"
            + " VALUES (?, ?, ?, ?, ?, ?)",
        namespace,
        digest.toString(),
        size,
        LabelText.write(labels),
        now,
        now);
  }

  static void label(
      WriteTransaction tx,
      String namespace,
      Digest digest,
      Map<String, String> labels,
      Instant now) {
    tx.update(
        "UPDATE blobs SET labels = ?, updated_at = ? WHERE namespace = ? AND digest = ?",
        LabelText.write(labels),
        Times.nanos(now),
        namespace,
        digest.toString());
  }

  /** False if there was none. */
  static boolean remove(WriteTransaction tx, String namespace, Digest digest) {
    int removed =
        tx.update(
            "DELETE FROM blobs WHERE namespace = ? AND digest = ?", namespace, digest.toString());
    return removed > 0;
  }
}
