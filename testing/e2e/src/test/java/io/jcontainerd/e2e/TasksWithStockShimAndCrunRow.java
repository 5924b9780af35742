package io.jcontainerd.e2e;

/** The distribution's shim under our daemon, with crun. */
class TasksWithStockShimAndCrunRow extends TaskMatrix {
  TasksWithStockShimAndCrunRow() {
    super("", STOCK, "crun");
  }
}
