package io.jcontainerd.testkit.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.core.ports.Kernel;
import io.jcontainerd.core.snapshots.Snapshotter;
import io.jcontainerd.core.snapshots.Usage;
import io.jcontainerd.testkit.time.Soon;
import io.jcontainerd.testkit.tree.Samples;
import io.jcontainerd.testkit.tree.Tree;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.AfterTestExecutionCallback;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/**
 * What any {@link Snapshotter} owes its callers as far as files go. Really mounts, and so needs
 * root.
 *
 * <p>A kind of snapshotter is held to it by a class that opens one on a given root ({@link
 * #open(Path)}) and names a kernel. What a kind needs of the machine it says in {@link
 * #whyNotHere}: then its tests are skipped with that reason, which {@link ContractReport} tells.
 * What kind of file system its root must lie on is made by {@link #prepareGround}. Where kinds
 * rightly differ, there is a {@link Trait}.
 */
@Tag("root")
@SuppressWarnings("NullAway.Init")
public abstract class SnapshotterFilesContract extends SnapshotterContract {
  /** What a kind may leave out. */
  public enum Trait {
    /** Usage counts blocks and inodes of the snapshot's own files, not of images or devices. */
    MEASURES_FILES,
    /** After a clean-up the room of what was removed is free at once. */
    FREES_ROOM_AT_CLEANUP,
    /** An active snapshot may be mounted in two places at once, both seeing what is written. */
    MOUNTS_TWICE,
    /** Holes of files take no room in committed snapshots either. */
    KEEPS_HOLES,
    /** Names may be as long as Linux allows; some versions of programs allow a byte less. */
    KEEPS_LONGEST_NAMES
  }

  @TempDir Path testFolder;
  private Path ground;
  private Path mounts;
  private Kernel kernel;
  private boolean grounded;
  private final List<Snapshotter> opened = new ArrayList<>();

  @RegisterExtension
  final AfterTestExecutionCallback closing = _ -> opened.forEach(Snapshotter::close);

  /** For subclasses. */
  protected SnapshotterFilesContract() {}

  /** The snapshotter on a root; called again in one test, it finds what was there before. */
  protected abstract Snapshotter open(Path root) throws Exception;

  /**
   * A kernel for the mounts of one test.
   *
   * @param temporary a folder for what it needs on the way
   */
  protected abstract Kernel newKernel(Path temporary);

  /** Why this kind cannot be tried on this machine; empty if it can. */
  protected Optional<String> whyNotHere() throws Exception {
    return Optional.empty();
  }

  /** What this kind does not do. */
  protected Set<Trait> leavesOut() {
    return EnumSet.noneOf(Trait.class);
  }

  /** How many layers this kind can be asked to stack in a test. */
  protected int depth() {
    return 128;
  }

  /**
   * Mounts the file system on which the root will lie at a folder. What is mounted at the folder is
   * unmounted after the test; what else was made is the business of {@link #leaveGround}.
   */
  protected void prepareGround(Path folder) throws Exception {
    // An overlay cannot lie on the overlay that a build may run in.
    kernel.mount(List.of(new Mount("tmpfs", "tmpfs", List.of())), folder);
  }

  /** Undoes what {@link #prepareGround} did beside mounting; called after the unmounting. */
  protected void leaveGround() throws Exception {}

  /** Does the mounts of a snapshot; for kinds whose mounts the kernel alone does not understand. */
  protected void mount(List<Mount> list, Path place) throws IOException {
    kernel.mount(list, place);
  }

  /** Undoes {@link #mount}. */
  protected void unmount(Path place) throws IOException {
    kernel.unmountAll(place);
  }

  @BeforeEach
  final void findGround() throws Exception {
    Optional<String> why = whyNotHere();
    Assumptions.assumeTrue(why.isEmpty(), () -> why.orElse(""));
    ground = Files.createDirectory(testFolder.resolve("ground"));
    mounts = Files.createDirectory(testFolder.resolve("mounts"));
    kernel = newKernel(Files.createDirectory(testFolder.resolve("temporary")));
    grounded = true;
    prepareGround(ground);
  }

