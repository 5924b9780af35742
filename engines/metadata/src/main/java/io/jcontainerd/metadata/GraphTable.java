package io.jcontainerd.metadata;

import io.jcontainerd.store.ReadTransaction;
import io.jcontainerd.store.Row;
import io.jcontainerd.store.Schema;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
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

  private static final String LABELS = "labels";
  private static final String ONLY_OURS =
      "CASE WHEN instr(labels, '" + GcLabels.PREFIX + "') > 0 THEN labels ELSE '' END";

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
  interface Values {
    /** A value that is never null. */
    default String text(int column) {
      String text = textOrNull(column);
      if (text == null) {
        throw new IllegalStateException("column " + column + " is null");
      }
      return text;
    }

    @Nullable String textOrNull(int column);
  }

  /** A row that is kept. */
  record Kept(List<@Nullable String> values) implements Values {
    @Override
    public @Nullable String textOrNull(int column) {
      return values.get(column);
    }
  }

  /** The row that is being shown, of which each value is read once, and only if it is wanted. */
  private static final class Shown implements Values {
    private final @Nullable String[] values;
    private final boolean[] known;
    private final Map<String, String> namespaces = new HashMap<>(); // few, and very many rows
    private @Nullable Row row;

    Shown(int columns) {
      values = new String[columns];
      known = new boolean[columns];
    }

    Shown at(Row next) {
      row = next;
      Arrays.fill(known, false);
      return this;
    }

    @Override
    public @Nullable String textOrNull(int column) {
      if (!known[column]) {
        String text = Objects.requireNonNull(row).textOrNull(column);
        values[column] =
            text == null || column > 0
                ? text
                : namespaces.computeIfAbsent(text, Function.identity());
        known[column] = true;
      }
      return values[column];
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

  /**
   * Shows every row, as long as it is shown. Of the labels, there are none if none of them is for
   * the collector.
   */
  void each(ReadTransaction tx, Consumer<Values> each) {
    List<String> read =
        columns().stream().map(name -> name.equals(LABELS) ? ONLY_OURS : name).toList();
    Shown shown = new Shown(read.size());
    tx.each(
        "SELECT %s FROM %s".formatted(String.join(", ", read), table),
        row -> each.accept(shown.at(row)));
  }
}
