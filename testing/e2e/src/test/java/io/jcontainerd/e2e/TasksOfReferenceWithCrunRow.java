package io.jcontainerd.e2e;

/** The distribution's daemon and shim, with crun. */
class TasksOfReferenceWithCrunRow extends TaskMatrix {
  TasksOfReferenceWithCrunRow() {
    super(REFERENCE, STOCK, "crun");
  }
}