  @AfterEach
  final void leaveNothing() throws Exception {
    if (grounded) {
      Set<String> left = new TreeSet<>();
      for (Kernel.MountPoint point : kernel.mountTable()) {
        if (point.mountPoint().startsWith(testFolder) && !point.mountPoint().equals(ground)) {
          left.add(point.mountPoint().toString());
          kernel.detachAll(point.mountPoint());
        }
      }
      try {
        Soon.until("nothing is open", this::isUnmounted);
      } catch (AssertionError e) {
        List<String> held = held();
        kernel.detachAll(ground);
        throw new AssertionError("something is still open: " + held, e);
      }
      leaveGround();
      assertThat(left).as("left mounted").isEmpty();
      assertThat(testFolder.resolve("temporary")).as("left on the way").isEmptyDirectory();
    }
  }

  /** Others may have something open for a moment, to look at a new mount or to start a program. */
  private boolean isUnmounted() {
    try {
      kernel.unmountAll(ground);
      return true;
    } catch (IOException _) {
      return false; // it is in use
    }
  }

  /** What this process has open or mapped below the ground, and sockets that are bound there. */
  private List<String> held() throws IOException {
    var held = new ArrayList<String>();
    try (Stream<Path> open = Files.list(Path.of("/proc/self/fd"))) {
      for (Path file : open.filter(Files::isSymbolicLink).toList()) {
        held.add(Files.readSymbolicLink(file).toString());
      }
    }
    for (String table : List.of("/proc/self/maps", "/proc/net/unix")) {
      Files.readAllLines(Path.of(table)).stream()
          .map(line -> line.substring(line.lastIndexOf(' ') + 1))
          .forEach(held::add);
    }
    held.removeIf(path -> !path.startsWith(ground.toString()));
    return held;
  }

  /** The root of the test's snapshotter; not there until it is opened first. */
  protected final Path root() {
    return ground.resolve("snapshotter");
  }

  /** A folder of the test beside the root, on the machine's own file system. */
  protected final Path testFolder() {
    return testFolder;
  }

  /** The kernel of the test. */
  protected final Kernel kernel() {
    return kernel;
  }

  @Override
  protected final Snapshotter open() {
    try {
      return closedAfterwards(open(root()));
    } catch (RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new AssertionError("cannot be opened", e);
    }
  }

  /** Lets a snapshotter be closed after the test, before anything below it is. */
  protected final Snapshotter closedAfterwards(Snapshotter snapshotter) {
    opened.add(snapshotter);
    return snapshotter;
  }

  /** Something done to a mounted tree. */
  @FunctionalInterface
  protected interface OnTree {
    /** Does it. */
    void run(Path root) throws IOException;
  }

  /** Does something to a mounted snapshot, and unmounts it. */
  protected final void mounted(List<Mount> list, OnTree action) throws IOException {
    Path place = Files.createTempDirectory(mounts, "mounted");
    mount(list, place);
    try {
      action.run(place);
    } finally {
      unmount(place);
      Files.delete(place);
    }
  }

  /** Makes a committed snapshot with something in it. */
  protected final void layer(Snapshotter snapshotter, String name, String parent, OnTree content)
      throws IOException {
    mounted(prepare(snapshotter, "prepare-" + name, parent), content);
    commit(snapshotter, name, "prepare-" + name);
  }

  /** Looks at a committed snapshot through a view. */
  protected final void viewed(Snapshotter snapshotter, String name, OnTree look)
      throws IOException {
    mounted(snapshotter.view("view-of-" + name, name, Map.of()), look);
    snapshotter.remove("view-of-" + name);
  }

