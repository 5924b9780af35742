package io.jcontainerd.linux;

import static io.jcontainerd.linux.Shell.sh;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.RawPath;
import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.core.ports.FileStat;
import io.jcontainerd.core.ports.Files;
import io.jcontainerd.core.ports.NoSpaceException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("root")
class LinuxFilesTest {
  @TempDir Path folder;
  private final LinuxFiles files = new LinuxFiles();

  @Test
  void bytes_written_through_heap_and_direct_buffers_are_read_back() throws IOException {
    Path file = folder.resolve("file");
    try (Files.Handle handle = files.open(file, Files.Open.CREATE_NEW, 0666)) {
      assertThat(handle.write(ByteBuffer.wrap("hello".getBytes(StandardCharsets.UTF_8)), 0))
          .isEqualTo(5);
      ByteBuffer direct =
          ByteBuffer.allocateDirect(6).put(" world".getBytes(StandardCharsets.UTF_8));
      assertThat(handle.write(direct.flip(), 5)).isEqualTo(6);
      handle.force();
      assertThat(handle.size()).isEqualTo(11);
      ByteBuffer heap = ByteBuffer.allocate(100);
      assertThat(handle.read(heap, 6)).isEqualTo(5);
      assertThat(handle.read(heap, 11)).isEqualTo(-1);
      handle.truncate(4);
    }
    assertThat(new String(files.readAll(file), StandardCharsets.UTF_8)).isEqualTo("hell");
    assertThat(files.stat(file).orElseThrow().mode()).isEqualTo(0666);
  }

  @Test
  void a_handle_survives_interruption_and_refuses_work_after_closing() throws IOException {
    Files.Handle handle = files.open(folder.resolve("file"), Files.Open.CREATE, 0600);
    Thread.currentThread().interrupt();
    try {
      assertThat(handle.write(ByteBuffer.wrap(new byte[10]), 0)).isEqualTo(10);
    } finally {
      assertThat(Thread.interrupted()).isTrue();
    }
    assertThat(handle.size()).isEqualTo(10);
    handle.close();
    handle.close();
    assertThatThrownBy(handle::size).isInstanceOf(ClosedChannelException.class);
  }

  @Test
  void opening_never_follows_a_link_and_says_what_is_wrong() throws IOException {
    files.symlink(folder.resolve("link"), "/etc/passwd");
    assertThatThrownBy(() -> files.open(folder.resolve("link"), Files.Open.READ, 0))
        .isInstanceOf(FileSystemLoopException.class);
    assertThatThrownBy(() -> files.open(folder.resolve("absent"), Files.Open.WRITE, 0))
        .isInstanceOf(NoSuchFileException.class)
        .hasCauseInstanceOf(ErrnoException.class);
    assertThatThrownBy(() -> files.open(folder.resolve("link"), Files.Open.CREATE_NEW, 0))
        .isInstanceOf(FileAlreadyExistsException.class);
  }

  @Test
  void a_status_is_what_stat_prints() throws Exception {
    Path file = folder.resolve("f");
    sh(
        "printf abc > $1; chown 12:34 $1; chmod 4751 $1; ln $1 $1.2;"
            + " touch -d '2001-02-03 04:05:06.123456789Z' $1",
        file.toString());
    FileStat stat = files.stat(file).orElseThrow();
    assertThat(
            "%o %d %d %d %d %d %d"
                .formatted(
                    stat.mode(),
                    stat.uid(),
                    stat.gid(),
                    stat.size(),
                    stat.links(),
                    stat.inode(),
                    stat.blocks()))
        .isEqualTo(sh("stat -c '%a %u %g %s %h %i %b' $1", file.toString()));
    assertThat(stat.modified()).isEqualTo(Instant.parse("2001-02-03T04:05:06.123456789Z"));
    assertThat(Long.toString(stat.device())).isEqualTo(sh("stat -c %d $1", file.toString()));
    assertThat(stat.type()).isEqualTo(FileStat.Type.REGULAR);
    FileStat zero = files.stat(Path.of("/dev/zero")).orElseThrow();
    assertThat(zero.type()).isEqualTo(FileStat.Type.CHARACTER_DEVICE);
    assertThat(DeviceNumber.major(zero.rdev())).isEqualTo(1);
    assertThat(DeviceNumber.minor(zero.rdev())).isEqualTo(5);
    long large = DeviceNumber.of(4000, 1_000_000);
    assertThat(DeviceNumber.major(large)).isEqualTo(4000);
    assertThat(DeviceNumber.minor(large)).isEqualTo(1_000_000);
    assertThat(files.stat(folder.resolve("absent"))).isEmpty();
  }

