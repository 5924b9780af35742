package io.jcontainerd.e2e;

/** Our daemon and shim host, with crun. */
class TasksWithCrunTest extends TaskMatrix {
  TasksWithCrunTest() {
    super("", OURS, "crun");
  }
}
