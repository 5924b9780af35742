package io.jcontainerd.client;

import io.jcontainerd.core.images.ImageStore;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.services.Services;
import io.jcontainerd.testkit.contract.ImageStoreContract;
import io.jcontainerd.testkit.memory.InMemoryImageStore;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class RemoteImageStoreTest extends ImageStoreContract {
  @TempDir Path folder;
  private ServedStores served;

  @BeforeEach
  void serve() throws IOException {
    served =
        new ServedStores(folder, List.of(Services.images(new InMemoryImageStore(), Time.SYSTEM)));
  }

  @AfterEach
  void end() throws InterruptedException {
    served.close();
  }

  @Override
  protected ImageStore open() {
    return served.client().images();
  }
}
