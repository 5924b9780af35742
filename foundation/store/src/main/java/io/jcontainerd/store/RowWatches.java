package io.jcontainerd.store;

import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.sqlite.Function;

/**
 * Shows watchers the rows that change: triggers of the writer's connection, which last as long as
 * it, call a function of this class. So no change is missed, whatever statement makes it, and
 * nothing of this is in the file.
 */
final class RowWatches extends Function {
  private static final String FUNCTION = "row_changed";

  private final Map<String, Integer> numbers = new HashMap<>();
  private volatile Map<Integer, RowWatcher> watchers = Map.of();

  /** Prepares to watch the tables of the schemas, which exist. */
  static RowWatches install(Session session, List<Schema> schemas) {
    RowWatches watches = new RowWatches();
    session.function(FUNCTION, watches);
    for (Schema schema : schemas) {
      for (Schema.Watched watched : schema.watched()) {
        int number = watches.numbers.size();
        watches.numbers.put(watched.table(), number);
        trigger(session, watched, number, "INSERT");
        trigger(session, watched, number, "UPDATE");
      }
    }
    return watches;
  }

  private static void trigger(Session session, Schema.Watched watched, int number, String change) {
    StringBuilder values = new StringBuilder().append(number);
    watched.columns().forEach(column -> values.append(", NEW.").append(column));
    session.execute(
        "CREATE TEMP TRIGGER watch_%s_%s AFTER %2$s ON main.%1$s BEGIN SELECT %s(%s); END"
            .formatted(watched.table(), change, FUNCTION, values));
  }

  /**
   * Shows a table's rows to a watcher until that is closed.
   *
   * @throws IllegalStateException if there is one: it would be told of nothing from here on
   */
  synchronized Store.Watch watch(String table, RowWatcher watcher) {
    Integer number = numbers.get(table);
    if (number == null) {
      throw new IllegalArgumentException("table " + table + " is not declared to be watched");
    }
    if (watchers.containsKey(number)) {
      throw new IllegalStateException("table " + table + " is watched already");
    }
    Map<Integer, RowWatcher> more = new HashMap<>(watchers);
    more.put(number, watcher);
    watchers = Map.copyOf(more);
    return () -> end(number, watcher);
  }

  private synchronized void end(int number, RowWatcher watcher) {
    Map<Integer, RowWatcher> fewer = new HashMap<>(watchers);
    if (fewer.remove(number, watcher)) {
      watchers = Map.copyOf(fewer);
    }
  }

  @Override
  protected void xFunc() throws SQLException {
    RowWatcher watcher = watchers.get(value_int(0));
    if (watcher != null) {
      int count = args();
      List<@Nullable String> values = new ArrayList<>(count - 1);
      for (int i = 1; i < count; i++) {
        values.add(value_text(i));
      }
      watcher.changed(Collections.unmodifiableList(values));
    }
    result();
  }
}
