package io.jcontainerd.metadata;

import io.jcontainerd.core.Digest;
import io.jcontainerd.store.ReadTransaction;
import io.jcontainerd.store.Row;
import io.jcontainerd.store.WriteTransaction;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The table of the ingests of all namespaces. */
final class IngestRows {
  private static final String SELECT =
      "SELECT ref, backend_ref, expected FROM ingests WHERE namespace = ?";

  private IngestRows() {}

  /** An ingest's row. */
  record Known(String ref, String backendRef, Optional<Digest> expected) {}

  private static Known known(Row row) {
    return new Known(
        row.text(0), row.text(1), Optional.ofNullable(row.textOrNull(2)).map(Digest::parse));
  }

  static Optional<Known> find(ReadTransaction tx, String namespace, String ref) {
    return tx.first(SELECT + " AND ref = ?", IngestRows::known, namespace, ref);
  }

  /** The namespace's, in order of ref. */
  static List<Known> all(ReadTransaction tx, String namespace) {
    return tx.all(SELECT + " ORDER BY ref", IngestRows::known, namespace);
  }

  /**
   * Makes the row, or brings it up to date if it is there.
   *
   * @param fresh its name in the backend if it is made
   * @param expires when it may be collected; null if a lease keeps it
   * @return its name in the backend
   */
  static String keep(
      WriteTransaction tx,
      String namespace,
      String ref,
      String fresh,
      Optional<Digest> expected,
      @Nullable Instant expires) {
    @Nullable String digest = expected.map(Digest::toString).orElse(null);
    @Nullable Long expiresAt = expires == null ? null : Long.valueOf(Times.nanos(expires));
    Optional<Known> row = find(tx, namespace, ref);
    if (row.isPresent()) {
      if (digest != null) {
        tx.update(
            "UPDATE ingests SET expected = ? WHERE namespace = ? AND ref = ?",
            digest,
            namespace,
            ref);
      }
      if (expiresAt != null) {
        tx.update(
            "UPDATE ingests SET expires_at = ? WHERE namespace = ? AND ref = ?",
            expiresAt,
            namespace,
            ref);
      }
      return row.get().backendRef();
    }
    Database.ensureNamespace(tx, namespace);
    tx.update(
        "INSERT INTO ingests(namespace, ref, backend_ref, expected, expires_at)"
            + " VALUES (?, ?, ?, ?, ?)",
        namespace,
        ref,
        fresh,
        digest,
        expiresAt);
    return fresh;
  }

  /** How many there were. */
  static int remove(WriteTransaction tx, String namespace, String ref, String backendRef) {
    return tx.update(
        "DELETE FROM ingests WHERE namespace = ? AND ref = ? AND backend_ref = ?",
        namespace,
        ref,
        backendRef);
  }
}
