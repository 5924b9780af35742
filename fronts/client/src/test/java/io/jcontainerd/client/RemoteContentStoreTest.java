package io.jcontainerd.client;

import io.jcontainerd.core.content.ContentStore;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.services.Services;
import io.jcontainerd.testkit.contract.ContentStoreContract;
import io.jcontainerd.testkit.memory.InMemoryContentStore;
import java.io.IOException;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class RemoteContentStoreTest extends ContentStoreContract {
  @TempDir Path folder;
  private ServedStores served;

  @BeforeEach
  void serve() throws IOException {
    served =
        new ServedStores(
            folder, List.of(Services.content(new InMemoryContentStore(), Time.SYSTEM)));
  }

  @AfterEach
  void end() throws InterruptedException {
    served.close();
  }

  @Override
  protected ContentStore open() {
    return served.client().content();
  }

  @Override
  protected Set<Trait> leavesOut() {
    return EnumSet.of(Trait.READS_WHAT_IS_DELETED); // each piece is a call of its own
  }
}
