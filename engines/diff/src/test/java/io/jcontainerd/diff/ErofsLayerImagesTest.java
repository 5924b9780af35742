package io.jcontainerd.diff;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.linux.LinuxFiles;
import io.jcontainerd.linux.process.LinuxProcesses;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Needs {@code mkfs.erofs}. */
@Tag("root")
class ErofsLayerImagesTest {
  private static final int MAGIC = 0xe0f5e1e2;

  @TempDir Path folder;
  private LinuxProcesses processes;
  private ApplyScene scene;
  private Path work;

  @BeforeEach
  void open() throws IOException {
    processes = LinuxProcesses.open();
    scene = new ApplyScene(folder);
    work = folder.resolve("work");
  }

  @AfterEach
  void close() throws IOException {
    assertThat(work)
        .satisfiesAnyOf(f -> assertThat(f).doesNotExist(), f -> assertThat(f).isEmptyDirectory());
    processes.close();
  }

  private byte[] image(byte[] layer, String... options) throws IOException {
    var images =
        new ErofsLayerImages(scene.applier, new LinuxFiles(), processes, work, List.of(options));
    var out = new ByteArrayOutputStream();
    Descriptor plain =
        Call.in("test")
            .call(
                () -> {
                  Descriptor at = scene.blob(layer, ApplyScene.TAR);
                  try {
                    return images.write(at, out);
                  } catch (IOException e) {
                    throw new UncheckedIOException(e);
                  } finally {
                    scene.content.delete(at.digest());
                  }
                });
    assertThat(plain.digest()).isEqualTo(Digest.sha256(layer));
    return out.toByteArray();
  }

  private static byte[] layer() {
    return new Tars()
        .file("etc/hello", "world")
        .whiteout("etc/.wh.gone")
        .symlink("etc/link", "hello")
        .end();
  }

  @Test
  void equal_layers_make_equal_images() throws Exception {
    byte[] first = image(layer());
    assertThat(ByteBuffer.wrap(first).order(ByteOrder.LITTLE_ENDIAN).getInt(1024)).isEqualTo(MAGIC);
    long second = System.currentTimeMillis() / 1000;
    while (System.currentTimeMillis() / 1000 == second) {
      Thread.onSpinWait(); // so that whatever takes the time would show
    }
    assertThat(image(layer())).isEqualTo(first);
    assertThat(image(new Tars().folder("etc/").file("etc/hello", "World").end()))
        .isNotEqualTo(first);
  }

  @Test
  void a_layer_that_depends_on_what_is_below_is_refused() {
    assertThatThrownBy(() -> image(new Tars().hardLink("hello", "below").end()))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessageContaining("below");
  }

  @Test
  void what_the_program_complains_of_is_told() {
    assertThatThrownBy(() -> image(layer(), "--no-such-option"))
        .isInstanceOf(UnavailableException.class)
        .hasMessageContaining("mkfs.erofs ended with")
        .hasMessageContaining("no-such-option");
  }
}
