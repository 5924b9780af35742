package io.jcontainerd.transfer;

import static org.assertj.core.api.Assertions.assertThat;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Labels;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.oci.image.ChainIds;
import io.jcontainerd.testkit.remote.FolderLayersSnapshotter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Pulls into a snapshotter that fetches layers by itself. */
@Timeout(60)
class LazyPullTest {
  @TempDir private Path folder;
  private final Scene scene = new Scene();
  private final ScriptedRegistry registry = scene.registry;

  private FolderLayersSnapshotter snapshotter(boolean rebases) {
    FolderLayersSnapshotter made = new FolderLayersSnapshotter(folder, Time.SYSTEM, rebases);
    scene.snapshotter = made;
    return made;
  }

  private ScriptedRegistry.Made image(int... layers) {
    ScriptedRegistry.Made image = registry.image("linux", "amd64", layers);
    registry.names.put(Scene.NAME, image.at());
    return image;
  }

  private static List<String> chain(ScriptedRegistry.Made image) {
    return ChainIds.of(image.manifest().layers().stream().map(Descriptor::digest).toList()).stream()
        .map(Object::toString)
        .toList();
  }

  private void pull() {
    Call.in("test").run(() -> assertThat(scene.pull(Scene.unpacked("my-name"))).hasSize(1));
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void layers_that_the_snapshotter_has_are_neither_fetched_nor_unpacked(boolean rebases)
      throws IOException {
    FolderLayersSnapshotter lazy = snapshotter(rebases);
    ScriptedRegistry.Made image = image(1000, 2000);
    for (Descriptor layer : image.manifest().layers()) {
      Files.createDirectories(lazy.folder(layer.digest().toString()));
    }
    pull();
    assertThat(image.manifest().layers())
        .allSatisfy(layer -> assertThat(registry.countOf(layer)).isZero());
    assertThat(scene.applier.applied).isEmpty();
    Call.in("test")
        .run(
            () -> {
              assertThat(scene.committed()).containsExactlyInAnyOrderElementsOf(chain(image));
              assertThat(scene.labels(image.manifest().config()))
                  .containsEntry("containerd.io/gc.ref.snapshot.memory", chain(image).getLast());
              scene.assertNothingIsLeft();
            });
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void what_it_lacks_is_fetched_and_unpacked_on_what_it_has(boolean rebases) throws IOException {
    FolderLayersSnapshotter lazy = snapshotter(rebases);
    ScriptedRegistry.Made image = image(1000, 2000, 3000);
    List<Descriptor> layers = image.manifest().layers();
    Files.createDirectories(lazy.folder(layers.get(0).digest().toString()));
    pull();
    assertThat(registry.countOf(layers.get(0))).isZero();
    assertThat(registry.countOf(layers.get(1))).isEqualTo(1);
    assertThat(registry.countOf(layers.get(2))).isEqualTo(1);
    assertThat(scene.applier.applied).hasSize(2);
    Call.in("test")
        .run(
            () -> {
              assertThat(lazy.stat(chain(image).get(1)).parent()).isEqualTo(chain(image).get(0));
              assertThat(lazy.stat(chain(image).get(2)).parent()).isEqualTo(chain(image).get(1));
              scene.assertNothingIsLeft();
            });
  }

  @Test
  void it_is_told_what_it_needs_to_fetch_a_layer() throws IOException {
    FolderLayersSnapshotter lazy = snapshotter(false);
    ScriptedRegistry.Made image = image(1000, 2000);
    List<Descriptor> layers = image.manifest().layers();
    Files.createDirectories(lazy.folder(layers.get(0).digest().toString()));
    pull();
    assertThat(lazy.preparedWith().getFirst())
        .containsEntry(Labels.SNAPSHOT_REF, chain(image).getFirst())
        .containsEntry(Labels.DIFF_ID, layers.getFirst().digest().toString())
        .containsEntry("containerd.io/snapshot/cri.image-ref", Scene.NAME)
        .containsEntry("containerd.io/snapshot/cri.manifest-digest", image.at().digest().toString())
        .containsEntry(
            "containerd.io/snapshot/cri.layer-digest", layers.getFirst().digest().toString())
        .containsEntry(
            "containerd.io/snapshot/cri.image-layers",
            layers.get(0).digest() + "," + layers.get(1).digest());
    assertThat(lazy.preparedWith().getLast())
        .containsEntry(Labels.PARENT_CHAIN_ID, chain(image).getFirst());
  }
}
