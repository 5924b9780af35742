package io.jcontainerd.e2e;

/** Isolation by runc. */
class IsolationWithRuncTest extends IsolationCases {
  IsolationWithRuncTest() {
    super("runc", false);
  }
}
