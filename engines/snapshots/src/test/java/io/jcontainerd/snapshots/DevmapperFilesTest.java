package io.jcontainerd.snapshots;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.core.snapshots.Snapshotter;
import io.jcontainerd.linux.process.LinuxProcesses;
import io.jcontainerd.testkit.disk.LoopDisk;
import io.jcontainerd.testkit.disk.ThinDisk;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Devices of a thin pool of the kernel's own. */
@Tag("root")
@SuppressWarnings("NullAway.Init")
class DevmapperFilesTest extends DiskFilesTest {
  private static final long DEVICE = 64L << 20;
  private static final long POOL_SIZE = 1L << 30;

  private final String pool = "jcontainerd-" + UUID.randomUUID().toString().substring(0, 8);
  private LinuxProcesses processes;
  private ThinDisk disk;

  @Override
  String ground() {
    return "ext4";
  }

  @Override
  long groundSize() {
    return 64L << 20;
  }

  @Override
  protected Optional<String> whyNotHere() throws Exception {
    LoopDisk.requireProgram("losetup");
    return ThinDisk.whyNot();
  }

  @Override
  protected void prepareGround(Path folder) throws Exception {
    super.prepareGround(folder);
    processes = LinuxProcesses.open();
    disk = ThinDisk.create(pool, testFolder(), POOL_SIZE);
  }

  @Override
  protected void leaveGround() throws Exception {
    processes.close();
    disk.close();
    super.leaveGround();
  }

  @Override
  protected Snapshotter open(Path root) {
    var options = new DevmapperSnapshotter.Options(pool, DEVICE, false, true, "ext4", "");
    return DevmapperSnapshotter.open(root, environment(), processes, options);
  }

  /** The room that is given back is the pool's, not that of the file system with the root. */
  @Override
  protected Set<Trait> leavesOut() {
    return EnumSet.of(Trait.MEASURES_FILES, Trait.MOUNTS_TWICE, Trait.FREES_ROOM_AT_CLEANUP);
  }

  @Override
  protected int depth() {
    return 24;
  }

  @Test
  void a_snapshot_is_a_device_that_goes_with_it() throws Exception {
    Snapshotter snapshotter = open();
    assertThat(prepare(snapshotter, "active", ""))
        .containsExactly(new Mount("ext4", "/dev/mapper/" + pool + "-snap-1", List.of()));
    assertThat(disk.devices()).containsExactly(pool + "-snap-1");
    commit(snapshotter, "base", "active");
    assertThat(snapshotter.view("view", "base", Map.of()))
        .containsExactly(new Mount("ext4", "/dev/mapper/" + pool + "-snap-2", List.of("ro")));
    snapshotter.remove("view");
    snapshotter.remove("base");
    snapshotter.cleanup();
    assertThat(disk.devices()).isEmpty();
  }

  @Test
  void a_pool_that_is_not_there_is_told() {
    var options = new DevmapperSnapshotter.Options(pool + "-none", DEVICE, false, true, "ext4", "");
    assertThatThrownBy(() -> DevmapperSnapshotter.open(root(), environment(), processes, options))
        .isInstanceOf(ContainerdException.class)
        .hasMessageContaining(pool + "-none");
    assertThat(Path.of("/dev/mapper", pool)).matches(Files::exists);
  }
}
