package io.jcontainerd.metadata;

import static io.jcontainerd.metadata.Fixture.NS;
import static org.assertj.core.api.Assertions.assertThat;

import io.jcontainerd.core.filter.Filter;
import io.jcontainerd.core.sandboxes.Sandbox;
import io.jcontainerd.core.sandboxes.SandboxStore;
import io.jcontainerd.testkit.contract.InNamespace;
import io.jcontainerd.testkit.contract.SandboxStoreContract;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Sandboxes in the store. */
@Timeout(60)
@SuppressWarnings("NullAway.Init")
class StoredSandboxesTest extends SandboxStoreContract {
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
  protected SandboxStore open() {
    return fixture.metadata.sandboxes();
  }

  private SandboxStore own() {
    return InNamespace.of(NS, SandboxStore.class, open());
  }

  private static Sandbox sandbox(String id) {
    return new Sandbox(
        id,
        "podsandbox",
        Sandbox.Runtime.NONE,
        Optional.empty(),
        Map.of("k", "v"),
        Map.of(),
        Instant.EPOCH,
        Instant.EPOCH);
  }

  @Test
  void a_sandbox_is_there_after_a_restart() {
    Sandbox stored = own().create(sandbox("s"));
    fixture.reopen();
    assertThat(own().get("s")).isEqualTo(stored);
  }

  @Test
  void a_record_makes_its_namespace_does_not_hold_it_and_goes_with_it() {
    own().create(sandbox("s"));
    assertThat(fixture.metadata.namespaces().list()).extracting(n -> n.name()).containsExactly(NS);
    fixture.metadata.namespaces().delete(NS);
    assertThat(own().list(Filter.ALL)).isEmpty();
  }

  @Test
  void records_tell_no_events() {
    long before = fixture.store.lastEvent();
    own().create(sandbox("s"));
    own().delete("s");
    assertThat(fixture.store.lastEvent()).isEqualTo(before);
  }
}
