package io.jcontainerd.daemon.assembly;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.core.failure.NotImplementedException;
import io.jcontainerd.core.mount.ActivationOptions;
import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.core.ports.Kernel;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.core.snapshots.Snapshotter;
import io.jcontainerd.linux.LinuxFiles;
import io.jcontainerd.linux.LinuxKernel;
import io.jcontainerd.linux.process.LinuxProcesses;
import io.jcontainerd.mounts.ErofsHandler;
import io.jcontainerd.mounts.LocalMountActivator;
import io.jcontainerd.mounts.LoopHandler;
import io.jcontainerd.snapshots.Environment;
import io.jcontainerd.snapshots.ErofsSnapshotter;
import io.jcontainerd.snapshots.LinuxTrees;
import io.jcontainerd.snapshots.SnapshotSchema;
import io.jcontainerd.store.Store;
import io.jcontainerd.store.StoreOptions;
import io.jcontainerd.testkit.contract.SnapshotterFilesContract;
import io.jcontainerd.testkit.disk.LoopDisk;
import io.jcontainerd.testkit.leaks.LeakCheck;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The erofs snapshotter, its mounts done by the mount manager. */
@Tag("root")
@SuppressWarnings("NullAway.Init")
class ErofsFilesTest extends SnapshotterFilesContract {
  @TempDir Path records;
  private final Map<Path, Long> activated = new HashMap<>();
  private Store store;
  private LinuxProcesses processes;
  private LeakCheck leaks;
  private LocalMountActivator activator;

  private Path image() {
    return testFolder().resolve("disk/image");
  }

  @Override
  protected Optional<String> whyNotHere() throws Exception {
    LoopDisk.requireKernel("erofs");
    LoopDisk.requireProgram("mkfs.erofs");
    return Optional.empty();
  }

  @Override
  protected void prepareGround(Path folder) throws Exception {
    leaks = LeakCheck.begin(Files.createDirectory(testFolder().resolve("disk")), "");
    LoopDisk.mount(image(), folder, "ext4", 512L << 20);
  }

  @Override
  protected void leaveGround() throws Exception {
    Files.delete(image());
    leaks.assertNothingLeft();
  }

  @BeforeEach
  final void start() throws Exception {
    store =
        Store.open(
            records.resolve("store.db"), StoreOptions.DEFAULTS, List.of(SnapshotSchema.SCHEMA));
    processes = LinuxProcesses.open();
    activator = openActivator();
  }

  private LocalMountActivator openActivator() {
    var files = new LinuxFiles();
    return LocalMountActivator.open(
        testFolder().resolve("targets"),
        List.of(root().getParent()),
        new LocalMountActivator.Ports(files, kernel(), processes, Time.SYSTEM),
        List.of(new ErofsHandler(files, kernel()), new LoopHandler()));
  }

  @AfterEach
  final void stop() throws Exception {
    assertThat(activator.ids()).as("left active").isEmpty();
    processes.close();
    store.close();
  }

  @Override
  protected Kernel newKernel(Path temporary) {
    return new LinuxKernel(temporary);
  }

  private Environment environment() {
    return new Environment(store, new LinuxFiles(), kernel(), new LinuxTrees(), Time.SYSTEM);
  }

  /** How the snapshotter behaves. */
  ErofsSnapshotter.Options options() {
    return ErofsSnapshotter.Options.DEFAULTS;
  }

  @Override
  protected Snapshotter open(Path root) {
    return ErofsSnapshotter.open(root, environment(), processes, options());
  }

  /** Images have no holes, and mkfs.erofs 1.5 fails for names of 255 bytes. */
  @Override
  protected Set<Trait> leavesOut() {
    return EnumSet.of(Trait.MEASURES_FILES, Trait.KEEPS_HOLES, Trait.KEEPS_LONGEST_NAMES);
  }

  @Override
  protected void mount(List<Mount> list, Path place) throws IOException {
    List<Mount> left = list;
    try {
      var done = activator.activate(list, ActivationOptions.NONE);
      activated.put(place, done.id());
      left = done.system();
    } catch (NotImplementedException _) {
      // the kernel does them all
    }
    super.mount(left, place);
  }

  @Override
  protected void unmount(Path place) throws IOException {
    super.unmount(place);
    Long id = activated.remove(place);
    if (id != null) {
      activator.deactivate(id);
    }
  }

  final Path at(String place) {
    return root().resolve("snapshots").resolve(place);
  }

