package io.jcontainerd.client;

import io.jcontainerd.core.TypedValue;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.introspection.Introspection;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.core.snapshots.Snapshotter;
import io.jcontainerd.services.Services;
import io.jcontainerd.testkit.contract.SnapshotterContract;
import io.jcontainerd.testkit.memory.InMemorySnapshotter;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class RemoteSnapshotterTest extends SnapshotterContract {
  private static final String NAME = "memory";

  @TempDir Path folder;
  private ServedStores served;

  /** Tells of one snapshotter what it tells of itself. */
  private record Told(Snapshotter snapshotter) implements Introspection {
    @Override
    public List<Plugin> plugins() {
      return List.of(
          new Plugin(
              "io.containerd.snapshotter.v1",
              NAME,
              List.of(),
              List.of(),
              Map.of(),
              List.copyOf(snapshotter.capabilities()),
              Optional.empty()));
    }

    @Override
    public Server server() {
      return new Server("", 1, 1, List.of());
    }

    @Override
    public TypedValue info(String type, String id, Optional<TypedValue> options) {
      throw new NotFoundException("plugin " + id);
    }
  }

  @BeforeEach
  void serve() throws IOException {
    var snapshotter = new InMemorySnapshotter();
    served =
        new ServedStores(
            folder,
            List.of(
                Services.snapshots(Map.of(NAME, snapshotter), Time.SYSTEM),
                Services.introspection(new Told(snapshotter), Time.SYSTEM)));
  }

  @AfterEach
  void end() throws InterruptedException {
    served.close();
  }

  @Override
  protected Snapshotter open() {
    return served.client().snapshotter(NAME);
  }
}
