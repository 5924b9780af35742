package io.jcontainerd.e2e;

/** The distribution's shim under our daemon, with runc. */
class TasksWithStockShimRow extends TaskMatrix {
  TasksWithStockShimRow() {
    super("", STOCK, "runc");
  }
}
