package io.jcontainerd.transfer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.content.Ingest;
import io.jcontainerd.core.content.IngestRequest;
import io.jcontainerd.core.content.IngestStatus;
import io.jcontainerd.core.failure.DataLossException;
import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.core.failure.ResourceExhaustedException;
import io.jcontainerd.core.filter.Filter;
import io.jcontainerd.core.ports.NoSpaceException;
import io.jcontainerd.oci.image.ChainIds;
import io.jcontainerd.oci.image.ContentNames;
import io.jcontainerd.testkit.time.Soon;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.SequenceInputStream;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Layers that are unpacked while they come. */
@Timeout(60)
class FollowedPullTest {
  private static final int BIG = 900_000;
  private static final int HALF = 600_000;

  private final Scene scene = new Scene();
  private final ScriptedRegistry registry = scene.registry;
  private final CountDownLatch arrived = new CountDownLatch(1);
  private final CountDownLatch gate = new CountDownLatch(1);

  @BeforeEach
  void follow() {
    scene.applier.follows = true;
  }

  @AfterEach
  void nothing_is_left() {
    gate.countDown();
    Call.in("test").run(scene::assertNothingIsLeft);
    assertThat(scene.applier.reading).as("readers").hasValue(0);
  }

  private ScriptedRegistry.Made image(int... layers) {
    ScriptedRegistry.Made image = registry.image("linux", "amd64", layers);
    registry.names.put(Scene.NAME, image.at());
    return image;
  }

  private byte[] bytesOf(Descriptor blob) {
    return Objects.requireNonNull(registry.blobs.get(blob.digest()));
  }

  /** Half of the blob comes, the rest when the gate opens. */
  private void gateTheRest(Descriptor blob) {
    gateTheRest(blob, bytesOf(blob));
  }

  /** The same, of other bytes. */
  private void gateTheRest(Descriptor blob, byte[] bytes) {
    registry.scripts.put(
        blob.digest(),
        (_, offset) ->
            new SequenceInputStream(
                new ByteArrayInputStream(bytes, (int) offset, HALF - (int) offset),
                new ScriptedRegistry.Gated(
                    new ByteArrayInputStream(bytes, HALF, bytes.length - HALF), arrived, gate)));
  }

  /** Opens the gate when much of what came was followed. */
  private void openWhenFollowed() throws InterruptedException {
    until(() -> scene.applier.followed.get() >= HALF / 2);
    gate.countDown();
  }

  /** An earlier try left the beginning of something else. */
  private void leaveWrongBytes(Descriptor blob) {
    Call.in("test")
        .run(
            () -> {
              try (Ingest left =
                  scene.content.ingest(
                      new IngestRequest(ContentNames.of(blob), BIG, Optional.of(blob.digest())))) {
                left.write(ByteBuffer.wrap(ScriptedRegistry.bytes(99, HALF)));
              }
            });
  }

  private List<IngestStatus> ingests() {
    return Call.in("test").call(() -> scene.content.statuses(Filter.ALL));
  }

  private static void until(BooleanSupplier condition) {
    Soon.until("enough has come", condition::getAsBoolean);
  }

  private List<String> committed() {
    return Call.in("test").call(scene::committed);
  }

  private static String chain(ScriptedRegistry.Made image, int layer) {
    return ChainIds.of(image.manifest().layers().stream().map(Descriptor::digest).toList())
        .get(layer)
        .toString();
  }

  private static Throwable failureOf(Scene.Pulling pulling) throws InterruptedException {
    try {
      return new AssertionError("it succeeded: " + pulling.result().get());
    } catch (ExecutionException e) {
      return e.getCause() == null ? e : e.getCause();
    }
  }

  @Test
  void a_layer_is_unpacked_while_it_comes_and_counts_when_it_is_there() throws Exception {
    ScriptedRegistry.Made image = image(BIG);
    Descriptor layer = image.manifest().layers().getFirst();
    gateTheRest(layer);
    Scene.Pulling pulling = scene.pulling("test", Scene.unpacked("name"));
    arrived.await();
    until(() -> scene.applier.followed.get() >= HALF / 2);
    assertThat(committed()).isEmpty();
    gate.countDown();
    assertThat(pulling.result().get()).hasSize(1);
    assertThat(committed()).containsExactly(chain(image, 0));
    assertThat(scene.applier.countOf(layer)).isEqualTo(1);
    assertThat(scene.events(layer))
        .containsExactly("waiting", "downloading", "complete", "extracting", "extracted");
  }

