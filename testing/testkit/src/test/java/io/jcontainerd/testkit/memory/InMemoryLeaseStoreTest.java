package io.jcontainerd.testkit.memory;

import io.jcontainerd.core.leases.LeaseStore;
import io.jcontainerd.testkit.contract.LeaseStoreContract;

class InMemoryLeaseStoreTest extends LeaseStoreContract {
  @Override
  protected LeaseStore open() {
    return new InMemoryLeaseStore();
  }
}
