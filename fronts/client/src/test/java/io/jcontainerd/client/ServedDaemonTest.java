package io.jcontainerd.client;

import io.jcontainerd.metadata.MetadataOptions;
import io.jcontainerd.testkit.contract.ContentStoreContract;
import io.jcontainerd.testkit.contract.DaemonContract;
import io.jcontainerd.testkit.contract.Stores;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Every contract, by the client, over a real unix socket, from the engines. */
@Timeout(180)
@SuppressWarnings("NullAway.Init")
class ServedDaemonTest extends DaemonContract {
  @TempDir Path folder;
  private EngineStack stack;

  @BeforeEach
  void start() throws IOException {
    stack = EngineStack.open(folder.resolve("d"), options());
  }

  @AfterEach
  void end() throws InterruptedException {
    stack.close();
  }

  /** How the metadata behaves. */
  MetadataOptions options() {
    return MetadataOptions.DEFAULTS;
  }

  @Override
  protected Stores stores() {
    return stack.stores();
  }

  @Override
  protected Stores reopened() {
    try {
      stack.close();
      stack = EngineStack.open(folder.resolve("d"), options());
      return stack.stores();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError(e);
    }
  }

  @Override
  protected Set<ContentStoreContract.Trait> contentLeavesOut() {
    return EnumSet.of(
        ContentStoreContract.Trait.READS_WHAT_IS_DELETED, // each piece is a call of its own
        ContentStoreContract.Trait.READS_INGESTS);
  }
}
