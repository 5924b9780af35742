package io.jcontainerd.client;

import io.jcontainerd.core.filter.Filter;
import io.jcontainerd.core.ports.Kernel;
import io.jcontainerd.core.snapshots.Snapshotter;
import io.jcontainerd.linux.LinuxKernel;
import io.jcontainerd.metadata.MetadataOptions;
import io.jcontainerd.snapshots.OverlaySnapshotter;
import io.jcontainerd.testkit.contract.InNamespace;
import io.jcontainerd.testkit.contract.SnapshotterFilesContract;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;

/** Overlays of a namespace, by the client, over a real unix socket. */
@Tag("root")
@Timeout(180)
class ServedSnapshotsTest extends SnapshotterFilesContract {
  private @Nullable EngineStack stack;

  @Override
  protected Kernel newKernel(Path temporary) {
    return new LinuxKernel(temporary);
  }

  @AfterEach
  void end() throws InterruptedException {
    if (stack != null) {
      stack.close();
    }
  }

  @Override
  protected Snapshotter open(Path root) throws Exception {
    if (stack == null) {
      stack = EngineStack.open(testFolder().resolve("d"), root, MetadataOptions.DEFAULTS);
    }
    Containerd client = stack.client().in("files");
    if (client.leases().list(Filter.ALL).isEmpty()) {
      client.leases().create("held", Map.of()); // collections come when they please
    }
    return InNamespace.leased(
        "files", "held", Snapshotter.class, client.snapshotter(OverlaySnapshotter.NAME));
  }

  @Override
  protected Set<Trait> leavesOut() {
    return EnumSet.of(Trait.FREES_ROOM_AT_CLEANUP); // the daemon frees it when it sweeps
  }
}
