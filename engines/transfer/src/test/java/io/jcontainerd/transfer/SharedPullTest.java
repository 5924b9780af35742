package io.jcontainerd.transfer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.content.Ingest;
import io.jcontainerd.core.content.IngestRequest;
import io.jcontainerd.core.failure.CancelledException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.UnauthenticatedException;
import io.jcontainerd.core.registry.RegistryAccess;
import io.jcontainerd.core.transfer.ImageSelection;
import io.jcontainerd.oci.image.ContentNames;
import io.jcontainerd.testkit.time.Soon;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Several who want the same at the same time. */
@Timeout(60)
class SharedPullTest {
  private final Scene scene = new Scene();
  private final ScriptedRegistry registry = scene.registry;
  private final CountDownLatch arrived = new CountDownLatch(1);
  private final CountDownLatch gate = new CountDownLatch(1);

  private ScriptedRegistry.Made image(int... layers) {
    ScriptedRegistry.Made image = registry.image("linux", "amd64", layers);
    registry.names.put(Scene.NAME, image.at());
    return image;
  }

  private void gate(Descriptor blob) {
    registry.scripts.put(
        blob.digest(), (right, _) -> new ScriptedRegistry.Gated(right, arrived, gate));
  }

  @AfterEach
  void nothing_is_left() {
    gate.countDown();
    Call.in("test").run(scene::assertNothingIsLeft);
  }

  private static Throwable failureOf(Scene.Pulling pulling) throws InterruptedException {
    try {
      return new AssertionError("it succeeded: " + pulling.result().get());
    } catch (ExecutionException e) {
      return e.getCause() == null ? e : e.getCause();
    }
  }

  /** Until the second one waits for what the first one does. */
  private void awaitWaiting(Scene.Pulling pulling) {
    Soon.until("it waits", () -> pulling.thread().getState() == Thread.State.WAITING);
  }

  @Test
  void two_pulls_of_one_image_fetch_and_unpack_everything_once() throws Exception {
    ScriptedRegistry.Made image = image(1000, 2000, 3000);
    gate(image.manifest().layers().get(1));
    Scene.Pulling first = scene.pulling("test", Scene.unpacked("one"));
    arrived.await();
    Scene.Pulling second = scene.pulling("test", Scene.unpacked("two"));
    awaitWaiting(second);
    gate.countDown();
    assertThat(first.result().get()).hasSize(1);
    assertThat(second.result().get()).hasSize(1);
    assertThat(image.manifest().layers())
        .allSatisfy(
            layer -> {
              assertThat(registry.countOf(layer)).isEqualTo(1);
              assertThat(scene.applier.countOf(layer)).isEqualTo(1);
            });
    assertThat(registry.countOf(image.manifest().config())).isEqualTo(1);
    Call.in("test").run(() -> assertThat(scene.committed()).hasSize(3));
  }

  @Test
  void the_second_gets_all_although_the_first_is_cancelled() throws Exception {
    ScriptedRegistry.Made image = image(1000, 2000, 3000);
    Descriptor layer = image.manifest().layers().get(1);
    gate(layer);
    Scene.Pulling first = scene.pulling("test", Scene.unpacked("one"));
    arrived.await();
    Scene.Pulling second = scene.pulling("test", Scene.unpacked("two"));
    awaitWaiting(second);
    first.interrupt();
    assertThat(failureOf(first)).isInstanceOf(CancelledException.class);
    gate.countDown();
    assertThat(second.result().get()).hasSize(1);
    Call.in("test").run(() -> assertThat(scene.committed()).hasSize(3));
  }

  @Test
  void when_all_are_cancelled_nothing_goes_on() throws Exception {
    ScriptedRegistry.Made image = image(1000, 2000, 3000);
    gate(image.manifest().layers().get(1));
    Scene.Pulling first = scene.pulling("test", Scene.unpacked("one"));
    arrived.await();
    Scene.Pulling second = scene.pulling("test", Scene.unpacked("two"));
    awaitWaiting(second);
    first.interrupt();
    second.interrupt();
    Call.in("test").run(scene::assertNothingIsLeft);
    gate.countDown();
    Call.in("test")
        .run(
            () ->
                assertThat(scene.pull(Scene.unpacked("again")))
                    .as("and a later one finds nothing in its way")
                    .hasSize(1));
  }

