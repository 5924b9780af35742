package io.jcontainerd.metadata;

import io.jcontainerd.core.Digest;
import io.jcontainerd.core.Labels;
import io.jcontainerd.core.check.StorageRecords;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.store.ReadTransaction;
import io.jcontainerd.store.Row;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What the tables say of things, across namespaces. Safe for many threads. */
final class StorageFacts implements StorageRecords {
  private static final int MOST_DAMAGES = 10;
  private static final String BLOBS = "SELECT namespace, digest, size, labels FROM blobs";

  private final Database database;
  private final Guards guards;

  StorageFacts(Database database, Guards guards) {
    this.database = database;
    this.guards = guards;
  }

  /** The rows of one digest. */
  private static final class Gathered {
    final List<String> namespaces = new ArrayList<>();
    final Map<String, String> labels = new HashMap<>();
    long size;

    void add(Row row) {
      namespaces.add(row.text(0));
      size = row.number(2);
      LabelText.read(row.text(3)).forEach((key, value) -> labels.merge(key, value, Gathered::both));
    }

    /** Two namespaces may know different repositories. */
    private static String both(String one, String two) {
      return one.equals(two) ? one : one + "," + two;
    }

    Blob listed(String digest) {
      return new Blob(Digest.parse(digest), size, List.copyOf(namespaces), Map.of(), "");
    }

    Blob blob(String digest, String mediaType) {
      labels.keySet().removeIf(key -> !key.startsWith(Labels.DISTRIBUTION_SOURCE));
      return new Blob(Digest.parse(digest), size, namespaces, Map.copyOf(labels), mediaType);
    }
  }

  @Override
  public List<Blob> blobs(String after, int most) {
    return database.read(
        tx -> {
          Map<String, Gathered> gathered = new LinkedHashMap<>();
          tx.each(
              BLOBS
                  + " WHERE digest IN (SELECT DISTINCT digest FROM blobs WHERE digest > ?"
                  + " ORDER BY digest LIMIT ?) ORDER BY digest, namespace",
              row -> gathered.computeIfAbsent(row.text(1), _ -> new Gathered()).add(row),
              after,
              most);
          List<Blob> all = new ArrayList<>();
          gathered.forEach((digest, one) -> all.add(one.listed(digest)));
          return all;
        });
  }

  @Override
  public long blobCount(String after) {
    return database.read(
        tx -> tx.number("SELECT count(DISTINCT digest) FROM blobs WHERE digest > ?", after));
  }

  @Override
  public Hold holding(Digest digest, String ref) {
    Guards.Hold blob = guards.hold(Guards.content(digest.toString()));
    Guards.Hold ingest;
    try {
      ingest = guards.hold(Guards.ingest(ref));
    } catch (ContainerdException e) {
      blob.close();
      throw e;
    }
    return () -> {
      ingest.close();
      blob.close();
    };
  }

  @Override
  public Optional<Blob> blob(Digest digest) {
    String text = digest.toString();
    return database.read(
        tx -> {
          Gathered one = new Gathered();
          tx.each(BLOBS + " WHERE digest = ? ORDER BY namespace", one::add, text);
          if (one.namespaces.isEmpty()) {
            return Optional.empty();
          }
          String type =
              tx.first("SELECT media_type FROM images WHERE digest = ?", row -> row.text(0), text)
                  .orElse("");
          return Optional.of(one.blob(text, type));
        });
  }

  @Override
  public List<String> registries(String host) {
    String prefix = host + ":";
    return database.read(
        tx ->
            tx.all(
                "SELECT DISTINCT substr(name, 1, instr(name, '/') - 1) FROM images"
                    + " WHERE substr(name, 1, length(?1)) = ?1 AND instr(name, '/') > length(?1)"
                    + " ORDER BY 1",
                row -> row.text(0),
                prefix));
  }

  @Override
  public List<Snapshot> snapshots() {
    return database.read(
        tx ->
            tx.all(
                "SELECT namespace, snapshotter, key, backend_key FROM snapshots s"
                    + " WHERE NOT EXISTS (SELECT 1 FROM snapshot_commits c"
                    + " WHERE c.namespace = s.namespace AND c.snapshotter = s.snapshotter"
                    + " AND c.key = s.key) ORDER BY snapshotter, backend_key",
                row -> new Snapshot(row.text(0), row.text(1), row.text(2), row.text(3))));
  }

  @Override
  public List<String> damages() {
    return database.read(
        tx ->
            tx.all("PRAGMA quick_check(" + MOST_DAMAGES + ")", row -> row.text(0)).stream()
                .filter(line -> !line.equals("ok"))
                .toList());
  }

  @Override
  public List<Dangling> dangling() {
    return database.read(
        tx -> {
          List<Dangling> all = new ArrayList<>();
          all.addAll(
              find(
                  tx,
                  "container",
                  "snapshot ",
                  "SELECT namespace, id, snapshotter || '/' || snapshot_key FROM containers c"
                      + " WHERE snapshot_key != '' AND snapshotter != '' AND NOT EXISTS (SELECT 1"
                      + " FROM snapshots s WHERE s.namespace = c.namespace"
                      + " AND s.snapshotter = c.snapshotter AND s.key = c.snapshot_key)"));
          all.addAll(
              find(
                  tx,
                  "image",
                  "content ",
                  "SELECT namespace, name, digest FROM images i WHERE NOT EXISTS (SELECT 1"
                      + " FROM blobs b WHERE b.namespace = i.namespace AND b.digest = i.digest)"));
          all.addAll(
              find(
                  tx,
                  "snapshot",
                  "parent ",
                  "SELECT namespace, snapshotter || '/' || key, parent FROM snapshots s"
                      + " WHERE parent != '' AND NOT EXISTS (SELECT 1 FROM snapshots p"
                      + " WHERE p.namespace = s.namespace AND p.snapshotter = s.snapshotter"
                      + " AND p.key = s.parent)"));
          return all;
        });
  }

  private static List<Dangling> find(ReadTransaction tx, String kind, String what, String sql) {
    return tx.all(
        sql + " ORDER BY 1, 2",
        row -> new Dangling(row.text(0), kind, row.text(1), what + row.text(2)));
  }
}
