package io.jcontainerd.e2e;

/** The distribution's daemon and shim, with runc. */
class TasksOfReferenceRow extends TaskMatrix {
  TasksOfReferenceRow() {
    super(REFERENCE, STOCK, "runc");
  }
}
