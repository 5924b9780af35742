package io.jcontainerd.e2e;

/** Isolation by crun, which refuses a machine with both cgroup hierarchies. */
class IsolationWithCrunTest extends IsolationCases {
  IsolationWithCrunTest() {
    super("crun", true);
  }
}