  @Test
  void what_was_written_before_a_commit_is_there_after_it() throws IOException {
    Snapshotter snapshotter = open();
    layer(snapshotter, "base", "", root -> Files.writeString(root.resolve("a"), "base"));
    layer(snapshotter, "top", "base", root -> Files.writeString(root.resolve("b"), "top"));
    mounted(
        snapshotter.view("view", "top", Map.of()),
        root -> {
          assertThat(root.resolve("a")).hasContent("base");
          assertThat(root.resolve("b")).hasContent("top");
          assertThatThrownBy(() -> Files.writeString(root.resolve("c"), "no"))
              .isInstanceOf(FileSystemException.class)
              .hasMessageContaining("Read-only");
        });
  }

  @Test
  void a_child_does_not_change_its_parent() throws IOException {
    Snapshotter snapshotter = open();
    layer(
        snapshotter,
        "base",
        "",
        root -> {
          Files.writeString(root.resolve("changed"), "old");
          Files.writeString(root.resolve("removed"), "old");
          Files.createDirectories(root.resolve("folder/inner"));
        });
    mounted(
        prepare(snapshotter, "one", "base"),
        root -> {
          Files.writeString(root.resolve("changed"), "new");
          Files.delete(root.resolve("removed"));
          Files.delete(root.resolve("folder/inner"));
          Files.delete(root.resolve("folder"));
          Files.createDirectory(root.resolve("folder"));
        });
    mounted(
        prepare(snapshotter, "two", "base"),
        root -> {
          assertThat(root.resolve("changed")).hasContent("old");
          assertThat(root.resolve("removed")).hasContent("old");
          assertThat(root.resolve("folder/inner")).isDirectory();
        });
    commit(snapshotter, "top", "one");
    mounted(
        snapshotter.view("view", "top", Map.of()),
        root -> {
          assertThat(root.resolve("changed")).hasContent("new");
          assertThat(root.resolve("removed")).doesNotExist();
          assertThat(root.resolve("folder")).isEmptyDirectory();
        });
  }

  @Test
  void an_active_snapshot_keeps_its_files_between_mounts() throws IOException {
    Snapshotter snapshotter = open();
    layer(snapshotter, "base", "", root -> Files.writeString(root.resolve("a"), "base"));
    mounted(
        prepare(snapshotter, "active", "base"), root -> Files.writeString(root.resolve("b"), "x"));
    mounted(
        open().mounts("active"),
        root -> {
          assertThat(root.resolve("a")).hasContent("base");
          assertThat(root.resolve("b")).hasContent("x");
        });
  }

  @Test
  void files_keep_all_their_properties() throws IOException {
    Snapshotter snapshotter = open();
    var written = new Tree[1];
    layer(
        snapshotter,
        "base",
        "",
        root -> {
          Samples.everyKind(root, kernel);
          written[0] = Tree.read(root, kernel());
        });
    mounted(
        snapshotter.view("view", "base", Map.of()),
        root -> Tree.read(root, kernel()).assertSameAs(written[0]));
    mounted(
        prepare(snapshotter, "active", "base"),
        root -> Tree.read(root, kernel()).assertSameAs(written[0]));
    layer(snapshotter, "second", "base", root -> {});
    mounted(
        snapshotter.view("second-view", "second", Map.of()),
        root -> Tree.read(root, kernel()).assertSameAs(written[0]));
  }

  @Test
  void the_top_folder_keeps_owner_and_mode() throws IOException {
    Snapshotter snapshotter = open();
    layer(
        snapshotter,
        "base",
        "",
        root -> {
          Files.setAttribute(root, "unix:uid", 77);
          Files.setPosixFilePermissions(root, PosixFilePermissions.fromString("rwx--x--x"));
        });
    mounted(
        prepare(snapshotter, "active", "base"),
        root -> {
          assertThat(Files.getAttribute(root, "unix:uid")).isEqualTo(77);
          assertThat(Files.getPosixFilePermissions(root))
              .isEqualTo(PosixFilePermissions.fromString("rwx--x--x"));
        });
  }

