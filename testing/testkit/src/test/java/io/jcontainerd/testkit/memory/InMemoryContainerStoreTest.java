package io.jcontainerd.testkit.memory;

import io.jcontainerd.core.containers.ContainerStore;
import io.jcontainerd.testkit.contract.ContainerStoreContract;

class InMemoryContainerStoreTest extends ContainerStoreContract {
  @Override
  protected ContainerStore open() {
    return new InMemoryContainerStore();
  }
}
