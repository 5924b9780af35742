package io.jcontainerd.snapshots;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.jcontainerd.core.ports.Kernel;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.core.snapshots.Prepared;
import io.jcontainerd.core.snapshots.Snapshotter;
import io.jcontainerd.linux.LinuxFiles;
import io.jcontainerd.linux.LinuxKernel;
import io.jcontainerd.store.Store;
import io.jcontainerd.store.StoreOptions;
import io.jcontainerd.testkit.contract.SnapshotterFilesContract;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("root")
@SuppressWarnings("NullAway.Init")
class OverlayFilesTest extends SnapshotterFilesContract {
  private Store store;

  @BeforeEach
  void start() {
    store =
        Store.open(
            testFolder().resolve("store.db"),
            StoreOptions.DEFAULTS,
            List.of(SnapshotSchema.SCHEMA));
  }

  @AfterEach
  void stop() {
    store.close();
  }

  @Override
  protected Kernel newKernel(Path temporary) {
    return new LinuxKernel(temporary);
  }

  @Override
  protected Snapshotter open(Path root) {
    var environment =
        new Environment(store, new LinuxFiles(), kernel(), new LinuxTrees(), Time.SYSTEM);
    OverlaySupport support = OverlaySupport.probe(root, environment.files(), kernel());
    return OverlaySnapshotter.open(root, environment, support, OverlaySnapshotter.Options.DEFAULTS);
  }

  @Test
  void a_folder_in_which_something_is_still_mounted_is_deleted() throws Exception {
    Snapshotter snapshotter = open();
    prepare(snapshotter, "busy", "");
    Path upper = Path.of(snapshotter.mounts("busy").getFirst().source());
    Path inner = java.nio.file.Files.createDirectory(upper.resolve("inner"));
    kernel()
        .mount(List.of(new io.jcontainerd.core.mount.Mount("tmpfs", "tmpfs", List.of())), inner);
    java.nio.file.Files.writeString(inner.resolve("file"), "on the other file system");
    snapshotter.remove("busy");
    snapshotter.cleanup();
    assertThat(upper.getParent()).doesNotExist();
    assertThat(kernel().mountTable()).noneMatch(point -> point.mountPoint().startsWith(upper));
  }

  /** Files that belong to root in the layers belong to root's stand-in in a mapped mount. */
  @Test
  void mapped_layers_show_other_owners() throws Exception {
    Snapshotter snapshotter = open();
    assumeTrue(snapshotter.capabilities().contains("remap-ids"), "no id-mapped overlay here");
    mounted(
        prepare(snapshotter, "base-key", ""),
        root -> java.nio.file.Files.writeString(root.resolve("file"), "of root"));
    commit(snapshotter, "base", "base-key");
    Prepared prepared =
        snapshotter.prepare(
            "mapped",
            "base",
            Map.of(
                "containerd.io/snapshot/uidmapping", "0:100000:65536",
                "containerd.io/snapshot/gidmapping", "0:200000:65536"));
    mounted(
        ((Prepared.Writable) prepared).mounts(),
        root -> {
          assertThat(java.nio.file.Files.getAttribute(root.resolve("file"), "unix:uid"))
              .isEqualTo(100000);
          assertThat(java.nio.file.Files.getAttribute(root.resolve("file"), "unix:gid"))
              .isEqualTo(200000);
          assertThat(java.nio.file.Files.getAttribute(root, "unix:uid")).isEqualTo(100000);
        });
  }

  /** More layers than one page of mount options can name, each under other owners. */
  @Test
  void many_mapped_layers_can_be_mounted() throws Exception {
    Snapshotter snapshotter = open();
    assumeTrue(snapshotter.capabilities().contains("remap-ids"), "no id-mapped overlay here");
    String parent = "";
    for (int i = 0; i < 200; i++) {
      Path file = Path.of("file-" + i);
      layer(
          snapshotter,
          "layer-" + i,
          parent,
          root -> java.nio.file.Files.createFile(root.resolve(file)));
      parent = "layer-" + i;
    }
    Prepared prepared =
        snapshotter.prepare(
            "mapped",
            parent,
            Map.of(
                "containerd.io/snapshot/uidmapping", "0:100000:65536",
                "containerd.io/snapshot/gidmapping", "0:100000:65536"));
    mounted(
        ((Prepared.Writable) prepared).mounts(),
        root -> {
          for (int i = 0; i < 200; i++) {
            assertThat(java.nio.file.Files.getAttribute(root.resolve("file-" + i), "unix:uid"))
                .isEqualTo(100000);
          }
        });
  }
}