  @Test
  void usage_counts_blocks_and_inodes_with_hard_links_once() throws IOException {
    assumeHas(Trait.MEASURES_FILES);
    Snapshotter snapshotter = open();
    prepare(snapshotter, "active", "");
    Usage before = snapshotter.usage("active");
    mounted(
        snapshotter.mounts("active"),
        root -> {
          Files.write(root.resolve("a"), new byte[1 << 20]);
          Files.createLink(root.resolve("b"), root.resolve("a"));
          Files.createDirectory(root.resolve("c"));
        });
    Samples.sh(ground, "sync -f .");
    Usage after = snapshotter.usage("active");
    assertThat(after.inodes() - before.inodes()).isEqualTo(2);
    assertThat(after.size() - before.size()).isBetween(1L << 20, (1L << 20) + (64L << 10));
    commit(snapshotter, "done", "active");
    assertThat(snapshotter.usage("done").inodes()).isEqualTo(after.inodes());
    assertThat(snapshotter.usage("done").size()).isEqualTo(after.size());
  }

  @Test
  void usage_leaves_parents_out_and_grows_with_what_is_written() throws IOException {
    Snapshotter snapshotter = open();
    layer(snapshotter, "base", "", root -> Files.write(root.resolve("big"), noise(4 << 20)));
    prepare(snapshotter, "active", "base");
    long before = snapshotter.usage("active").size();
    mounted(
        snapshotter.mounts("active"), root -> Files.write(root.resolve("more"), noise(2 << 20)));
    Samples.sh(ground, "sync -f .");
    long after = snapshotter.usage("active").size();
    assertThat(snapshotter.usage("base").size()).isGreaterThanOrEqualTo(4 << 20);
    if (lacks(Trait.MEASURES_FILES)) {
      assertThat(after).isGreaterThanOrEqualTo(before);
    } else {
      assertThat(after - before).isBetween(2L << 20, 3L << 20);
    }
  }

  @Test
  void removal_and_clean_up_give_the_room_back() throws IOException {
    assumeHas(Trait.FREES_ROOM_AT_CLEANUP);
    Snapshotter snapshotter = open();
    prepare(snapshotter, "other", "");
    long before = kernel.space(ground).availableBytes();
    layer(snapshotter, "base", "", root -> Files.write(root.resolve("big"), noise(8 << 20)));
    mounted(
        prepare(snapshotter, "active", "base"),
        root -> Files.write(root.resolve("more"), noise(8 << 20)));
    assertThat(before - kernel.space(ground).availableBytes()).isGreaterThan(15L << 20);
    snapshotter.remove("active");
    snapshotter.remove("base");
    cleanUp(snapshotter);
    Soon.until( // file systems count what was freed when they please
        "the room is there again", () -> before - kernel.space(ground).availableBytes() < 1L << 20);
    mounted(snapshotter.mounts("other"), root -> Files.writeString(root.resolve("a"), "works"));
  }

  @Test
  void many_layers_can_be_mounted() throws IOException {
    Snapshotter snapshotter = open();
    String parent = "";
    int depth = depth();
    for (int i = 0; i < depth; i++) {
      String name = "layer-" + i;
      String file = "file-" + i;
      layer(
          snapshotter,
          name,
          parent,
          root -> {
            Files.writeString(root.resolve(file), file);
            Files.writeString(root.resolve("same"), file);
          });
      parent = name;
    }
    OnTree look =
        root -> {
          for (int i = 0; i < depth; i++) {
            assertThat(root.resolve("file-" + i)).hasContent("file-" + i);
          }
          assertThat(root.resolve("same")).hasContent("file-" + (depth - 1));
        };
    mounted(prepare(snapshotter, "active", parent), look);
    mounted(snapshotter.view("view", parent, Map.of()), look);
  }