  @Test
  void what_was_unpacked_of_wrong_bytes_goes_with_them() throws Exception {
    ScriptedRegistry.Made image = image(BIG);
    Descriptor layer = image.manifest().layers().getFirst();
    gateTheRest(layer, ScriptedRegistry.bytes(99, BIG));
    Scene.Pulling pulling = scene.pulling("test", Scene.unpacked("name"));
    openWhenFollowed();
    assertThat(failureOf(pulling))
        .isInstanceOf(FailedPreconditionException.class)
        .hasMessageContaining("came damaged");
    assertThat(committed()).isEmpty();
  }

  private boolean hasFollowedAll() {
    return scene.applier.followed.get() == BIG && scene.applier.reading.get() == 0;
  }

  @Test
  void the_right_tree_of_a_wrong_blob_does_not_count() throws Exception {
    ScriptedRegistry.Made image = image(BIG);
    Descriptor layer = image.manifest().layers().getFirst();
    gateTheRest(layer, ScriptedRegistry.bytes(99, BIG));
    scene.applier.saysWhileFollowing = Optional.of(layer.digest());
    scene.beforeCommit =
        size -> {
          if (size == BIG) {
            until(this::hasFollowedAll);
          }
        };
    Scene.Pulling pulling = scene.pulling("test", Scene.unpacked("name"));
    openWhenFollowed();
    assertThat(failureOf(pulling))
        .isInstanceOf(FailedPreconditionException.class)
        .hasMessageContaining("came damaged");
    assertThat(committed()).isEmpty();
    assertThat(scene.applier.countOf(layer)).isEqualTo(1);
  }

  @Test
  void a_layer_that_is_unpacked_waits_for_its_blob_to_be_committed() throws Exception {
    ScriptedRegistry.Made image = image(BIG);
    Descriptor layer = image.manifest().layers().getFirst();
    gateTheRest(layer);
    CountDownLatch mayCommit = new CountDownLatch(1);
    scene.beforeCommit =
        size -> {
          if (size == BIG) {
            mayCommit.await();
          }
        };
    Scene.Pulling pulling = scene.pulling("test", Scene.unpacked("name"));
    openWhenFollowed();
    until(this::hasFollowedAll);
    long began = System.nanoTime();
    while (System.nanoTime() - began < Duration.ofMillis(200).toNanos()) {
      assertThat(committed()).isEmpty();
    }
    mayCommit.countDown();
    assertThat(pulling.result().get()).hasSize(1);
    assertThat(committed()).containsExactly(chain(image, 0));
    assertThat(scene.applier.countOf(layer)).isEqualTo(1);
  }

  @Test
  void a_layer_that_follows_what_is_damaged_is_unpacked_again_when_the_right_blob_is_there()
      throws Exception {
    ScriptedRegistry.Made image = image(BIG);
    Descriptor layer = image.manifest().layers().getFirst();
    leaveWrongBytes(layer);
    gateTheRest(layer);
    Scene.Pulling pulling = scene.pulling("test", Scene.unpacked("name"));
    openWhenFollowed();
    assertThat(pulling.result().get()).hasSize(1);
    assertThat(committed()).containsExactly(chain(image, 0));
    assertThat(scene.applier.countOf(layer)).isEqualTo(2);
  }

  static Stream<RuntimeException> whatWrongBytesCause() {
    return Stream.of(
        new ResourceExhaustedException("too much", new IOException("a limit")),
        new DataLossException("not a layer"),
        new IllegalStateException("our mistake"));
  }

  @ParameterizedTest
  @MethodSource("whatWrongBytesCause")
  void what_wrong_bytes_cause_does_not_end_the_download_of_the_right_ones(RuntimeException failure)
      throws Exception {
    ScriptedRegistry.Made image = image(BIG);
    Descriptor layer = image.manifest().layers().getFirst();
    leaveWrongBytes(layer);
    gateTheRest(layer);
    scene.applier.whileFollowing =
        _ -> {
          gate.countDown();
          throw failure;
        };
    assertThat(scene.pulling("test", Scene.unpacked("name")).result().get()).hasSize(1);
    assertThat(committed()).containsExactly(chain(image, 0));
    assertThat(scene.applier.countOf(layer)).isEqualTo(2);
  }

