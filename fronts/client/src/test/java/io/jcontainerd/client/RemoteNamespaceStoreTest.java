package io.jcontainerd.client;

import io.jcontainerd.core.namespaces.NamespaceStore;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.services.Services;
import io.jcontainerd.testkit.contract.NamespaceStoreContract;
import io.jcontainerd.testkit.memory.InMemoryNamespaceStore;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class RemoteNamespaceStoreTest extends NamespaceStoreContract {
  @TempDir Path folder;
  private ServedStores served;

  @BeforeEach
  void serve() throws IOException {
    served =
        new ServedStores(
            folder, List.of(Services.namespaces(new InMemoryNamespaceStore(), Time.SYSTEM)));
  }

  @AfterEach
  void end() throws InterruptedException {
    served.close();
  }

  @Override
  protected NamespaceStore open() {
    return served.client().namespaces();
  }
}
