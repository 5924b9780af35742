package io.jcontainerd.transfer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.failure.ResourceExhaustedException;
import io.jcontainerd.core.filter.Filter;
import io.jcontainerd.core.transfer.ImageSelection;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A disk that fills up while an image is unpacked. */
@Timeout(60)
class FullDiskTest {
  private final Scene scene = new Scene();

  @Test
  void a_layer_that_does_not_fit_says_so_and_leaves_no_snapshot() {
    ScriptedRegistry.Made image = scene.registry.image("linux", "amd64", 1000, 2000);
    scene.registry.names.put(Scene.NAME, image.at());
    Descriptor large = image.manifest().layers().get(1);
    scene.applier.meanwhile =
        layer -> {
          if (layer.equals(large)) {
            throw new ResourceExhaustedException(
                "layer " + layer.digest() + ": no space left on device");
          }
        };
    assertThatThrownBy(() -> Call.in("test").call(() -> scene.pull(Scene.unpacked("my-name"))))
        .isInstanceOf(ResourceExhaustedException.class)
        .hasMessage("layer " + large.digest() + ": no space left on device");
    Call.in("test")
        .run(
            () -> {
              assertThat(scene.images.list(Filter.ALL)).isEmpty();
              scene.assertNothingIsLeft();
            });
    scene.applier.meanwhile = _ -> {};
    Call.in("test").run(() -> scene.pull(Scene.unpacked("my-name")));
    assertThat(scene.registry.countOf(large)).as("its blob was not collected yet").isEqualTo(1);
  }

  @Test
  void a_blob_that_does_not_fit_is_not_kept_half() {
    ScriptedRegistry.Made image = scene.registry.image("linux", "amd64", 1000, 2_000_000);
    scene.registry.names.put(Scene.NAME, image.at());
    scene.biggestBlob = 1_000_000;
    Descriptor large = image.manifest().layers().get(1);
    assertThatThrownBy(() -> Call.in("test").call(() -> scene.pull(new ImageSelection("my-name"))))
        .isInstanceOf(ResourceExhaustedException.class)
        .hasMessage("content " + large.digest() + ": ingest: No space left on device");
    Call.in("test")
        .run(
            () -> {
              assertThat(scene.content.statuses(Filter.ALL)).isEmpty();
              scene.assertNothingIsLeft();
              scene.assertNoRemains();
            });
  }
}
