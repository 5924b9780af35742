package io.jcontainerd.metadata;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.FieldMask;
import io.jcontainerd.core.Identifiers;
import io.jcontainerd.core.Labels;
import io.jcontainerd.core.TypedValue;
import io.jcontainerd.core.containers.Container;
import io.jcontainerd.core.containers.ContainerStore;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.filter.Fields;
import io.jcontainerd.core.filter.Filter;
import io.jcontainerd.store.ReadTransaction;
import io.jcontainerd.store.Row;
import io.jcontainerd.store.WriteTransaction;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Containers in the store. */
final class StoredContainers implements ContainerStore {
  private static final String SELECT =
      "SELECT id, labels, image, runtime, runtime_options_type, runtime_options, spec_type, spec,"
          + " snapshotter, snapshot_key, sandbox, created_at, updated_at"
          + " FROM containers WHERE namespace = ?";

  private static final Map<List<String>, String> COLUMNS =
      Map.of(
          List.of("id"), "id",
          List.of("image"), "image",
          List.of("runtime", "name"), "runtime");

  private final Database database;

  StoredContainers(Database database) {
    this.database = database;
  }

  @Override
  public Container get(String id) {
    String namespace = Call.currentNamespace();
    return database.read(tx -> get(tx, namespace, id));
  }

  private static Container get(ReadTransaction tx, String namespace, String id) {
    Map<String, TypedValue> extensions = new HashMap<>();
    tx.each(
        "SELECT name, type, value FROM container_extensions WHERE namespace = ? AND container = ?",
        row -> extensions.put(row.text(0), new TypedValue(row.text(1), row.bytes(2))),
        namespace,
        id);
    return tx.first(SELECT + " AND id = ?", row -> container(row, extensions), namespace, id)
        .orElseThrow(() -> new NotFoundException("container \"" + id + "\""));
  }

  private static Container container(Row row, Map<String, TypedValue> extensions) {
    return new Container(
        row.text(0),
        LabelText.read(row.text(1)),
        row.text(2),
        new Container.Runtime(row.text(3), typedValue(row, 4)),
        typedValue(row, 6),
        row.text(8),
        row.text(9),
        extensions,
        row.text(10),
        Times.instant(row.number(11)),
        Times.instant(row.number(12)));
  }

  /** The type in the column and the value in the next. */
  private static Optional<TypedValue> typedValue(Row row, int column) {
    String type = row.textOrNull(column);
    return type == null
        ? Optional.empty()
        : Optional.of(new TypedValue(type, row.bytes(column + 1)));
  }

  @Override
  public List<Container> list(Filter filter) {
    String namespace = Call.currentNamespace();
    Narrowing narrowing = Narrowing.of(filter, COLUMNS, Map.of("labels", "labels"));
    return database
        .read(
            tx -> {
              Map<String, Map<String, TypedValue>> extensions = new HashMap<>();
              tx.each(
                  "SELECT container, name, type, value FROM container_extensions"
                      + " WHERE namespace = ?",
                  row ->
                      extensions
                          .computeIfAbsent(row.text(0), _ -> new HashMap<>())
                          .put(row.text(1), new TypedValue(row.text(2), row.bytes(3))),
                  namespace);
              return tx.all(
                  SELECT + narrowing.condition() + " ORDER BY id",
                  row -> container(row, extensions.getOrDefault(row.text(0), Map.of())),
                  narrowing.after(namespace));
            })
        .stream()
        .filter(container -> filter.matches(fields(container)))
        .toList();
  }

  private static Fields fields(Container container) {
    return path ->
        switch (path.getFirst()) {
          case "id" -> Fields.nonEmpty(container.id());
          case "image" -> Fields.nonEmpty(container.image());
          case "runtime" ->
              path.size() > 1 && path.get(1).equals("name")
                  ? Fields.nonEmpty(container.runtime().name())
                  : Optional.empty();
          case "labels" -> Fields.entry(container.labels(), path);
          default -> Optional.empty();
        };
  }

  @Override
  public Container create(Container container) {
    String namespace = Call.currentNamespace();
    Identifiers.check(container.id());
    check(container);
    Instant now = database.time().now();
    Container stored =
        new Container(
            container.id(),
            Labels.stored(container.labels()),
            container.image(),
            container.runtime(),
            container.spec(),
            container.snapshotter(),
            container.snapshotKey(),
            container.extensions(),
            container.sandbox(),
            now,
            now);
    return database.write(
        tx -> {
          if (tx.exists(
              "SELECT 1 FROM containers WHERE namespace = ? AND id = ?",
              namespace,
              container.id())) {
            throw new AlreadyExistsException("container \"" + container.id() + "\"");
          }
          Database.ensureNamespace(tx, namespace);
          store(tx, namespace, stored);
          new Notices(tx, Times.nanos(now), namespace).containerCreated(stored);
          return stored;
        });
  }