  @Test
  void while_a_layer_is_unpacked_a_cancelled_pull_leaves_no_snapshot() throws Exception {
    image(1000, 2000);
    scene.applier.meanwhile =
        _ -> {
          arrived.countDown();
          gate.await();
        };
    Scene.Pulling pulling = scene.pulling("test", Scene.unpacked("one"));
    arrived.await();
    pulling.interrupt();
    assertThat(failureOf(pulling)).isInstanceOf(CancelledException.class);
    Call.in("test").run(() -> assertThat(scene.infos()).isEmpty());
  }

  @Test
  void another_namespace_waits_for_the_download_and_gets_a_blob_of_its_own() throws Exception {
    ScriptedRegistry.Made image = image(1000, 2000);
    Descriptor layer = image.manifest().layers().get(1);
    gate(layer);
    Scene.Pulling first = scene.pulling("test", Scene.unpacked("one"));
    arrived.await();
    Scene.Pulling second = scene.pulling("other", Scene.unpacked("two"));
    awaitWaiting(second);
    gate.countDown();
    assertThat(first.result().get()).hasSize(1);
    assertThat(second.result().get()).hasSize(1);
    Call.in("other").run(() -> assertThat(scene.content.find(layer.digest())).isPresent());
    Call.in("other").run(scene::assertNothingIsLeft);
  }

  @Test
  void who_knows_the_password_is_not_kept_from_it_by_who_does_not() throws Exception {
    registry.wantsPassword = true;
    ScriptedRegistry.Made image = image(1000);
    registry.scripts.put(
        image.at().digest(), (right, _) -> new ScriptedRegistry.Gated(right, arrived, gate));
    Scene.Pulling first = scene.pulling("test", Scene.unpacked("one"), RegistryAccess.USUAL);
    assertThat(failureOf(first)).isInstanceOf(UnauthenticatedException.class);
    Scene.Pulling second = scene.pulling("test", Scene.unpacked("two"), Scene.knownAs("me"));
    arrived.await();
    Scene.Pulling third = scene.pulling("test", Scene.unpacked("three"), RegistryAccess.USUAL);
    awaitWaiting(third);
    gate.countDown();
    assertThat(second.result().get()).hasSize(1);
    third.thread().join();
  }

  private enum Trouble {
    BREAKS_OFF,
    SENDS_RUBBISH
  }

  /** The first one who asks gets nothing good, once the gate opens; whoever asks later does. */
  private void troubleForTheFirst(Descriptor blob, Trouble trouble) {
    AtomicInteger asked = new AtomicInteger();
    registry.scripts.put(
        blob.digest(),
        (right, _) -> {
          if (asked.incrementAndGet() > 1) {
            return right;
          }
          InputStream wrong =
              switch (trouble) {
                case BREAKS_OFF -> InputStream.nullInputStream();
                case SENDS_RUBBISH ->
                    new ByteArrayInputStream(ScriptedRegistry.bytes(99, (int) blob.size()));
              };
          return new ScriptedRegistry.Gated(wrong, arrived, gate);
        });
  }

  @ParameterizedTest
  @CsvSource({
    "test, BREAKS_OFF",
    "test, SENDS_RUBBISH",
    "other, BREAKS_OFF",
    "other, SENDS_RUBBISH"
  })
  void what_the_registry_of_one_does_wrong_does_not_fail_another(
      String namespaceOfSecond, Trouble trouble) throws Exception {
    ScriptedRegistry.Made image = image(1000, 2000, 3000);
    Descriptor layer = image.manifest().layers().get(1);
    troubleForTheFirst(layer, trouble);
    Scene.Pulling first = scene.pulling("test", Scene.unpacked("one"));
    arrived.await();
    Scene.Pulling second = scene.pulling(namespaceOfSecond, Scene.unpacked("two"));
    awaitWaiting(second);
    gate.countDown();
    assertThat(failureOf(first)).hasMessageContaining(layer.digest().toString());
    assertThat(second.result().get()).hasSize(1);
    assertThat(registry.countOf(layer)).isEqualTo(2);
    Call.in(namespaceOfSecond)
        .run(
            () -> {
              assertThat(scene.committed()).hasSize(3);
              scene.assertNothingIsLeft();
            });
  }

  @Test
  void who_failed_by_itself_does_not_try_again() {
    ScriptedRegistry.Made image = image(1000, 2000, 3000);
    Descriptor missing = image.manifest().layers().getFirst();
    registry.blobs.remove(missing.digest());
    assertThatThrownBy(() -> Call.in("test").call(() -> scene.pull(Scene.unpacked("one"))))
        .isInstanceOf(NotFoundException.class);
    assertThat(registry.countOf(missing)).isEqualTo(1);
  }

