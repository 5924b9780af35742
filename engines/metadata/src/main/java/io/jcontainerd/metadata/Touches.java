package io.jcontainerd.metadata;

import io.jcontainerd.store.Store;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * What was inserted or updated in the tables of the graph while a collection is at work, so that it
 * can spare what has come into use since it looked.
 *
 * <p>Begun, ended and taken by the collector; filled on the writer's thread, whether or not the
 * change comes to be: a touch too many only keeps something until the next collection.
 */
final class Touches {
  private final Store store;
  private final List<Store.Watch> watches = new ArrayList<>(); // of the collector's thread
  private Set<Touch> touches = new LinkedHashSet<>(); // guarded by this

  /** A row as it was written. */
  record Touch(GraphTable table, GraphTable.Values values) {}

  Touches(Store store) {
    this.store = store;
  }

  private synchronized void add(Touch touch) {
    touches.add(touch);
  }

  /**
   * From when this returns, a look at the tables and what is taken after it leave out no change.
   */
  void begin() {
    for (GraphTable table : GraphTable.values()) {
      watches.add(
          store.watch(table.table(), row -> add(new Touch(table, new GraphTable.Kept(row)))));
    }
    store.fence(); // what nobody noted is durable now, so that a look shows it
  }

  /** What was touched since the last time. Inside a change: before it, and by none after. */
  synchronized Set<Touch> take() {
    Set<Touch> taken = touches;
    touches = new LinkedHashSet<>();
    return taken;
  }

  void end() {
    watches.forEach(Store.Watch::close);
    watches.clear();
    Set<Touch> _ = take();
  }
}
