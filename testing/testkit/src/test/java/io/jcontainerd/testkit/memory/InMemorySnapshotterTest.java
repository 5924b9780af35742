package io.jcontainerd.testkit.memory;

import io.jcontainerd.core.snapshots.Snapshotter;
import io.jcontainerd.testkit.contract.SnapshotterContract;

class InMemorySnapshotterTest extends SnapshotterContract {
  private final InMemorySnapshotter snapshotter = new InMemorySnapshotter();

  @Override
  protected Snapshotter open() {
    return snapshotter;
  }
}
