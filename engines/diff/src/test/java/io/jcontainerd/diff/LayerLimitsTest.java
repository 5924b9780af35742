package io.jcontainerd.diff;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.github.luben.zstd.Zstd;
import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.content.ContentReader;
import io.jcontainerd.core.diff.Applier;
import io.jcontainerd.core.failure.ResourceExhaustedException;
import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.core.ports.NoSpaceException;
import io.jcontainerd.linux.Errno;
import io.jcontainerd.linux.ErrnoException;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LayerLimitsTest {
  private static final int MEMBER = 64 << 20;

  @Test
  void what_is_remembered_of_folders_follows_the_limit_of_entries() {
    assertThat(LayerLimits.USUAL.folderBytes()).isEqualTo(16 << 20);
    assertThat(new LayerLimits(0, 0, 10).folderBytes()).as("at least").isEqualTo(16 << 20);
    assertThat(new LayerLimits(0, 0, 10_000_000).folderBytes()).isEqualTo(160_000_000);
    assertThat(LayerLimits.NONE.folderBytes()).isGreaterThan(2_000_000_000);
    assertThat(new LayerLimits(0, 0, Long.MAX_VALUE).folderBytes()).isGreaterThan(2_000_000_000);
  }

  @Test
  void a_limit_that_a_layer_passed_is_told_from_a_full_disk() {
    for (int number : List.of(Errno.ENOSPC, Errno.EDQUOT)) {
      var full = new ErrnoException("write", "a file", number);
      assertThat(LayerApplier.failure("layer", full))
          .isInstanceOf(ResourceExhaustedException.class)
          .hasMessage("layer: " + full.getMessage() + ": free some space")
          .hasCauseInstanceOf(NoSpaceException.class)
          .hasRootCause(full);
    }
    assertThat(LayerApplier.failure("layer", new LayerLimitException("too much")))
        .isInstanceOf(ResourceExhaustedException.class)
        .hasCauseExactlyInstanceOf(LayerLimitException.class);
  }

  /** A blob that is said to be as large as a disk. */
  private static ContentReader boastful(byte[] blob) {
    return new ContentReader() {
      @Override
      public long size() {
        return 1L << 40;
      }

      @Override
      public int read(ByteBuffer into, long position) {
        int count = Math.min(into.remaining(), blob.length - (int) position);
        if (count == 0) {
          return -1;
        }
        into.put(blob, (int) position, count);
        return count;
      }

      @Override
      public void close() {}
    };
  }

  @Test
  void of_a_layer_that_is_on_its_way_counts_what_has_come_and_not_what_is_promised(
      @TempDir Path folder) throws Exception {
    ApplyScene scene = new ApplyScene(folder, new LayerLimits(0, 10, 0));
    byte[] zeros = Zstd.compress(new byte[MEMBER]);
    ByteArrayOutputStream bomb = new ByteArrayOutputStream();
    for (long plain = 0; plain <= LayerLimits.RATIO_COUNTS_FROM; plain += MEMBER) {
      bomb.write(zeros);
    }
    byte[] blob = bomb.toByteArray();
    List<Mount> target = ApplyScene.bind(scene.fresh("target"));
    Applier.Options options = new Applier.Options(Map.of(), false);
    Descriptor layer = new Descriptor(ApplyScene.ZSTD, Digest.sha256(blob), 1L << 40);
    assertThatThrownBy(() -> scene.applier.apply(layer, boastful(blob), target, options))
        .isInstanceOf(ResourceExhaustedException.class)
        .hasMessageContaining("unpacks to more than 1073741824 bytes")
        .hasMessageContaining("for one of " + blob.length);
  }
}