  @Test
  void what_was_deleted_can_come_back_as_something_else() throws IOException {
    Snapshotter snapshotter = open();
    layer(
        snapshotter,
        "one",
        "",
        root -> {
          Files.createDirectories(root.resolve("folder/inner"));
          Files.writeString(root.resolve("folder/inner/file"), "1");
          Files.writeString(root.resolve("file"), "1");
          Files.createSymbolicLink(root.resolve("link"), Path.of("folder"));
        });
    layer(
        snapshotter,
        "two",
        "one",
        root -> {
          Files.delete(root.resolve("folder/inner/file"));
          Files.delete(root.resolve("folder/inner"));
          Files.delete(root.resolve("folder"));
          Files.writeString(root.resolve("folder"), "now a file");
          Files.delete(root.resolve("file"));
          Files.createDirectory(root.resolve("file"));
          Files.writeString(root.resolve("file/in"), "now a folder");
          Files.delete(root.resolve("link"));
        });
    layer(
        snapshotter,
        "three",
        "two",
        root -> {
          Files.delete(root.resolve("folder"));
          Files.createDirectory(root.resolve("folder"));
          Files.writeString(root.resolve("link"), "now a file");
        });
    viewed(
        snapshotter,
        "two",
        root -> {
          assertThat(root.resolve("folder")).hasContent("now a file");
          assertThat(root.resolve("file/in")).hasContent("now a folder");
          assertThat(names(root)).containsExactly("file", "folder");
        });
    viewed(
        snapshotter,
        "three",
        root -> {
          assertThat(root.resolve("folder")).isEmptyDirectory();
          assertThat(root.resolve("link")).hasContent("now a file");
          assertThat(names(root)).containsExactly("file", "folder", "link");
        });
    viewed(
        snapshotter,
        "one",
        root -> {
          assertThat(root.resolve("folder/inner/file")).hasContent("1");
          assertThat(root.resolve("link/inner/file")).hasContent("1");
        });
  }

  @Test
  void a_rename_takes_a_file_of_a_lower_layer_along() throws IOException {
    Snapshotter snapshotter = open();
    layer(
        snapshotter,
        "base",
        "",
        root -> {
          Files.createDirectories(root.resolve("from/deep"));
          Files.writeString(root.resolve("from/deep/file"), "moved");
          Files.writeString(root.resolve("a"), "a");
          Files.writeString(root.resolve("b"), "b");
        });
    layer(
        snapshotter,
        "top",
        "base",
        root -> {
          Files.move(root.resolve("a"), root.resolve("c"));
          Files.move(root.resolve("c"), root.resolve("b"), StandardCopyOption.REPLACE_EXISTING);
          Samples.sh(root, "mv from to");
        });
    viewed(
        snapshotter,
        "top",
        root -> {
          assertThat(names(root)).containsExactly("b", "to");
          assertThat(root.resolve("b")).hasContent("a");
          assertThat(root.resolve("to/deep/file")).hasContent("moved");
        });
    viewed(snapshotter, "base", root -> assertThat(root.resolve("a")).hasContent("a"));
  }

  @Test
  void a_change_of_properties_alone_is_a_change() throws IOException {
    Snapshotter snapshotter = open();
    layer(
        snapshotter,
        "base",
        "",
        root -> {
          Files.createDirectories(root.resolve("folder/inner"));
          Files.writeString(root.resolve("folder/file"), "bytes");
          Samples.everyKind(Files.createDirectory(root.resolve("all")), kernel);
        });
    var time = FileTime.from(Instant.parse("1999-12-31T23:59:59.5Z"));
    layer(
        snapshotter,
        "top",
        "base",
        root -> {
          Files.setAttribute(root.resolve("folder/file"), "unix:mode", 0104555);
          Files.setAttribute(root.resolve("folder"), "unix:gid", 4242);
          Files.setAttribute(root.resolve("all/setuid"), "unix:uid", 99);
          Files.setLastModifiedTime(root.resolve("all/null"), time);
          kernel.setExtendedAttribute(root.resolve("all/folder/file"), "user.note", null);
          kernel.setExtendedAttribute(root.resolve("folder/file"), "user.new", new byte[] {7});
        });
    viewed(
        snapshotter,
        "top",
        root -> {
          assertThat(root.resolve("folder/file")).hasContent("bytes");
          assertThat((Integer) Files.getAttribute(root.resolve("folder/file"), "unix:mode") & 07777)
              .isEqualTo(04555);
          assertThat(Files.getAttribute(root.resolve("folder"), "unix:gid")).isEqualTo(4242);
          assertThat(root.resolve("folder/inner")).isEmptyDirectory();
          assertThat(Files.getAttribute(root.resolve("all/setuid"), "unix:uid")).isEqualTo(99);
          assertThat(Files.getLastModifiedTime(root.resolve("all/null"))).isEqualTo(time);
          assertThat(kernel.extendedAttribute(root.resolve("all/folder/file"), "user.note"))
              .isEmpty();
          assertThat(kernel.extendedAttribute(root.resolve("folder/file"), "user.new"))
              .hasValue(new byte[] {7});
        });
    viewed(
        snapshotter,
        "base",
        root ->
            assertThat(kernel.extendedAttribute(root.resolve("all/folder/file"), "user.note"))
                .isPresent());
  }