  @Test
  void a_lease_that_the_first_one_ended_as_it_left_does_not_fail_the_second() throws Exception {
    ScriptedRegistry.Made image = image(1000, 2000, 3000);
    scene.applier.needParent.add(image.manifest().layers().get(1).digest());
    gate(image.manifest().layers().getFirst());
    Call.in("test").run(() -> scene.leases.create("mine", Map.of()));
    Scene.Pulling first = scene.pulling(Call.in("test").withLease("mine"), Scene.unpacked("one"));
    arrived.await();
    Scene.Pulling second = scene.pulling("test", Scene.unpacked("two"));
    awaitWaiting(second);
    first.interrupt();
    Call.in("test").run(() -> scene.leases.delete("mine", false));
    gate.countDown();
    assertThat(second.result().get()).hasSize(1);
    Call.in("test").run(() -> assertThat(scene.committed()).hasSize(3));
  }

  @Test
  void a_blob_that_a_client_writes_is_waited_for() throws Exception {
    ScriptedRegistry.Made image = image(4000);
    Descriptor layer = image.manifest().layers().getFirst();
    byte[] bytes = registry.blobs.get(layer.digest());
    Call.in("test")
        .call(
            () -> {
              Scene.Pulling pulling;
              try (Ingest ingest =
                  scene.content.ingest(
                      new IngestRequest(
                          ContentNames.of(layer), 4000, Optional.of(layer.digest())))) {
                ingest.write(ByteBuffer.wrap(bytes, 0, 1000));
                pulling = scene.pulling("test", Scene.unpacked("one"));
                Soon.until("the layer is told of", () -> !scene.events(layer).isEmpty());
                ingest.write(ByteBuffer.wrap(bytes, 1000, 3000));
                ingest.commit(4000, Optional.of(layer.digest()), Map.of());
              }
              assertThat(pulling.result().get()).hasSize(1);
              return null;
            });
    assertThat(registry.countOf(layer)).isZero();
  }

  @Test
  void while_a_client_writes_a_blob_the_others_come() throws Exception {
    scene.downloads = 1;
    ScriptedRegistry.Made image = image(4000, 2000);
    Descriptor written = image.manifest().layers().getFirst();
    gate(image.manifest().layers().getLast());
    Scene.Pulling pulling =
        Call.in("test")
            .call(
                () -> {
                  try (Ingest _ =
                      scene.content.ingest(
                          new IngestRequest(
                              ContentNames.of(written), 4000, Optional.of(written.digest())))) {
                    Scene.Pulling begun = scene.pulling("test", new ImageSelection("one"));
                    assertThat(arrived.await(50, TimeUnit.SECONDS)).isTrue();
                    return begun;
                  }
                });
    gate.countDown();
    assertThat(pulling.result().get()).hasSize(1);
    assertThat(registry.countOf(written)).isEqualTo(1);
  }

  @Test
  void no_more_blobs_come_at_once_than_are_allowed() throws Exception {
    scene.downloads = 2;
    ScriptedRegistry.Made image = image(1000, 2000, 3000, 4000, 5000);
    CountDownLatch two = new CountDownLatch(2);
    image
        .manifest()
        .layers()
        .forEach(
            layer ->
                registry.scripts.put(
                    layer.digest(), (right, _) -> new ScriptedRegistry.Gated(right, two, gate)));
    Scene.Pulling pulling = scene.pulling("test", Scene.unpacked("one"));
    two.await();
    assertThat(registry.open.get()).isEqualTo(2);
    gate.countDown();
    assertThat(pulling.result().get()).hasSize(1);
  }

  @Test
  void no_more_layers_are_unpacked_at_once_than_are_allowed() {
    scene.unpacks = 2;
    image(1000, 2000, 3000, 4000, 5000, 6000);
    CountDownLatch two = new CountDownLatch(2);
    scene.applier.meanwhile =
        _ -> {
          two.countDown();
          two.await();
        };
    Call.in("test").run(() -> scene.pull(Scene.unpacked("one")));
    assertThat(scene.applier.most).hasValue(2);
  }

  @Test
  void a_failure_of_one_layer_ends_the_others() throws Exception {
    ScriptedRegistry.Made image = image(1000, 2000, 3000);
    Descriptor bad = image.manifest().layers().get(2);
    registry.blobs.put(bad.digest(), ScriptedRegistry.bytes(1, 3000));
    gate(image.manifest().layers().getFirst());
    assertThatThrownBy(() -> Call.in("test").call(() -> scene.pull(Scene.unpacked("one"))))
        .hasMessageContaining(bad.digest() + " came damaged");
    assertThat(registry.open).hasValue(0);
  }
}
