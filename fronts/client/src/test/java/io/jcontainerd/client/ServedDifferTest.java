package io.jcontainerd.client;

import io.jcontainerd.core.content.ContentStore;
import io.jcontainerd.core.diff.Applier;
import io.jcontainerd.core.diff.Comparer;
import io.jcontainerd.core.ports.Kernel;
import io.jcontainerd.linux.LinuxKernel;
import io.jcontainerd.metadata.MetadataOptions;
import io.jcontainerd.testkit.contract.DifferContract;
import io.jcontainerd.testkit.contract.InNamespace;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The engines' differ, by the client, over a real unix socket. */
@Tag("root")
@Timeout(180)
@SuppressWarnings("NullAway.Init")
class ServedDifferTest extends DifferContract {
  @TempDir Path folder;
  private EngineStack stack;

  @BeforeEach
  void start() throws IOException {
    stack = EngineStack.open(folder.resolve("d"), MetadataOptions.DEFAULTS);
    client().leases().create("held", Map.of()); // collections come when they please
  }

  @AfterEach
  void end() throws InterruptedException {
    stack.close();
  }

  private Containerd client() {
    return stack.client().in("differ");
  }

  private static <T> T held(Class<T> type, T target) {
    return InNamespace.leased("differ", "held", type, target);
  }

  @Override
  protected Kernel newKernel(Path temporary) {
    return new LinuxKernel(temporary);
  }

  @Override
  protected Applier applier() {
    return held(Applier.class, client().diff());
  }

  @Override
  protected Comparer comparer() {
    return held(Comparer.class, client().diff());
  }

  @Override
  protected ContentStore content() {
    return held(ContentStore.class, client().content());
  }
}
