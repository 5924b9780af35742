package io.jcontainerd.metadata;

import io.jcontainerd.core.FieldMask;
import io.jcontainerd.core.Identifiers;
import io.jcontainerd.core.Labels;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.namespaces.NamespaceStore;
import io.jcontainerd.store.ReadTransaction;
import io.jcontainerd.store.WriteTransaction;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Namespaces in the store. */
final class StoredNamespaces implements NamespaceStore {
  private final Database database;

  StoredNamespaces(Database database) {
    this.database = database;
  }

  @Override
  public Namespace get(String name) {
    Identifiers.check(name);
    return new Namespace(name, database.read(tx -> labels(tx, name)).orElse(Map.of()));
  }

  static Optional<Map<String, String>> labels(ReadTransaction tx, String name) {
    return tx.first(
        "SELECT labels FROM namespaces WHERE name = ?", row -> LabelText.read(row.text(0)), name);
  }

  @Override
  public List<Namespace> list() {
    return database.read(
        tx ->
            tx.all(
                "SELECT name, labels FROM namespaces ORDER BY name",
                row -> new Namespace(row.text(0), LabelText.read(row.text(1)))));
  }

  @Override
  public Namespace create(Namespace namespace) {
    Identifiers.check(namespace.name());
    Labels.check(namespace.labels());
    long now = database.now();
    return database.write(
        tx -> {
          if (labels(tx, namespace.name()).isPresent()) {
            throw new AlreadyExistsException("namespace \"" + namespace.name() + "\"");
          }
          store(tx, namespace);
          new Notices(tx, now, namespace.name()).namespaceCreated(namespace.labels());
          return namespace;
        });
  }

  @Override
  public Namespace update(Namespace namespace, FieldMask mask) {
    Identifiers.check(namespace.name());
    long now = database.now();
    return database.write(
        tx -> {
          Map<String, String> labels = labels(tx, namespace.name()).orElse(Map.of());
          labels = mask.isAll() ? namespace.labels() : patched(labels, namespace.labels(), mask);
          Labels.check(labels);
          Namespace updated = new Namespace(namespace.name(), labels);
          store(tx, updated);
          new Notices(tx, now, namespace.name()).namespaceUpdated(namespace.labels());
          return updated;
        });
  }

  private static Map<String, String> patched(
      Map<String, String> current, Map<String, String> updated, FieldMask mask) {
    Map<String, String> labels = current;
    for (String path : mask.paths()) {
      if (!path.startsWith("labels.")) {
        throw FieldMask.refused(path, "namespace");
      }
      labels = FieldMask.patch(path, "labels", labels, updated);
    }
    return labels;
  }

  private static void store(WriteTransaction tx, Namespace namespace) {
    tx.update(
        "INSERT INTO namespaces(name, labels) VALUES (?, ?)"
            + " ON CONFLICT(name) DO UPDATE SET labels = excluded.labels",
        namespace.name(),
        LabelText.write(namespace.labels()));
  }

  @Override
  public void delete(String name) {
    Identifiers.check(name);
    long now = database.now();
    database.delete(
        tx -> {
          if (labels(tx, name).isEmpty()) {
            throw new NotFoundException("namespace \"" + name + "\"");
          }
          List<String> left = left(tx, name);
          if (!left.isEmpty()) {
            throw new FailedPreconditionException(
                "namespace \"%s\" must be empty, but it still has %s"
                    .formatted(name, String.join(", ", left)));
          }
          tx.all("SELECT backend_ref FROM ingests WHERE namespace = ?", row -> row.text(0), name)
              .forEach(ref -> Condemned.ingest(tx, ref));
          for (String table :
              List.of("ingests", "leases", "lease_resources", "sandboxes", "sandbox_extensions")) {
            tx.update("DELETE FROM " + table + " WHERE namespace = ?", name);
          }
          tx.update("DELETE FROM namespaces WHERE name = ?", name);
          new Notices(tx, now, name).namespaceDeleted();
          return true;
        });
  }

  private static List<String> left(ReadTransaction tx, String name) {
    List<String> left = new ArrayList<>();
    for (String table : List.of("images", "blobs", "containers")) {
      if (tx.exists("SELECT 1 FROM " + table + " WHERE namespace = ? LIMIT 1", name)) {
        left.add(table);
      }
    }
    tx.all(
            "SELECT DISTINCT snapshotter FROM snapshots WHERE namespace = ? ORDER BY snapshotter",
            row -> row.text(0),
            name)
        .forEach(snapshotter -> left.add("snapshots on \"" + snapshotter + "\" snapshotter"));
    return left;
  }
}