  @Test
  void a_layer_that_cannot_be_unpacked_as_it_comes_is_unpacked_when_it_is_there() throws Exception {
    ScriptedRegistry.Made image = image(BIG);
    Descriptor layer = image.manifest().layers().getFirst();
    gateTheRest(layer);
    scene.applier.whileFollowing =
        _ -> {
          gate.countDown();
          throw new DataLossException("scripted");
        };
    assertThat(scene.pulling("test", Scene.unpacked("name")).result().get()).hasSize(1);
    assertThat(committed()).containsExactly(chain(image, 0));
    assertThat(scene.applier.countOf(layer)).isEqualTo(2);
  }

  @Test
  void a_layer_that_needs_its_parent_is_unpacked_on_it() throws Exception {
    ScriptedRegistry.Made image = image(1000, BIG);
    Descriptor layer = image.manifest().layers().getLast();
    scene.applier.needParent.add(layer.digest());
    gateTheRest(layer);
    Scene.Pulling pulling = scene.pulling("test", Scene.unpacked("name"));
    until(() -> scene.applier.countOf(layer) == 1);
    gate.countDown();
    assertThat(pulling.result().get()).hasSize(1);
    assertThat(committed()).hasSize(2);
    assertThat(scene.applier.applied.stream().filter(a -> a.layer().equals(layer.digest())))
        .extracting(RecordingApplier.Applied::isStandalone)
        .containsExactly(true, false);
  }

  @Test
  void a_full_disk_ends_the_download_too_and_keeps_nothing_of_it() throws Exception {
    ScriptedRegistry.Made image = image(BIG);
    gateTheRest(image.manifest().layers().getFirst());
    scene.applier.whileFollowing =
        _ -> {
          arrived.await();
          throw new ResourceExhaustedException("full", new NoSpaceException("a file"));
        };
    Scene.Pulling pulling = scene.pulling("test", Scene.unpacked("name"));
    assertThat(failureOf(pulling)).isInstanceOf(ResourceExhaustedException.class);
    assertThat(committed()).isEmpty();
    assertThat(ingests()).as("what came is in the way").isEmpty();
  }

  @Test
  void who_waits_for_bytes_is_in_nobodys_way() throws Exception {
    scene.unpacks = 1;
    ScriptedRegistry.Made slow = image(BIG);
    gateTheRest(slow.manifest().layers().getFirst());
    Scene.Pulling waiting = scene.pulling("test", Scene.unpacked("slow"));
    until(() -> scene.applier.followed.get() >= HALF / 2);
    ScriptedRegistry.Made quick = image(1000);
    assertThat(scene.pulling("test", Scene.unpacked("quick")).result().get()).hasSize(1);
    assertThat(committed()).containsExactly(chain(quick, 0));
    gate.countDown();
    assertThat(waiting.result().get()).hasSize(1);
    assertThat(committed()).hasSize(2);
  }

  @Test
  void a_pull_that_is_interrupted_leaves_no_follower() throws Exception {
    ScriptedRegistry.Made image = image(1000, BIG);
    gateTheRest(image.manifest().layers().getLast());
    Scene.Pulling pulling = scene.pulling("test", Scene.unpacked("name"));
    arrived.await();
    until(() -> scene.applier.followed.get() >= HALF / 2);
    pulling.interrupt();
    assertThatThrownBy(() -> pulling.result().get()).isInstanceOf(ExecutionException.class);
    assertThat(scene.applier.reading).hasValue(0);
  }

  @Test
  void a_download_that_fails_fails_the_pull_and_ends_who_follows() throws Exception {
    ScriptedRegistry.Made image = image(BIG);
    Descriptor layer = image.manifest().layers().getFirst();
    byte[] bytes = bytesOf(layer);
    gateTheRest(layer, Arrays.copyOf(bytes, HALF));
    Scene.Pulling pulling = scene.pulling("test", Scene.unpacked("name"));
    openWhenFollowed();
    assertThat(failureOf(pulling)).hasMessageContaining("ended " + (BIG - HALF) + " bytes early");
    assertThat(committed()).isEmpty();
  }

  @Test
  void two_who_want_the_same_follow_it_once() throws Exception {
    ScriptedRegistry.Made image = image(BIG);
    Descriptor layer = image.manifest().layers().getFirst();
    gateTheRest(layer);
    Scene.Pulling first = scene.pulling("test", Scene.unpacked("one"));
    arrived.await();
    Scene.Pulling second = scene.pulling("test", Scene.unpacked("two"));
    until(() -> scene.applier.followed.get() >= HALF / 2);
    gate.countDown();
    assertThat(first.result().get()).hasSize(1);
    assertThat(second.result().get()).hasSize(1);
    assertThat(scene.applier.countOf(layer)).isEqualTo(1);
    assertThat(registry.countOf(layer)).isEqualTo(1);
  }
}
