package io.jcontainerd.client;

import static org.assertj.core.api.Assertions.assertThat;

import io.jcontainerd.core.ports.Time;
import io.jcontainerd.core.sandboxes.Sandbox;
import io.jcontainerd.core.sandboxes.SandboxStore;
import io.jcontainerd.services.Services;
import io.jcontainerd.testkit.contract.SandboxStoreContract;
import io.jcontainerd.testkit.memory.InMemorySandboxStore;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Sandbox records, by the client, over a real unix socket. */
@Timeout(180)
@SuppressWarnings("NullAway.Init")
class ServedSandboxesTest extends SandboxStoreContract {
  @TempDir Path folder;
  private ServedStores served;

  @BeforeEach
  void serve() throws Exception {
    served =
        new ServedStores(
            folder, List.of(Services.sandboxes(new InMemorySandboxStore(), Time.SYSTEM)));
  }

  @AfterEach
  void end() throws InterruptedException {
    served.close();
  }

  @Override
  protected SandboxStore open() {
    return served.connection().sandboxes();
  }

  @Test
  void the_daemon_filters_when_it_is_asked_to() {
    RemoteSandboxStore store = served.client().sandboxes();
    for (String id : List.of("a", "b", "c")) {
      store.create(
          new Sandbox(
              id,
              "shim",
              Sandbox.Runtime.NONE,
              Optional.empty(),
              Map.of("at", id),
              Map.of(),
              Instant.EPOCH,
              Instant.EPOCH));
    }
    assertThat(store.list(List.of("id==a", "labels.at==c")))
        .extracting(Sandbox::id)
        .containsExactly("a", "c");
  }
}