  @Test
  void owner_mode_and_time_are_set_on_the_name_itself() throws Exception {
    Path link = folder.resolve("link");
    files.symlink(link, "nowhere");
    files.setOwner(link, 7, -1);
    Instant time = Instant.parse("1969-12-31T23:59:59.5Z");
    files.setModified(link, time);
    assertThat(sh("stat -c '%u %g %.9Y' $1", link.toString())).isEqualTo("7 0 -0.500000000");
    assertThat(files.stat(link).orElseThrow().modified()).isEqualTo(time);
    files.createDirectory(folder.resolve("d"), 0711);
    files.setMode(folder.resolve("d"), 01777);
    assertThat(sh("stat -c %a $1", folder.resolve("d").toString())).isEqualTo("1777");
  }

  @Test
  void renaming_to_a_taken_name_is_a_choice() throws IOException {
    files.writeAll(folder.resolve("a"), new byte[] {1}, 0600);
    files.writeAll(folder.resolve("b"), new byte[] {2}, 0600);
    assertThatThrownBy(() -> files.renameNew(folder.resolve("a"), folder.resolve("b")))
        .isInstanceOf(FileAlreadyExistsException.class);
    files.rename(folder.resolve("a"), folder.resolve("b"));
    assertThat(files.readAll(folder.resolve("b"))).containsExactly(1);
    files.link(folder.resolve("c"), folder.resolve("b"));
    assertThat(files.list(folder)).containsExactly("b", "c");
    files.delete(folder.resolve("b"));
    assertThat(files.list(folder)).containsExactly("c");
    files.forceDirectory(folder);
  }

  @Test
  void a_deep_tree_is_removed_with_few_descriptors_and_links_stay_unfollowed() throws Exception {
    Path outside = folder.resolve("outside");
    files.createDirectories(outside.resolve("kept"), 0755);
    Path tree = folder.resolve("tree");
    sh("mkdir $1; ln -s $2 $1/link", tree.toString(), outside.toString());
    String nest =
        "import os,sys; os.chdir(sys.argv[1]);"
            + " [(os.mkdir('d'), open('f', 'w').close(), os.chdir('d')) for _ in range(3000)]";
    sh("python3 -c \"$1\" $2", nest, tree.toString());
    files.deleteTree(tree);
    assertThat(tree).doesNotExist();
    assertThat(outside.resolve("kept")).exists();
  }

  @Test
  void removing_a_tree_stops_at_a_mount() throws Exception {
    LinuxKernel kernel = new LinuxKernel(folder.resolve("tmp"));
    Path precious = folder.resolve("precious");
    files.createDirectory(precious, 0755);
    files.writeAll(precious.resolve("file"), new byte[1], 0600);
    Path mount = folder.resolve("tree/sub/mount");
    files.createDirectories(mount, 0755);
    kernel.mount(List.of(new Mount("bind", precious.toString(), List.of("bind"))), mount);
    try {
      assertThatThrownBy(() -> files.deleteTree(folder.resolve("tree")))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("EXDEV");
      assertThat(precious.resolve("file")).exists();
    } finally {
      kernel.unmountAll(mount);
    }
    files.deleteTree(folder.resolve("tree"));
    assertThat(files.stat(folder.resolve("tree"))).isEmpty();
  }

