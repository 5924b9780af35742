package io.jcontainerd.e2e;

/** Our shim host under the distribution's daemon, with crun. */
class TasksUnderReferenceWithCrunRow extends TaskMatrix {
  TasksUnderReferenceWithCrunRow() {
    super(REFERENCE, JruncTest.RUNTIME, "crun");
  }
}