  private static void check(Container container) {
    if (container.runtime().name().isEmpty()) {
      throw refused(container, "runtime name must not be empty");
    }
    if (container.spec().isEmpty()) {
      throw refused(container, "spec must not be empty");
    }
    if (!container.snapshotKey().isEmpty() && container.snapshotter().isEmpty()) {
      throw refused(container, "a snapshot key needs a snapshotter");
    }
    if (container.extensions().containsKey("")) {
      throw refused(container, "extension keys must not be empty");
    }
    Labels.check(container.labels());
  }

  private static InvalidArgumentException refused(Container container, String why) {
    return new InvalidArgumentException("container \"" + container.id() + "\": " + why);
  }

  private static void store(WriteTransaction tx, String namespace, Container container) {
    tx.update(
        "INSERT INTO containers(namespace, id, labels, image, runtime, runtime_options_type,"
            + " runtime_options, spec_type, spec, snapshotter, snapshot_key, sandbox, created_at,"
            + " updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
            + " ON CONFLICT(namespace, id) DO UPDATE SET labels = excluded.labels,"
            + " image = excluded.image, spec_type = excluded.spec_type, spec = excluded.spec,"
            + " snapshot_key = excluded.snapshot_key, updated_at = excluded.updated_at",
        namespace,
        container.id(),
        LabelText.write(container.labels()),
        container.image(),
        container.runtime().name(),
        type(container.runtime().options()),
        value(container.runtime().options()),
        type(container.spec()),
        value(container.spec()),
        container.snapshotter(),
        container.snapshotKey(),
        container.sandbox(),
        Times.nanos(container.createdAt()),
        Times.nanos(container.updatedAt()));
    container
        .extensions()
        .forEach(
            (name, extension) ->
                tx.update(
                    "INSERT OR REPLACE INTO container_extensions(namespace, container, name,"
                        + " type, value) VALUES (?, ?, ?, ?, ?)",
                    namespace,
                    container.id(),
                    name,
                    extension.typeUrl(),
                    extension.value()));
  }

  private static @Nullable String type(Optional<TypedValue> value) {
    return value.map(TypedValue::typeUrl).orElse(null);
  }

  private static byte @Nullable [] value(Optional<TypedValue> value) {
    return value.map(TypedValue::value).orElse(null);
  }

  @Override
  public Container update(Container container, FieldMask mask) {
    String namespace = Call.currentNamespace();
    Instant now = database.time().now();
    // An update may take away the last reference to a snapshot.
    return database.replace(
        tx -> {
          Container old = get(tx, namespace, container.id());
          Container updated = patched(old, container, mask, now);
          check(updated);
          store(tx, namespace, updated);
          new Notices(tx, Times.nanos(now), namespace).containerUpdated(updated);
          return updated;
        });
  }

  private static Container patched(Container old, Container given, FieldMask mask, Instant now) {
    Map<String, String> labels = old.labels();
    Map<String, TypedValue> extensions = new HashMap<>(old.extensions());
    String image = old.image();
    String snapshotKey = old.snapshotKey();
    Optional<TypedValue> spec = old.spec();
    if (mask.isAll()) {
      if (!given.snapshotter().equals(old.snapshotter())) {
        throw refused(given, "snapshotter cannot be changed");
      }
      if (!given.runtime().name().equals(old.runtime().name())) {
        throw refused(given, "runtime name cannot be changed");
      }
      labels = given.labels();
      extensions.putAll(given.extensions());
      image = given.image();
      snapshotKey = given.snapshotKey();
      spec = given.spec();
    }
    for (String path : mask.paths()) {
      if (FieldMask.selects(path, "labels")) {
        labels = FieldMask.patch(path, "labels", labels, given.labels());
      } else if (path.equals("extensions")) {
        extensions.putAll(given.extensions());
      } else if (path.startsWith("extensions.")) {
        String key = path.substring("extensions.".length());
        TypedValue value = given.extensions().get(key);
        if (value != null) {
          extensions.put(key, value);
        }
      } else {
        switch (path) {
          case "spec" -> spec = given.spec();
          case "image" -> image = given.image();
          case "snapshotkey" -> snapshotKey = given.snapshotKey();
          default -> throw FieldMask.refused(path, "container");
        }
      }
    }
    return new Container(
        old.id(),
        Labels.stored(labels),
        image,
        old.runtime(),
        spec,
        old.snapshotter(),
        snapshotKey,
        extensions,
        old.sandbox(),
        old.createdAt(),
        now);
  }

  @Override
  public void delete(String id) {
    String namespace = Call.currentNamespace();
    long now = database.now();
    database.delete(
        tx -> {
          int removed =
              tx.update("DELETE FROM containers WHERE namespace = ? AND id = ?", namespace, id);
          if (removed == 0) {
            throw new NotFoundException("container \"" + id + "\"");
          }
          tx.update(
              "DELETE FROM container_extensions WHERE namespace = ? AND container = ?",
              namespace,
              id);
          new Notices(tx, now, namespace).containerDeleted(id);
          return true;
        });
  }
}
