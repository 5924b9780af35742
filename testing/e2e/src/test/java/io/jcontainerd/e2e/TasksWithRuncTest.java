package io.jcontainerd.e2e;

/** Our daemon and shim host, with runc. */
class TasksWithRuncTest extends TaskMatrix {
  TasksWithRuncTest() {
    super("", OURS, "runc");
  }
}
