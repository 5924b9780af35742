package io.jcontainerd.metadata;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.namespaces.NamespaceStore;
import io.jcontainerd.testkit.contract.NamespaceStoreContract;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class StoredNamespaceStoreTest extends NamespaceStoreContract {
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
  protected NamespaceStore open() {
    return Calls.within(Call.in(Fixture.NS), NamespaceStore.class, fixture.metadata.namespaces());
  }
}
