package io.jcontainerd.transfer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.failure.PermissionDeniedException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.filter.Filter;
import io.jcontainerd.core.images.ImageVerifier;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class VerifiedPullTest {
  private final Scene scene = new Scene();
  private final ScriptedRegistry.Made image = scene.registry.image("linux", "amd64", 1000);

  VerifiedPullTest() {
    scene.registry.names.put(Scene.NAME, image.at());
  }

  private void pull() {
    Call.in("test").run(() -> scene.pull(Scene.unpacked(Scene.NAME)));
  }

  private List<String> committed() {
    return Call.in("test").call(scene::committed);
  }

  private void assertNothingCame() {
    assertThat(scene.registry.asked).noneMatch(asked -> asked.contains("sha256:"));
    assertThat(Call.in("test").call(() -> scene.images.list(Filter.ALL))).isEmpty();
    assertThat(committed()).isEmpty();
    Call.in("test").run(scene::assertNothingIsLeft);
  }

  @Test
  void a_verifier_is_told_the_name_and_what_it_stands_for() {
    List<String> asked = new ArrayList<>();
    scene.verifiers =
        Map.of(
            "mine",
            (name, at) -> {
              asked.add(name + " " + at.digest() + " " + at.mediaType());
              return new ImageVerifier.Judgement(true, "signed by me");
            });
    pull();
    Descriptor root = image.at();
    assertThat(asked).containsExactly(Scene.NAME + " " + root.digest() + " " + root.mediaType());
    assertThat(committed()).hasSize(1);
    assertThat(scene.told).anyMatch(told -> told.event().equals("Verified by signed by me"));
  }

  @Test
  void what_a_verifier_refuses_does_not_come() {
    scene.verifiers = Map.of("mine", (_, _) -> new ImageVerifier.Judgement(false, "not signed"));
    assertThatThrownBy(this::pull)
        .isInstanceOf(PermissionDeniedException.class)
        .hasMessage(
            "image " + Scene.NAME + " with digest " + image.at().digest() + ": mine: not signed");
    assertNothingCame();
  }

  @Test
  void without_a_judgement_nothing_comes() {
    scene.verifiers =
        Map.of(
            "mine",
            (_, _) -> {
              throw new UnavailableException("verifier a did not answer");
            });
    assertThatThrownBy(this::pull)
        .isInstanceOf(UnavailableException.class)
        .hasMessageContaining(Scene.NAME)
        .hasMessageEndingWith(": mine: verifier a did not answer");
    assertNothingCame();
  }

  @Test
  void all_verifiers_have_to_allow_it() {
    scene.verifiers =
        Map.of(
            "a", (_, _) -> new ImageVerifier.Judgement(true, ""),
            "b", (_, _) -> new ImageVerifier.Judgement(false, "no"),
            "c", (_, _) -> new ImageVerifier.Judgement(true, ""));
    assertThatThrownBy(this::pull).isInstanceOf(PermissionDeniedException.class);
    assertNothingCame();
  }
}