  @Test
  void a_full_disk_is_told_as_such() throws Exception {
    LinuxKernel kernel = new LinuxKernel(folder.resolve("tmp"));
    Path small = folder.resolve("small");
    files.createDirectory(small, 0755);
    kernel.mount(List.of(new Mount("tmpfs", "t", List.of("size=64k"))), small);
    try (Files.Handle handle = files.open(small.resolve("f"), Files.Open.CREATE_NEW, 0600)) {
      assertThatThrownBy(
              () -> {
                for (long at = 0; at < 1 << 20; at += 4096) {
                  handle.write(ByteBuffer.allocate(4096), at);
                }
              })
          .isInstanceOf(NoSpaceException.class);
    } finally {
      kernel.detachAll(small);
    }
  }

  @Test
  void open_folders_contain_every_way_out() throws Exception {
    sh(
        "mkdir -p $1/root/etc $1/etc; ln -s ../../.. $1/root/up; ln -s /etc $1/root/abs;"
            + " touch $1/root/etc/mine",
        folder.toString());
    try (Directory root = Directory.open(folder.resolve("root"))) {
      for (String way : List.of("up/etc", "abs", "../etc", "up/up/abs")) {
        try (Directory found = root.openInRoot(RawPath.of(way))) {
          assertThat(found.names()).containsExactly(RawPath.of("mine"));
        }
      }
      assertThatThrownBy(() -> root.openChild(RawPath.of("abs")))
          .isInstanceOfSatisfying(
              ErrnoException.class, e -> assertThat(e.errno()).isIn(Errno.ELOOP, Errno.ENOTDIR));
    }
  }

  @Test
  void names_of_any_bytes_nodes_and_attributes_are_handled_below_an_open_folder() throws Exception {
    RawPath odd = RawPath.of(new byte[] {(byte) 0xff, (byte) 0xfe, 'x', '\n'});
    try (Directory open = Directory.open(folder)) {
      try (OpenFile file = open.createFile(odd, 0600)) {
        file.write(ByteBuffer.wrap(new byte[] {1, 2, 3}));
      }
      assertThat(open.names()).containsExactly(odd);
      open.setAttribute(odd, RawPath.of("user.k"), new byte[] {0, 1});
      assertThat(open.attributes(odd)).containsExactly(RawPath.of("user.k"));
      assertThat(open.attribute(odd, RawPath.of("user.k")).orElseThrow()).containsExactly(0, 1);
      open.unlink(odd);
      open.makeNode(RawPath.of("w"), FileStat.Type.CHARACTER_DEVICE, 0, 0);
      open.makeNode(RawPath.of("p"), FileStat.Type.FIFO, 0600, 0);
      open.makeNode(
          RawPath.of("b"), FileStat.Type.BLOCK_DEVICE, 0600, DeviceNumber.of(259, 70_000));
    }
    assertThat(sh("cd $1; stat -c '%n %F %Hr,%Lr' b p w", folder.toString()))
        .isEqualTo("b block special file 259,70000\np fifo 0,0\nw character special file 0,0");
  }

  @Test
  void a_file_is_copied_with_its_holes() throws Exception {
    Path from = folder.resolve("from");
    sh(
        "truncate -s 1m $1; printf x | dd of=$1 bs=1 seek=300000 conv=notrunc 2>/dev/null",
        from.toString());
    try (Directory open = Directory.open(folder);
        OpenFile source = open.openFile(RawPath.of("from"));
        OpenFile copy = open.createFile(RawPath.of("to"), 0600)) {
      copy.copyFrom(source);
      assertThat(copy.status().size()).isEqualTo(1 << 20);
      assertThat(copy.status().blocks()).isLessThan(64);
    }
    sh("cmp $1/from $1/to", folder.toString());
  }
}
