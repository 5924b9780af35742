package io.jcontainerd.testkit.memory;

import io.jcontainerd.core.images.ImageStore;
import io.jcontainerd.testkit.contract.ImageStoreContract;

class InMemoryImageStoreTest extends ImageStoreContract {
  @Override
  protected ImageStore open() {
    return new InMemoryImageStore();
  }
}
