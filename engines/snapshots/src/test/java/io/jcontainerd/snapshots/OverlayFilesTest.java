package io.jcontainerd.snapshots;

import io.jcontainerd.core.ports.Kernel;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.core.snapshots.Snapshotter;
import io.jcontainerd.linux.LinuxFiles;
import io.jcontainerd.linux.LinuxKernel;
import io.jcontainerd.store.Store;
import io.jcontainerd.store.StoreOptions;
import io.jcontainerd.testkit.contract.SnapshotterFilesContract;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;

@Tag("root")
@SuppressWarnings("NullAway.Init")
class OverlayFilesTest extends SnapshotterFilesContract {
  @TempDir Path folder;
  private Store store;
  private LinuxKernel kernel;

  @BeforeEach
  void start() throws Exception {
    for (String name : List.of("state", "mounts", "temporary")) {
      java.nio.file.Files.createDirectory(folder.resolve(name));
    }
    kernel = new LinuxKernel(folder.resolve("temporary"));
    // An overlay cannot lie on the overlay that a build may run in.
    kernel.mount(
        List.of(new io.jcontainerd.core.mount.Mount("tmpfs", "tmpfs", List.of())),
        folder.resolve("state"));
    store =
        Store.open(
            folder.resolve("store.db"), StoreOptions.DEFAULTS, List.of(SnapshotSchema.SCHEMA));
  }

  @AfterEach
  void stop() throws Exception {
    store.close();
    kernel.unmountAll(folder.resolve("state"));
  }

  @Override
  protected Snapshotter open() {
    Path root = folder.resolve("state/snapshotter");
    var environment =
        new Environment(store, new LinuxFiles(), kernel, new LinuxTrees(), Time.SYSTEM);
    OverlaySupport support = OverlaySupport.probe(root, environment.files(), kernel);
    return OverlaySnapshotter.open(
        root, environment, support, OverlaySnapshotter.Options.DEFAULTS);
  }

  @Override
  protected Kernel kernel() {
    return kernel;
  }

  @Override
  protected Path scratch() {
    return folder.resolve("mounts");
  }
}
