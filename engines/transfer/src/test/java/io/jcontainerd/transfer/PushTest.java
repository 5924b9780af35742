package io.jcontainerd.transfer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Platform;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.images.Image;
import io.jcontainerd.core.registry.RegistryAccess;
import io.jcontainerd.core.transfer.ImageSelection;
import io.jcontainerd.core.transfer.ImageSelection.ExtraReference;
import io.jcontainerd.core.transfer.PushRequest;
import io.jcontainerd.core.transfer.RemoteImage;
import io.jcontainerd.core.transfer.TransferListener;
import io.jcontainerd.oci.image.Index;
import io.jcontainerd.oci.image.MediaTypes;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Pushes what was pulled, to the same registry that has forgotten it. */
@Timeout(60)
class PushTest {
  private static final String TO = "other.example/copy:v2";

  private final Scene scene = new Scene();
  private final ScriptedRegistry registry = scene.registry;

  private void pullAndForget(Descriptor root) {
    registry.names.put(Scene.NAME, root);
    Call.in("test").run(() -> scene.pull(new ImageSelection("my-name")));
    registry.blobs.clear();
    registry.names.clear();
    scene.told.clear();
  }

  private void push(ImageSelection source) {
    Call.in("test")
        .run(
            () ->
                scene
                    .engine()
                    .push(
                        new PushRequest(source, new RemoteImage(TO, RegistryAccess.USUAL)),
                        scene.told::add));
  }

  private Descriptor index(ScriptedRegistry.Made first, ScriptedRegistry.Made second) {
    return registry.index(
        new Index.Entry(first.at(), Optional.of(Scene.LINUX)),
        new Index.Entry(second.at(), Optional.of(new Platform("linux", "s390x", ""))));
  }

  @Test
  void blobs_go_before_manifests_and_the_index_last() {
    ScriptedRegistry.Made first = registry.image("linux", "amd64", 1000, 2000);
    ScriptedRegistry.Made second = registry.image("linux", "s390x", 3000);
    Descriptor root = index(first, second);
    pullAndForget(root);
    push(new ImageSelection("my-name"));
    List<Descriptor> order =
        registry.pushed.stream()
            .map(d -> new Descriptor(d.mediaType(), d.digest(), d.size()))
            .toList();
    assertThat(order).hasSize(3 + 2 + 2 + 1).endsWith(root);
    assertThat(order.subList(5, 7)).containsExactlyInAnyOrder(first.at(), second.at());
    assertThat(registry.pushedAs.getLast()).isEqualTo(TO);
    assertThat(registry.pushedAs.subList(5, 7))
        .containsExactlyInAnyOrder(
            "other.example/copy:v2@" + first.at().digest(),
            "other.example/copy:v2@" + second.at().digest());
    Call.in("test").run(scene::assertNothingIsLeft);
    Call.in("test").run(scene::assertNoRemains);
  }

  @Test
  void blobs_say_which_repositories_have_them() {
    ScriptedRegistry.Made image = registry.image("linux", "amd64", 1000);
    pullAndForget(image.at());
    push(new ImageSelection("my-name"));
    assertThat(registry.pushed)
        .allSatisfy(
            blob ->
                assertThat(blob.annotations())
                    .containsEntry("containerd.io/distribution.source.r.example", "dir/image"));
  }

  @Test
  void what_the_registry_has_is_not_sent() {
    ScriptedRegistry.Made image = registry.image("linux", "amd64", 1000);
    Descriptor layer = image.manifest().layers().getFirst();
    byte[] bytes = registry.blobs.get(layer.digest());
    pullAndForget(image.at());
    registry.blobs.put(layer.digest(), bytes);
    push(new ImageSelection("my-name"));
    assertThat(registry.pushed).hasSize(2);
    assertThat(scene.events(layer)).containsExactly("waiting", "uploading", "already exists");
  }

  @Test
  void progress_is_told_in_the_words_that_clients_know() {
    ScriptedRegistry.Made image = registry.image("linux", "amd64", 1000);
    pullAndForget(image.at());
    push(new ImageSelection("my-name"));
    assertThat(scene.told.getFirst().event()).isEqualTo("Pushing to OCI Registry (" + TO + ")");
    assertThat(scene.told.getLast().event())
        .isEqualTo("Completed push to OCI Registry (" + TO + ")");
    assertThat(scene.events(image.manifest().layers().getFirst()))
        .containsExactly("waiting", "uploading", "complete");
  }

