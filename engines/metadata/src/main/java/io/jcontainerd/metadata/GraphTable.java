package io.jcontainerd.metadata;

import io.jcontainerd.store.ReadTransaction;
import io.jcontainerd.store.Row;
import io.jcontainerd.store.Schema;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The tables that say what refers to what, and the columns that say it. Leases come first. */
enum GraphTable {
  LEASES("leases", "namespace id labels"),
  LEASE_RESOURCES("lease_resources", "namespace lease type id"),
  IMAGES("images", "namespace name digest labels"),
  BLOBS("blobs", "namespace digest labels"),
  INGESTS("ingests", "namespace ref expected expires_at"),
  CONTAINERS("containers", "namespace id snapshotter snapshot_key labels"),
  SNAPSHOTS("snapshots", "namespace snapshotter key parent labels"),
  COMMITS("snapshot_commits", "namespace snapshotter key parent"),
  SANDBOXES("sandboxes", "namespace labels"),
  MOUNTS("mounts", "namespace name lease labels");

  private final String table;
  private final String columns;

  GraphTable(String table, String columns) {
    this.table = table;
    this.columns = columns;
  }

  private List<String> columns() {
    return List.of(columns.split(" ", -1));
  }

  /** A row's values, in the order of the columns. */
  record Values(List<@Nullable String> values) {
    /** A value that is never null. */
    String text(int column) {
      String text = values.get(column);
      if (text == null) {
        throw new IllegalStateException("column " + column + " is null");
      }
      return text;
    }

    @Nullable String textOrNull(int column) {
      return values.get(column);
    }
  }

  String table() {
    return table;
  }

  /** For the schema. */
  static List<Schema.Watched> watched() {
    return Arrays.stream(values())
        .map(graph -> new Schema.Watched(graph.table, graph.columns()))
        .toList();
  }

  /** Shows every row. */
  void each(ReadTransaction tx, Consumer<Values> each) {
    int count = columns().size();
    Map<String, String> namespaces = new HashMap<>(); // there are few, and very many rows
    tx.each(
        "SELECT %s FROM %s".formatted(columns.replace(" ", ", "), table),
        row -> each.accept(values(row, count, namespaces)));
  }

  private static Values values(Row row, int count, Map<String, String> namespaces) {
    List<@Nullable String> values = new ArrayList<>(count);
    values.add(namespaces.computeIfAbsent(row.text(0), Function.identity()));
    for (int i = 1; i < count; i++) {
      values.add(row.textOrNull(i));
    }
    return new Values(Collections.unmodifiableList(values));
  }
}