  @Test
  void a_file_of_a_lower_layer_can_be_changed_in_part() throws IOException {
    Snapshotter snapshotter = open();
    byte[] bytes = noise(300_000);
    layer(snapshotter, "base", "", root -> Files.write(root.resolve("file"), bytes));
    layer(
        snapshotter,
        "top",
        "base",
        root -> {
          try (var file = FileChannel.open(root.resolve("file"), StandardOpenOption.WRITE)) {
            file.write(ByteBuffer.wrap(new byte[] {1, 2, 3}), 100_000);
          }
          Files.writeString(root.resolve("file"), "end", StandardOpenOption.APPEND);
        });
    byte[] changed = Arrays.copyOf(bytes, 300_003);
    System.arraycopy(new byte[] {1, 2, 3}, 0, changed, 100_000, 3);
    System.arraycopy("end".getBytes(StandardCharsets.UTF_8), 0, changed, 300_000, 3);
    viewed(snapshotter, "top", root -> assertThat(root.resolve("file")).hasBinaryContent(changed));
    viewed(snapshotter, "base", root -> assertThat(root.resolve("file")).hasBinaryContent(bytes));
  }

  @Test
  void names_are_kept_byte_for_byte() throws IOException {
    Snapshotter snapshotter = open();
    String make =
        "touch -- \"$(printf 'new\\nline')\" \"$(printf 'not-utf8-\\377')\" ' space ' '-dash'"
            + " 'comma,colon:back\\\\slash' .wh.this-is-no-whiteout \"$(printf '%0"
            + (lacks(Trait.KEEPS_LONGEST_NAMES) ? 254 : 255)
            + "d' 0)\"";
    String list = "LC_ALL=C ls -A1b | LC_ALL=C sort";
    var before = new String[1];
    layer(
        snapshotter,
        "base",
        "",
        root -> {
          Samples.sh(root, make);
          before[0] = Samples.sh(root, list);
        });
    mounted(
        prepare(snapshotter, "active", "base"),
        root -> assertThat(Samples.sh(root, list)).isEqualTo(before[0]).contains("not-utf8-\\377"));
  }

  @Test
  void a_file_with_holes_keeps_its_size_and_bytes() throws IOException {
    Snapshotter snapshotter = open();
    layer(
        snapshotter,
        "base",
        "",
        root -> {
          Samples.sh(root, "truncate -s 64M holes");
          try (var file = FileChannel.open(root.resolve("holes"), StandardOpenOption.WRITE)) {
            file.write(ByteBuffer.wrap(new byte[] {9}), 32 << 20);
          }
        });
    mounted(
        prepare(snapshotter, "active", "base"),
        root -> {
          assertThat(Files.size(root.resolve("holes"))).isEqualTo(64 << 20);
          try (var file = FileChannel.open(root.resolve("holes"))) {
            ByteBuffer three = ByteBuffer.allocate(3);
            file.read(three, (32 << 20) - 1);
            assertThat(three.array()).containsExactly(0, 9, 0);
          }
        });
    if (!lacks(Trait.KEEPS_HOLES)) {
      assertThat(snapshotter.usage("base").size()).isLessThan(48 << 20);
    }
  }

