package io.jcontainerd.metadata;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.FieldMask;
import io.jcontainerd.core.Identifiers;
import io.jcontainerd.core.Labels;
import io.jcontainerd.core.TypedValue;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.filter.Fields;
import io.jcontainerd.core.filter.Filter;
import io.jcontainerd.core.sandboxes.Sandbox;
import io.jcontainerd.core.sandboxes.SandboxStore;
import io.jcontainerd.store.ReadTransaction;
import io.jcontainerd.store.Row;
import io.jcontainerd.store.WriteTransaction;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Sandboxes in the store. What happens to them is told by their controllers, not by records. */
final class StoredSandboxes implements SandboxStore {
  private static final String SELECT =
      "SELECT id, sandboxer, runtime, runtime_options_type, runtime_options, spec_type, spec,"
          + " labels, created_at, updated_at FROM sandboxes WHERE namespace = ?";

  private final Database database;

  StoredSandboxes(Database database) {
    this.database = database;
  }

  @Override
  public Sandbox get(String id) {
    String namespace = Call.currentNamespace();
    return database.read(tx -> get(tx, namespace, id));
  }

  private static Sandbox get(ReadTransaction tx, String namespace, String id) {
    Map<String, TypedValue> extensions = new HashMap<>();
    tx.each(
        "SELECT name, type, value FROM sandbox_extensions WHERE namespace = ? AND sandbox = ?",
        row -> extensions.put(row.text(0), new TypedValue(row.text(1), row.bytes(2))),
        namespace,
        id);
    return tx.first(SELECT + " AND id = ?", row -> sandbox(row, extensions), namespace, id)
        .orElseThrow(() -> absent(id));
  }

  private static NotFoundException absent(String id) {
    return new NotFoundException("sandbox \"" + id + "\"");
  }

  private static Sandbox sandbox(Row row, Map<String, TypedValue> extensions) {
    return new Sandbox(
        row.text(0),
        row.text(1),
        new Sandbox.Runtime(row.text(2), typedValue(row, 3)),
        typedValue(row, 5),
        LabelText.read(row.text(7)),
        extensions,
        Times.instant(row.number(8)),
        Times.instant(row.number(9)));
  }

  /** The type in the column and the value in the next. */
  private static Optional<TypedValue> typedValue(Row row, int column) {
    String type = row.textOrNull(column);
    return type == null
        ? Optional.empty()
        : Optional.of(new TypedValue(type, row.bytes(column + 1)));
  }

  @Override
  public List<Sandbox> list(Filter filter) {
    String namespace = Call.currentNamespace();
    Narrowing narrowing =
        Narrowing.of(filter, Map.of(List.of("id"), "id"), Map.of("labels", "labels"));
    return database
        .read(
            tx -> {
              Map<String, Map<String, TypedValue>> extensions = new HashMap<>();
              tx.each(
                  "SELECT sandbox, name, type, value FROM sandbox_extensions WHERE namespace = ?",
                  row ->
                      extensions
                          .computeIfAbsent(row.text(0), _ -> new HashMap<>())
                          .put(row.text(1), new TypedValue(row.text(2), row.bytes(3))),
                  namespace);
              return tx.all(
                  SELECT + narrowing.condition() + " ORDER BY id",
                  row -> sandbox(row, extensions.getOrDefault(row.text(0), Map.of())),
                  narrowing.after(namespace));
            })
        .stream()
        .filter(sandbox -> filter.matches(fields(sandbox)))
        .toList();
  }

  private static Fields fields(Sandbox sandbox) {
    return path ->
        switch (path.getFirst()) {
          case "id" -> Optional.of(sandbox.id());
          case "labels" -> Fields.entry(sandbox.labels(), path);
          default -> Optional.empty();
        };
  }

  @Override
  public Sandbox create(Sandbox sandbox) {
    String namespace = Call.currentNamespace();
    Identifiers.check(sandbox.id());
    check(sandbox);
    Instant now = database.time().now();
    Sandbox stored =
        new Sandbox(
            sandbox.id(),
            sandbox.sandboxer(),
            sandbox.runtime(),
            sandbox.spec(),
            Labels.stored(sandbox.labels()),
            sandbox.extensions(),
            now,
            now);
    return database.write(
        tx -> {
          if (tx.exists(
              "SELECT 1 FROM sandboxes WHERE namespace = ? AND id = ?", namespace, sandbox.id())) {
            throw new AlreadyExistsException("sandbox \"" + sandbox.id() + "\"");
          }
          Database.ensureNamespace(tx, namespace);
          store(tx, namespace, stored);
          return stored;
        });
  }

