package io.jcontainerd.testkit.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.core.ports.Kernel;
import io.jcontainerd.core.snapshots.Snapshotter;
import io.jcontainerd.core.snapshots.Usage;
import io.jcontainerd.testkit.tree.Tree;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What any {@link Snapshotter} owes its callers as far as files go. Really mounts. */
@Tag("root")
public abstract class SnapshotterFilesContract extends SnapshotterContract {
  /** For subclasses. */
  protected SnapshotterFilesContract() {}

  /** Mounts for the test. */
  protected abstract Kernel kernel();

  /** A folder for mounts, on this machine. */
  protected abstract Path scratch();

  /** Something done to a mounted tree. */
  @FunctionalInterface
  protected interface OnTree {
    /** Does it. */
    void run(Path root) throws IOException;
  }

  /** Does something to a mounted snapshot, and unmounts it. */
  protected final void mounted(List<Mount> mounts, OnTree action) throws IOException {
    Path place = Files.createTempDirectory(scratch(), "mounted");
    kernel().mount(mounts, place);
    try {
      action.run(place);
    } finally {
      kernel().unmountAll(place);
      Files.delete(place);
    }
  }

  private void layer(Snapshotter snapshotter, String name, String parent, OnTree content)
      throws IOException {
    mounted(prepare(snapshotter, "prepare-" + name, parent), content);
    commit(snapshotter, name, "prepare-" + name);
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

  /** Everything that a file can be, except for sockets and sparse files. */
  protected final void everyKind(Path root) throws IOException {
    Files.createDirectories(root.resolve("folder/deep"));
    Files.writeString(root.resolve("folder/file"), "text");
    Files.createLink(root.resolve("folder/deep/link"), root.resolve("folder/file"));
    Files.createSymbolicLink(root.resolve("symlink"), Path.of("folder/missing"));
    Files.writeString(root.resolve("setuid"), "x");
    Files.setAttribute(root.resolve("setuid"), "unix:uid", 12);
    Files.setAttribute(root.resolve("setuid"), "unix:gid", 34);
    Files.setAttribute(root.resolve("setuid"), "unix:mode", 0104751);
    Files.setAttribute(root.resolve("symlink"), "unix:uid", 56, LinkOption.NOFOLLOW_LINKS);
    kernel()
        .setExtendedAttribute(root.resolve("folder/file"), "user.note", new byte[] {0, 1, 2, -1});
    kernel()
        .setExtendedAttribute(
            root.resolve("setuid"),
            "security.capability",
            java.util.HexFormat.of().parseHex("0100000200040000000000000000000000000000"));
    run("mknod", root.resolve("null").toString(), "c", "1", "3");
    run("mknod", root.resolve("block").toString(), "b", "7", "300");
    run("mkfifo", root.resolve("fifo").toString());
    Files.setPosixFilePermissions(
        root.resolve("folder"), PosixFilePermissions.fromString("rwxr-x---"));
    var time = FileTime.from(Instant.parse("2001-02-03T04:05:06.123456789Z"));
    for (String path : List.of("folder/file", "setuid", "null", "folder/deep", "folder")) {
      Files.setLastModifiedTime(root.resolve(path), time);
    }
  }

  private static void run(String... command) throws IOException {
    try {
      int status = new ProcessBuilder(command).inheritIO().start().waitFor();
      assertThat(status).as(String.join(" ", command)).isZero();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
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
          everyKind(root);
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
    run("sync", "-f", scratch().toString());
    Usage after = snapshotter.usage("active");
    assertThat(after.inodes() - before.inodes()).isEqualTo(2);
    assertThat(after.size() - before.size()).isBetween(1L << 20, (1L << 20) + (64L << 10));
    commit(snapshotter, "done", "active");
    assertThat(snapshotter.usage("done").inodes()).isEqualTo(after.inodes());
    assertThat(snapshotter.usage("done").size()).isEqualTo(after.size());
  }

  @Test
  void many_layers_can_be_mounted() throws IOException {
    Snapshotter snapshotter = open();
    String parent = "";
    for (int i = 0; i < 40; i++) {
      String name = "layer-" + i;
      String file = "file-" + i;
      layer(snapshotter, name, parent, root -> Files.writeString(root.resolve(file), file));
      parent = name;
    }
    mounted(
        prepare(snapshotter, "active", parent),
        root -> {
          for (int i = 0; i < 40; i++) {
            assertThat(root.resolve("file-" + i)).hasContent("file-" + i);
          }
        });
  }
}