  @Test
  void a_folder_of_many_files_is_whole() throws IOException {
    Snapshotter snapshotter = open();
    layer(
        snapshotter,
        "base",
        "",
        root -> {
          for (int i = 0; i < 1000; i++) {
            Files.createFile(root.resolve("file-" + i));
          }
        });
    layer(
        snapshotter,
        "top",
        "base",
        root -> {
          for (int i = 0; i < 1000; i += 2) {
            Files.delete(root.resolve("file-" + i));
          }
          for (int i = 1000; i < 1100; i++) {
            Files.createFile(root.resolve("file-" + i));
          }
        });
    viewed(snapshotter, "top", root -> assertThat(names(root)).hasSize(600));
    viewed(snapshotter, "base", root -> assertThat(names(root)).hasSize(1000));
  }

  @Test
  void an_empty_view_is_an_empty_folder_that_cannot_be_written() throws IOException {
    Snapshotter snapshotter = open();
    mounted(
        snapshotter.view("view", "", Map.of()),
        root -> {
          assertThat(names(root)).isEmpty();
          assertThatThrownBy(() -> Files.createDirectory(root.resolve("new")))
              .isInstanceOf(FileSystemException.class);
        });
  }

  @Test
  void a_view_never_shows_what_an_active_sibling_writes() throws IOException {
    Snapshotter snapshotter = open();
    layer(snapshotter, "base", "", root -> Files.writeString(root.resolve("a"), "base"));
    List<Mount> active = prepare(snapshotter, "active", "base");
    mounted(
        snapshotter.view("view", "base", Map.of()),
        viewed ->
            mounted(
                active,
                written -> {
                  Files.writeString(written.resolve("a"), "changed");
                  Files.writeString(written.resolve("b"), "new");
                  assertThat(viewed.resolve("a")).hasContent("base");
                  assertThat(names(viewed)).containsExactly("a");
                }));
  }

  @Test
  void an_active_snapshot_can_be_mounted_twice() throws IOException {
    assumeHas(Trait.MOUNTS_TWICE);
    Snapshotter snapshotter = open();
    List<Mount> active = prepare(snapshotter, "active", "");
    mounted(
        active,
        first ->
            mounted(
                snapshotter.mounts("active"),
                second -> {
                  Files.writeString(first.resolve("a"), "one");
                  assertThat(second.resolve("a")).hasContent("one");
                }));
  }

  @Test
  void a_removed_snapshot_that_is_still_mounted_harms_nobody() throws IOException {
    Snapshotter snapshotter = open();
    layer(snapshotter, "base", "", root -> Files.writeString(root.resolve("a"), "base"));
    layer(snapshotter, "other", "base", root -> Files.writeString(root.resolve("b"), "other"));
    mounted(
        prepare(snapshotter, "busy", "base"),
        root -> {
          Files.writeString(root.resolve("c"), "busy");
          snapshotter.remove("busy");
        });
    cleanUp(snapshotter);
    viewed(
        snapshotter,
        "other",
        root -> {
          assertThat(root.resolve("a")).hasContent("base");
          assertThat(root.resolve("b")).hasContent("other");
        });
    prepare(snapshotter, "busy", "base");
    mounted(snapshotter.mounts("busy"), root -> assertThat(names(root)).containsExactly("a"));
  }

  @Test
  void another_parent_shows_its_files_below_ours() throws IOException {
    Snapshotter snapshotter = open();
    Assumptions.assumeTrue(
        snapshotter.capabilities().contains("rebase"), "this kind keeps the parent it began on");
    layer(
        snapshotter,
        "base",
        "",
        root -> {
          Files.writeString(root.resolve("a"), "base");
          Files.writeString(root.resolve("both"), "base");
        });
    mounted(
        prepare(snapshotter, "alone", ""),
        root -> {
          Files.writeString(root.resolve("b"), "alone");
          Files.writeString(root.resolve("both"), "alone");
        });
    snapshotter.commit("moved", "alone", Map.of(), "base");
    viewed(
        snapshotter,
        "moved",
        root -> {
          assertThat(names(root)).containsExactly("a", "b", "both");
          assertThat(root.resolve("both")).hasContent("alone");
        });
  }

