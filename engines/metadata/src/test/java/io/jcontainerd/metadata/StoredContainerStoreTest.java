package io.jcontainerd.metadata;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.containers.ContainerStore;
import io.jcontainerd.testkit.contract.ContainerStoreContract;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class StoredContainerStoreTest extends ContainerStoreContract {
  @TempDir Path folder;
  private Fixture fixture;

  @BeforeEach
  void start() {
    fixture = new Fixture(folder);
  }

  @AfterEach
  void end() {
    fixture.close();
  }

  @Override
  protected ContainerStore open() {
    return Calls.within(Call.in(Fixture.NS), ContainerStore.class, fixture.metadata.containers());
  }
}
