package io.jcontainerd.snapshots;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.failure.ResourceExhaustedException;
import io.jcontainerd.core.failure.UnknownException;
import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.core.snapshots.Snapshotter;
import io.jcontainerd.testkit.disk.LoopDisk;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Files that hold ext4, on ext4, where a copy shares nothing. */
@Tag("root")
class BlockfileFilesTest extends DiskFilesTest {
  private static final long SCRATCH = 64L << 20;

  @Override
  String ground() {
    return "ext4";
  }

  @Override
  long groundSize() {
    return 512L << 20;
  }

  @Override
  protected Optional<String> whyNotHere() throws Exception {
    LoopDisk.requireKernel(type());
    return Optional.empty();
  }

  /** The file system in the files. */
  String type() {
    return "ext4";
  }

  String[] mkfsOptions() {
    return new String[0];
  }

  long scratchSize() {
    return SCRATCH;
  }

  List<String> mountOptions() {
    return List.of();
  }

  private Path scratchFile() throws Exception {
    Path file = records.resolve("scratch.img");
    if (!Files.exists(file)) {
      LoopDisk.image(file, type(), scratchSize(), mkfsOptions());
    }
    return file;
  }

  private BlockfileSnapshotter.Options options() throws Exception {
    return new BlockfileSnapshotter.Options(
        scratchFile().toString(), type(), mountOptions(), false);
  }

  @Override
  protected Snapshotter open(Path root) throws Exception {
    return BlockfileSnapshotter.open(root, environment(), options());
  }

  @Override
  protected Set<Trait> leavesOut() {
    return EnumSet.of(Trait.MEASURES_FILES, Trait.MOUNTS_TWICE);
  }

  @Override
  protected int depth() {
    return 24;
  }

  private String file(int id) {
    return root().resolve("snapshots/" + id).toString();
  }

  private List<String> withOptions(String... more) {
    var all = new ArrayList<>(mountOptions());
    all.add("loop");
    all.addAll(List.of(more));
    return all;
  }

  @Test
  void mounts_are_loop_mounts_of_files() {
    Snapshotter snapshotter = open();
    assertThat(prepare(snapshotter, "active", ""))
        .containsExactly(new Mount(type(), file(1), withOptions("rw")));
    commit(snapshotter, "base", "active");
    assertThat(snapshotter.view("view", "base", Map.of()))
        .containsExactly(new Mount(type(), file(1), withOptions("ro")));
    assertThat(Path.of(file(2))).doesNotExist();
    assertThat(snapshotter.view("empty", "", Map.of()))
        .containsExactly(new Mount(type(), file(3), withOptions("ro")));
    snapshotter.remove("view");
    snapshotter.remove("empty");
    snapshotter.cleanup();
    assertThat(Path.of(file(3))).doesNotExist();
    assertThat(Path.of(file(1))).exists();
  }

  @Test
  void files_that_belong_to_nobody_go_with_the_next_clean_up() throws Exception {
    Snapshotter snapshotter = open();
    layer(snapshotter, "base", "");
    Files.writeString(Path.of(file(77)), "half a copy");
    Files.writeString(root().resolve("snapshots/rm-78"), "half removed");
    snapshotter.cleanup();
    assertThat(root().resolve("snapshots")).isDirectoryContaining("glob:**/1");
    assertThat(Path.of(file(77))).doesNotExist();
    assertThat(root().resolve("snapshots/rm-78")).doesNotExist();
  }

  @Test
  void the_scratch_file_is_copied_once_or_every_time() throws Exception {
    var once = options();
    BlockfileSnapshotter.open(root(), environment(), once).close();
    Path own = root().resolve("scratch");
    assertThat(own).hasSize(scratchSize());
    Files.writeString(own, "changed");
    BlockfileSnapshotter.open(root(), environment(), once).close();
    assertThat(own).hasContent("changed");
    var anew =
        new BlockfileSnapshotter.Options(scratchFile().toString(), type(), mountOptions(), true);
    BlockfileSnapshotter.open(root(), environment(), anew).close();
    assertThat(own).hasSize(scratchSize());
  }

  @Test
  void without_a_scratch_file_there_is_a_reason() throws Exception {
    assertThat(
            BlockfileSnapshotter.reasonAgainst(
                root(), environment(), BlockfileSnapshotter.Options.DEFAULTS))
        .hasValueSatisfying(reason -> assertThat(reason).contains("scratch_file"));
    assertThat(BlockfileSnapshotter.reasonAgainst(root(), environment(), options())).isEmpty();
    var missing = new BlockfileSnapshotter.Options("/no/such/file", "", List.of(), false);
    assertThatThrownBy(() -> BlockfileSnapshotter.open(root(), environment(), missing))
        .isInstanceOf(UnknownException.class)
        .hasMessageContaining("/no/such/file");
    assertThat(root().resolve("scratch")).doesNotExist();
  }

  @Test
  void a_full_disk_is_told_and_nothing_is_left() throws Exception {
    Snapshotter snapshotter = open();
    Path filler = root().resolve("filler");
    fill(filler);
    Path other = testFolder().resolve("other.img");
    LoopDisk.image(other, type(), scratchSize(), mkfsOptions());
    try {
      var options =
          new BlockfileSnapshotter.Options(other.toString(), type(), mountOptions(), true);
      assertThatThrownBy(() -> BlockfileSnapshotter.open(root(), environment(), options))
          .isInstanceOf(ResourceExhaustedException.class)
          .hasMessageContaining("scratch");
    } finally {
      Files.delete(other);
      Files.delete(filler);
    }
    prepare(snapshotter, "active", "");
  }

  /** Takes all room there is. */
  private static void fill(Path filler) throws Exception {
    try (var file =
        FileChannel.open(filler, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      for (int size = 1 << 20; size >= 1 << 12; size >>= 1) {
        ByteBuffer block = ByteBuffer.wrap(noise(size));
        boolean room = true;
        while (room) {
          try {
            room = file.write(block.rewind()) == size;
            file.force(true);
          } catch (IOException _) {
            room = false;
          }
        }
      }
    }
  }
}