  @Test
  void another_parent_gives_its_root_to_one_that_says_nothing_of_its_own() throws IOException {
    Snapshotter snapshotter = open();
    Assumptions.assumeTrue(
        snapshotter.capabilities().contains("rebase"), "this kind keeps the parent it began on");
    layer(
        snapshotter,
        "base",
        "",
        root -> Files.setPosixFilePermissions(root, PosixFilePermissions.fromString("rwxr-x--x")));
    mounted(prepare(snapshotter, "alone", ""), root -> Files.writeString(root.resolve("b"), "1"));
    snapshotter.commit("moved", "alone", Map.of(), "base");
    viewed(
        snapshotter,
        "moved",
        root ->
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(root)))
                .isEqualTo("rwxr-x--x"));
  }

  @Test
  void hard_links_within_a_layer_stay_links() throws IOException {
    Snapshotter snapshotter = open();
    layer(
        snapshotter,
        "base",
        "",
        root -> {
          Files.createDirectory(root.resolve("folder"));
          Files.writeString(root.resolve("a"), "linked");
          Files.createLink(root.resolve("b"), root.resolve("a"));
          Files.createLink(root.resolve("folder/c"), root.resolve("a"));
        });
    OnTree look =
        root -> {
          Object inode = Files.getAttribute(root.resolve("a"), "unix:ino");
          assertThat(Files.getAttribute(root.resolve("b"), "unix:ino")).isEqualTo(inode);
          assertThat(Files.getAttribute(root.resolve("folder/c"), "unix:ino")).isEqualTo(inode);
          assertThat(Files.getAttribute(root.resolve("a"), "unix:nlink")).isEqualTo(3);
        };
    viewed(snapshotter, "base", look);
    mounted(prepare(snapshotter, "active", "base"), look);
    layer(
        snapshotter,
        "top",
        "base",
        root -> {
          Files.writeString(root.resolve("new"), "new");
          Files.createLink(root.resolve("newer"), root.resolve("new"));
          Files.delete(root.resolve("b"));
        });
    viewed(
        snapshotter,
        "top",
        root -> {
          assertThat(root.resolve("a")).hasContent("linked");
          assertThat(root.resolve("b")).doesNotExist();
          assertThat(Files.getAttribute(root.resolve("new"), "unix:ino"))
              .isEqualTo(Files.getAttribute(root.resolve("newer"), "unix:ino"));
        });
  }

  @Test
  void everything_is_found_again_after_reopening() throws IOException {
    Snapshotter before = open();
    layer(before, "base", "", root -> Samples.everyKind(root, kernel));
    mounted(prepare(before, "active", "base"), root -> Files.writeString(root.resolve("n"), "x"));
    var tree = new Tree[1];
    mounted(before.mounts("active"), root -> tree[0] = Tree.read(root, kernel));
    before.close();
    Snapshotter after = open();
    cleanUp(after);
    mounted(after.mounts("active"), root -> Tree.read(root, kernel).assertSameAs(tree[0]));
    commit(after, "top", "active");
    viewed(after, "top", root -> Tree.read(root, kernel).assertSameAs(tree[0]));
  }

  /** Bytes that no file system can make smaller, the same each time. */
  protected static byte[] noise(int size) {
    return Samples.noise(size);
  }

  /** What is in a folder, in order; what a fresh file system brings along is left out. */
  private static List<String> names(Path folder) throws IOException {
    try (Stream<Path> all = Files.list(folder)) {
      return all.map(path -> String.valueOf(path.getFileName()))
          .filter(name -> !name.equals("lost+found"))
          .sorted()
          .toList();
    }
  }

  private boolean lacks(Trait trait) {
    return leavesOut().contains(trait);
  }

  private void assumeHas(Trait trait) {
    Assumptions.assumeFalse(lacks(trait), () -> "this kind leaves out " + trait);
  }
}
