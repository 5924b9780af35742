package io.jcontainerd.diff;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.diff.Applier;
import io.jcontainerd.core.failure.ResourceExhaustedException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ErofsApplierTest {
  private static final String IMAGE = "application/vnd.erofs.layer.v1";

  @TempDir Path folder;

  private Descriptor apply(LayerLimits limits, byte[] layer, String type) throws IOException {
    var scene = new ApplyScene(folder);
    Path snapshot = scene.fresh("snapshot");
    if (Files.notExists(snapshot.resolve(".erofslayer"))) {
      Files.createFile(snapshot.resolve(".erofslayer"));
    }
    var applier = new ErofsApplier(scene.content, scene.mounter, limits);
    return applier.apply(
        scene.blob(layer, type),
        ApplyScene.bind(scene.fresh("snapshot/fs")),
        new Applier.Options(Map.of(), false));
  }

  @Test
  void an_archive_keeps_the_limits_that_are_given() {
    byte[] layer = new Tars().folder("one").folder("two").end();
    assertThatThrownBy(() -> apply(new LayerLimits(0, 0, 1), layer, ApplyScene.TAR))
        .isInstanceOf(ResourceExhaustedException.class)
        .hasMessageContaining("more entries than the 1");
  }

  @Test
  void an_image_keeps_the_limit_of_bytes() throws Exception {
    byte[] image = new byte[1001];
    assertThatThrownBy(() -> apply(new LayerLimits(1000, 0, 0), image, IMAGE))
        .isInstanceOf(ResourceExhaustedException.class)
        .hasMessageContaining("more than 1000 bytes");
    assertThat(folder.resolve("snapshot/layer.erofs")).doesNotExist();
    assertThat(apply(LayerLimits.NONE, image, IMAGE).size()).isEqualTo(1001);
    assertThat(folder.resolve("snapshot/layer.erofs")).hasBinaryContent(image);
  }
}
