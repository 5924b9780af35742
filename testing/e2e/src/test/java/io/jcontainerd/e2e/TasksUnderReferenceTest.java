package io.jcontainerd.e2e;

/** Our shim host under the distribution's daemon, with runc. */
class TasksUnderReferenceTest extends TaskMatrix {
  TasksUnderReferenceTest() {
    super(REFERENCE, JruncTest.RUNTIME, "runc");
  }
}
