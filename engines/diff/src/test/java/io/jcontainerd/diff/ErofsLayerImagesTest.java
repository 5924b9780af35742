package io.jcontainerd.diff;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.ResourceExhaustedException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.linux.LinuxFiles;
import io.jcontainerd.linux.process.LinuxProcesses;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongConsumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
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
    return image(layer, false, _ -> {}, options);
  }

  private byte[] image(byte[] layer, boolean isAbove, LongConsumer room, String... options)
      throws IOException {
    var images =
        new ErofsLayerImages(scene.applier, new LinuxFiles(), processes, work, List.of(options));
    var out = new ByteArrayOutputStream();
    Descriptor plain =
        Call.in("test")
            .call(
                () -> {
                  Descriptor at = scene.blob(layer, ApplyScene.TAR);
                  try {
                    return images.write(at, isAbove, room, out);
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
  void an_image_holds_what_an_overlay_would() throws Exception {
    Assumptions.assumeTrue(Files.readString(Path.of("/proc/filesystems")).contains("\terofs\n"));
    Path file = folder.resolve("layer.erofs");
    Files.write(
        file,
        image(
            new Tars()
                .folder("tmp/", 01777)
                .file("tmp/x", "x")
                .whiteout("tmp/.wh.gone")
                .folder("opq/")
                .whiteout("opq/.wh..wh..opq")
                .end(),
            true,
            _ -> {}));
    Path place = Files.createDirectory(folder.resolve("place"));
    Shell.sh("mount -t erofs -o ro,loop $1 $2", file.toString(), place.toString());
    try {
      assertThat(Shell.sh("cd $1; stat -c '%a %u %F %t,%T' tmp tmp/x tmp/gone", place.toString()))
          .matches(
              "1777 0 directory 0,0\n[0-7]+ 0 regular file 0,0\n[0-7]+ 0 character special file 0,0");
      assertThat(Shell.sh("cd $1; getfattr -d -m trusted.overlay --absolute-names opq", place + ""))
          .contains("opaque=\"y\"");
    } finally {
      Shell.sh("umount $1", place.toString());
    }
  }

  @Test
  void what_folders_below_are_is_not_guessed() throws Exception {
    byte[] layer = new Tars().file("tmp/x", "x").end();
    assertThatThrownBy(() -> image(layer, true, _ -> {}))
        .isInstanceOf(FailedPreconditionException.class)
        .hasMessageContaining("\"tmp\" is not in the layer itself");
    assertThat(image(layer)).as("where nothing is below").isNotEmpty();
    byte[] whole =
        new Tars().folder("./").folder("tmp/", 01777).file("tmp/x", "x").whiteout(".wh.gone").end();
    assertThat(image(whole, true, _ -> {})).isEqualTo(image(whole));
  }

  @Test
  void room_is_asked_for_before_it_is_taken() throws Exception {
    byte[] layer = new Tars().file("big", "x".repeat(9 << 20)).end();
    List<Long> asked = new ArrayList<>();
    assertThat(image(layer, false, asked::add)).isNotEmpty();
    assertThat(asked).startsWith(0L).endsWith(9L << 20).anyMatch(bytes -> bytes > 9 << 20);
    for (long refused : asked) {
      assertThatThrownBy(
              () ->
                  image(
                      layer,
                      false,
                      bytes -> {
                        if (bytes == refused) {
                          throw new ResourceExhaustedException("full");
                        }
                      }))
          .isInstanceOf(ResourceExhaustedException.class)
          .hasMessage("full");
    }
  }

  @Test
  void what_the_program_complains_of_is_told() {
    assertThatThrownBy(() -> image(layer(), "--no-such-option"))
        .isInstanceOf(UnavailableException.class)
        .hasMessageContaining("mkfs.erofs ended with")
        .hasMessageContaining("no-such-option");
  }
}
