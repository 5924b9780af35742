package io.jcontainerd.metadata;

import io.jcontainerd.store.Store;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What was inserted or updated in the tables of the graph while a collection is at work, so that it
 * can spare what has come into use since it looked.
 *
 * <p>Begun, ended and taken by the collector; filled on the writer's thread, whether or not the
 * change comes to be: a touch too many only keeps something until the next collection.
 */
final class Touches {
  /** A row as it was written. */
  record Touch(GraphTable table, GraphTable.Values values) {}

  private final Store store;
  private @Nullable List<Touch> touches; // guarded by this; null while nobody collects

  Touches(Store store) {
    this.store = store;
    for (GraphTable table : GraphTable.values()) {
      store.watch(table.table(), values -> add(new Touch(table, new GraphTable.Values(values))));
    }
  }

  private synchronized void add(Touch touch) {
    if (touches != null) {
      touches.add(touch);
    }
  }

  /**
   * From when this returns, a look at the tables and what is taken after it leave out no change.
   */
  void begin() {
    synchronized (this) {
      touches = new ArrayList<>();
    }
    store.fence(); // what nobody noted is durable now, so that a look shows it
  }

  /** What was touched since the last time. Inside a change: before it, and by none after. */
  synchronized List<Touch> take() {
    if (touches == null) {
      throw new IllegalStateException("nobody collects");
    }
    List<Touch> taken = touches;
    touches = new ArrayList<>();
    return taken;
  }

  synchronized void end() {
    touches = null;
  }
}
