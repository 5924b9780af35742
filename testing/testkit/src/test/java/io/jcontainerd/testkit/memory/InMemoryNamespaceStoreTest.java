package io.jcontainerd.testkit.memory;

import io.jcontainerd.core.namespaces.NamespaceStore;
import io.jcontainerd.testkit.contract.NamespaceStoreContract;

class InMemoryNamespaceStoreTest extends NamespaceStoreContract {
  @Override
  protected NamespaceStore open() {
    return new InMemoryNamespaceStore();
  }
}