  private static void check(Sandbox sandbox) {
    if (sandbox.extensions().containsKey("")) {
      throw refused(sandbox, "extension keys must not be empty");
    }
    Labels.check(sandbox.labels());
  }

  private static InvalidArgumentException refused(Sandbox sandbox, String why) {
    return new InvalidArgumentException("sandbox \"" + sandbox.id() + "\": " + why);
  }

  private static void store(WriteTransaction tx, String namespace, Sandbox sandbox) {
    tx.update(
        "INSERT INTO sandboxes(namespace, id, sandboxer, runtime, runtime_options_type,"
            + " runtime_options, spec_type, spec, labels, created_at, updated_at)"
            + " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
            + " ON CONFLICT(namespace, id) DO UPDATE SET"
            + " runtime_options_type = excluded.runtime_options_type,"
            + " runtime_options = excluded.runtime_options, spec_type = excluded.spec_type,"
            + " spec = excluded.spec, labels = excluded.labels, updated_at = excluded.updated_at",
        namespace,
        sandbox.id(),
        sandbox.sandboxer(),
        sandbox.runtime().name(),
        type(sandbox.runtime().options()),
        value(sandbox.runtime().options()),
        type(sandbox.spec()),
        value(sandbox.spec()),
        LabelText.write(sandbox.labels()),
        Times.nanos(sandbox.createdAt()),
        Times.nanos(sandbox.updatedAt()));
    deleteExtensions(tx, namespace, sandbox.id());
    sandbox
        .extensions()
        .forEach(
            (name, extension) ->
                tx.update(
                    "INSERT INTO sandbox_extensions(namespace, sandbox, name, type, value)"
                        + " VALUES (?, ?, ?, ?, ?)",
                    namespace,
                    sandbox.id(),
                    name,
                    extension.typeUrl(),
                    extension.value()));
  }

  private static void deleteExtensions(WriteTransaction tx, String namespace, String id) {
    tx.update("DELETE FROM sandbox_extensions WHERE namespace = ? AND sandbox = ?", namespace, id);
  }

  private static @Nullable String type(Optional<TypedValue> value) {
    return value.map(TypedValue::typeUrl).orElse(null);
  }

  private static byte @Nullable [] value(Optional<TypedValue> value) {
    return value.map(TypedValue::value).orElse(null);
  }

  @Override
  public Sandbox update(Sandbox sandbox, FieldMask mask) {
    String namespace = Call.currentNamespace();
    Instant now = database.time().now();
    // An update may take away the last label that refers to something.
    return database.replace(
        tx -> {
          Sandbox updated = patched(get(tx, namespace, sandbox.id()), sandbox, mask, now);
          check(updated);
          store(tx, namespace, updated);
          return updated;
        });
  }

  private static Sandbox patched(Sandbox old, Sandbox given, FieldMask mask, Instant now) {
    Map<String, String> labels = old.labels();
    Map<String, TypedValue> extensions = new HashMap<>(old.extensions());
    Optional<TypedValue> spec = old.spec();
    Sandbox.Runtime runtime = old.runtime();
    List<String> paths =
        mask.isAll() ? List.of("labels", "extensions", "spec", "runtime") : mask.paths();
    for (String path : paths) {
      if (FieldMask.selects(path, "labels")) {
        labels = FieldMask.patch(path, "labels", labels, given.labels());
      } else if (path.equals("extensions")) {
        extensions.putAll(given.extensions()); // those that are not named stay
      } else if (path.startsWith("extensions.")) {
        String key = path.substring("extensions.".length());
        TypedValue value = given.extensions().get(key);
        if (value == null) {
          extensions.remove(key);
        } else {
          extensions.put(key, value);
        }
      } else {
        switch (path) {
          case "spec" -> spec = given.spec();
          case "runtime" -> runtime = runtime(old, given);
          default -> throw FieldMask.refused(path, "sandbox");
        }
      }
    }
    return new Sandbox(
        old.id(),
        old.sandboxer(),
        runtime,
        spec,
        Labels.stored(labels),
        extensions,
        old.createdAt(),
        now);
  }

  private static Sandbox.Runtime runtime(Sandbox old, Sandbox given) {
    if (!given.runtime().name().equals(old.runtime().name())) {
      throw refused(given, "runtime name cannot be changed");
    }
    return given.runtime();
  }

  @Override
  public void delete(String id) {
    String namespace = Call.currentNamespace();
    database.delete(
        tx -> {
          int removed =
              tx.update("DELETE FROM sandboxes WHERE namespace = ? AND id = ?", namespace, id);
          if (removed == 0) {
            throw absent(id);
          }
          deleteExtensions(tx, namespace, id);
          return true;
        });
  }
}
