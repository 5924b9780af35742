package io.jcontainerd.client;

import io.jcontainerd.core.containers.ContainerStore;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.services.Services;
import io.jcontainerd.testkit.contract.ContainerStoreContract;
import io.jcontainerd.testkit.memory.InMemoryContainerStore;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class RemoteContainerStoreTest extends ContainerStoreContract {
  @TempDir Path folder;
  private ServedStores served;

  @BeforeEach
  void serve() throws IOException {
    served =
        new ServedStores(
            folder, List.of(Services.containers(new InMemoryContainerStore(), Time.SYSTEM)));
  }

  @AfterEach
  void end() throws InterruptedException {
    served.close();
  }

  @Override
  protected ContainerStore open() {
    return served.client().containers();
  }
}
