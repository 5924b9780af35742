package io.jcontainerd.testkit.memory;

import io.jcontainerd.core.sandboxes.SandboxStore;
import io.jcontainerd.testkit.contract.SandboxStoreContract;

class InMemorySandboxStoreTest extends SandboxStoreContract {
  @Override
  protected SandboxStore open() {
    return new InMemorySandboxStore();
  }
}