  @Test
  void only_the_wanted_platforms_go() {
    ScriptedRegistry.Made first = registry.image("linux", "amd64", 1000);
    ScriptedRegistry.Made second = registry.image("linux", "s390x", 3000);
    pullAndForget(index(first, second));
    push(new ImageSelection("my-name").withPlatforms(List.of(Scene.LINUX)));
    assertThat(registry.blobs)
        .containsKey(first.at().digest())
        .doesNotContainKey(second.at().digest());
  }

  @Test
  void layers_that_must_not_be_passed_on_stay_here() {
    Descriptor usual = registry.add(MediaTypes.LAYER, ScriptedRegistry.bytes(1, 100));
    Descriptor foreign =
        registry.add(
            "application/vnd.oci.image.layer.nondistributable.v1.tar",
            ScriptedRegistry.bytes(2, 100));
    pullAndForget(registry.image("linux", "amd64", List.of(usual, foreign)).at());
    push(new ImageSelection("my-name"));
    assertThat(registry.blobs).containsKey(usual.digest()).doesNotContainKey(foreign.digest());
  }

  @Test
  void what_is_not_here_is_named_before_anything_is_sent() {
    ScriptedRegistry.Made image = registry.image("linux", "amd64", 1000, 2000);
    pullAndForget(image.at());
    Descriptor layer = image.manifest().layers().get(1);
    Call.in("test").run(() -> scene.content.delete(layer.digest()));
    assertThatThrownBy(() -> push(new ImageSelection("my-name")))
        .isInstanceOf(NotFoundException.class)
        .hasMessageContaining(
            "image my-name: content " + layer.digest() + " is not here; pull all platforms");
    assertThat(registry.pushed).isEmpty();
  }

  @Test
  void an_unknown_image_is_said() {
    assertThatThrownBy(() -> push(new ImageSelection("nobody")))
        .isInstanceOf(NotFoundException.class);
    Call.in("test").run(scene::assertNothingIsLeft);
  }

  @Test
  void an_image_gets_further_names() {
    ScriptedRegistry.Made image = registry.image("linux", "amd64", 1000);
    pullAndForget(image.at());
    List<Image> names =
        Call.in("test")
            .call(
                () ->
                    scene
                        .engine()
                        .tag(
                            new ImageSelection("my-name"),
                            new ImageSelection(
                                "second",
                                Map.of(),
                                List.of(),
                                false,
                                0,
                                List.of(new ExtraReference("third", false, true, false, false)),
                                List.of()),
                            TransferListener.NONE));
    assertThat(names).extracting(Image::name).containsExactly("second", "third");
    assertThat(names).extracting(Image::target).containsOnly(image.at());
  }

  @Test
  void an_index_goes_after_those_it_lists_whoever_else_lists_them() {
    ScriptedRegistry.Made image = registry.image("linux", "amd64", 1000);
    Descriptor lower = registry.index(new Index.Entry(image.at(), Optional.of(Scene.LINUX)));
    Descriptor upper = registry.index(new Index.Entry(lower, Optional.empty()));
    Descriptor root =
        registry.index(
            new Index.Entry(lower, Optional.empty()), new Index.Entry(upper, Optional.empty()));
    pullAndForget(root);
    push(new ImageSelection("my-name"));
    assertThat(registry.pushed.stream().map(Descriptor::digest).toList())
        .endsWith(lower.digest(), upper.digest(), root.digest());
  }

  @Test
  void a_push_that_fails_keeps_nothing_of_the_image() {
    ScriptedRegistry.Made image = registry.image("linux", "amd64", 1000, 2000);
    pullAndForget(image.at());
    Call.in("test").run(() -> scene.content.delete(image.manifest().layers().getFirst().digest()));
    assertThatThrownBy(() -> push(new ImageSelection("my-name")))
        .isInstanceOf(NotFoundException.class);
    Call.in("test").run(scene::assertNoRemains);
  }
}