  @Test
  void committed_snapshots_are_images() throws Exception {
    Snapshotter snapshotter = open();
    layer(snapshotter, "base", "", root -> Files.writeString(root.resolve("a"), "a"));
    layer(snapshotter, "top", "base", root -> Files.writeString(root.resolve("b"), "b"));
    for (String id : List.of("1", "2")) {
      assertThat(at(id + "/layer.erofs")).isRegularFile();
      assertThat(at(id + "/fs")).isEmptyDirectory();
      assertThat(at(id + "/rwlayer.img")).doesNotExist();
    }
    assertThat(snapshotter.view("one", "base", Map.of()))
        .containsExactly(new Mount("erofs", at("1/layer.erofs").toString(), List.of("ro", "loop")));
    assertThat(snapshotter.view("two", "top", Map.of()))
        .containsExactly(
            new Mount("erofs", at("2/layer.erofs").toString(), List.of("ro", "loop")),
            new Mount("erofs", at("1/layer.erofs").toString(), List.of("ro", "loop")),
            new Mount("format/mkdir/overlay", "overlay", List.of("lowerdir={{ overlay 0 1 }}")));
    assertThat(snapshotter.capabilities()).containsAll(capabilities());
  }

  protected Set<String> capabilities() {
    return Set.of("rebase", "only-remap-ids");
  }

  @Test
  void an_image_that_a_differ_made_is_kept() throws Exception {
    Snapshotter snapshotter = open();
    layer(snapshotter, "made", "", root -> Files.writeString(root.resolve("a"), "a"));
    prepare(snapshotter, "active", "");
    assertThat(at("2/.erofslayer")).exists();
    Files.copy(at("1/layer.erofs"), at("2/layer.erofs"));
    commit(snapshotter, "copied", "active");
    viewed(snapshotter, "copied", root -> assertThat(root.resolve("a")).hasContent("a"));
  }

  @Test
  void what_a_killed_commit_left_is_made_anew() throws Exception {
    Snapshotter snapshotter = open();
    layer(snapshotter, "base", "", root -> {});
    prepare(snapshotter, "active", "");
    mounted(snapshotter.mounts("active"), root -> Files.writeString(root.resolve("a"), "a"));
    Files.writeString(at("2/layer.erofs"), "half an image");
    Files.writeString(at("2/.layer.erofs.new"), "half an image");
    Snapshotter again = open();
    assertThat(at("2/layer.erofs")).doesNotExist();
    mounted(again.mounts("active"), root -> assertThat(root.resolve("a")).hasContent("a"));
    commit(again, "done", "active");
    viewed(again, "done", root -> assertThat(root.resolve("a")).hasContent("a"));
    assertThat(at("2/.layer.erofs.new")).doesNotExist();
  }

  @Test
  void an_image_that_nobody_may_change_is_removed_with_its_snapshot() throws Exception {
    var immutable =
        new ErofsSnapshotter.Options(
            List.of(), false, true, options().writableSize(), "", List.of(), false);
    Snapshotter snapshotter =
        closedAfterwards(ErofsSnapshotter.open(root(), environment(), processes, immutable));
    layer(snapshotter, "base", "");
    assertThatThrownBy(() -> Files.writeString(at("1/layer.erofs"), "x"))
        .isInstanceOf(IOException.class);
    assertThatThrownBy(() -> Files.delete(at("1/layer.erofs"))).isInstanceOf(IOException.class);
    snapshotter.remove("base");
    snapshotter.cleanup();
    assertThat(at("1")).doesNotExist();
  }

  @Test
  void options_that_the_machine_cannot_meet_are_refused() {
    var verity = new ErofsSnapshotter.Options(List.of(), false, false, 0, "on", List.of(), false);
    assertThatThrownBy(() -> ErofsSnapshotter.open(root(), environment(), processes, verity))
        .isInstanceOf(FailedPreconditionException.class)
        .hasMessageContaining("dmverity_mode");
    assertThat(ErofsSnapshotter.reasonAgainst(environment(), processes)).isEmpty();
  }

  /** A killed daemon's mounts are found by another. */
  @Test
  void mounts_of_a_killed_process_are_undone() throws Exception {
    Snapshotter snapshotter = open();
    layer(snapshotter, "base", "", root -> {});
    var done =
        activator.activate(snapshotter.view("view", "base", Map.of()), ActivationOptions.NONE);
    LocalMountActivator next = openActivator();
    assertThat(next.ids()).containsExactly(done.id());
    assertThat(next.isWhole(done)).isTrue();
    next.deactivate(done.id());
    assertThat(next.isWhole(done)).isFalse();
    assertThat(mountsBelow(testFolder().resolve("targets"))).isEmpty();
  }

  private List<Path> mountsBelow(Path folder) {
    try {
      return kernel().mountTable().stream()
          .map(Kernel.MountPoint::mountPoint)
          .filter(point -> point.startsWith(folder))
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
