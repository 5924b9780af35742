package io.jcontainerd.transfer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Platform;
import io.jcontainerd.core.content.Ingest;
import io.jcontainerd.core.content.IngestRequest;
import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.ResourceExhaustedException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.filter.Filter;
import io.jcontainerd.core.images.Image;
import io.jcontainerd.core.leases.Lease;
import io.jcontainerd.core.registry.RegistryAccess;
import io.jcontainerd.core.transfer.ImageSelection;
import io.jcontainerd.core.transfer.ImageSelection.ExtraReference;
import io.jcontainerd.core.transfer.ImageSelection.UnpackTarget;
import io.jcontainerd.core.transfer.PullRequest;
import io.jcontainerd.core.transfer.RemoteImage;
import io.jcontainerd.core.transfer.TransferListener;
import io.jcontainerd.core.transfer.TransferProgress;
import io.jcontainerd.oci.image.ChainIds;
import io.jcontainerd.oci.image.ContentNames;
import io.jcontainerd.oci.image.Index;
import io.jcontainerd.oci.image.MediaTypes;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** One pull, from a registry that does right and from ones that do not. */
@Timeout(60)
class PullTest {
  private final Scene scene = new Scene();
  private final ScriptedRegistry registry = scene.registry;

  private List<Image> pull(ImageSelection to) {
    return Call.in("test").call(() -> scene.pull(to));
  }

  private ScriptedRegistry.Made image(int... layers) {
    ScriptedRegistry.Made image = registry.image("linux", "amd64", layers);
    registry.names.put(Scene.NAME, image.at());
    return image;
  }

  private void in(Runnable body) {
    Call.in("test").run(body);
  }

  @Test
  void an_image_comes_and_is_unpacked_and_named() {
    ScriptedRegistry.Made image = image(1000, 2000, 3000);
    List<Image> names = pull(Scene.unpacked("my-name"));
    assertThat(names).extracting(Image::name).containsExactly("my-name");
    assertThat(names).extracting(Image::target).containsExactly(image.at());
    List<Descriptor> layers = image.manifest().layers();
    List<String> chain =
        ChainIds.of(layers.stream().map(Descriptor::digest).toList()).stream()
            .map(Object::toString)
            .toList();
    in(
        () -> {
          assertThat(scene.committed()).containsExactlyInAnyOrderElementsOf(chain);
          assertThat(scene.labels(image.at()))
              .containsEntry(
                  "containerd.io/gc.ref.content.config",
                  image.manifest().config().digest().toString())
              .containsEntry("containerd.io/gc.ref.content.l.2", layers.get(2).digest().toString())
              .containsEntry("containerd.io/distribution.source.r.example", "dir/image");
          assertThat(scene.labels(image.manifest().config()))
              .containsEntry("containerd.io/gc.ref.snapshot.memory", chain.getLast());
          assertThat(scene.labels(layers.get(1)))
              .containsEntry("containerd.io/uncompressed", layers.get(1).digest().toString())
              .containsEntry("containerd.io/distribution.source.r.example", "dir/image");
          scene.assertNothingIsLeft();
          scene.assertNoRemains();
        });
  }

  @Test
  void snapshots_stand_on_each_other_in_the_order_of_the_layers() {
    ScriptedRegistry.Made image = image(1000, 2000, 3000);
    pull(Scene.unpacked("my-name"));
    List<String> chain =
        ChainIds.of(image.manifest().layers().stream().map(Descriptor::digest).toList()).stream()
            .map(Object::toString)
            .toList();
    in(
        () -> {
          assertThat(scene.snapshotter.stat(chain.get(0)).parent()).isEmpty();
          assertThat(scene.snapshotter.stat(chain.get(1)).parent()).isEqualTo(chain.get(0));
          assertThat(scene.snapshotter.stat(chain.get(2)).parent()).isEqualTo(chain.get(1));
        });
  }

  @Test
  void progress_is_told_in_the_words_that_clients_know() {
    ScriptedRegistry.Made image = image(1000, 2000);
    pull(Scene.unpacked("my-name"));
    assertThat(scene.told.getFirst().event())
        .isEqualTo("Resolving from OCI Registry (" + Scene.NAME + ")");
    assertThat(scene.told.getLast().event())
        .isEqualTo("Completed pull from OCI Registry (" + Scene.NAME + ")");
    assertThat(scene.events(image.manifest().layers().get(1)))
        .containsExactly("waiting", "downloading", "complete", "extracting", "extracted");
    TransferProgress layer =
        scene.told.stream()
            .filter(p -> p.event().equals("extracted"))
            .filter(p -> p.total() == 2000)
            .findFirst()
            .orElseThrow();
    assertThat(layer.name()).startsWith("layer-sha256:");
    assertThat(layer.parents()).containsExactly(ContentNames.of(image.at()));
    assertThat(scene.told)
        .anySatisfy(
            p -> {
              assertThat(p.event()).isEqualTo("saved");
              assertThat(p.name()).isEqualTo("my-name");
            });
  }

  @Test
  void what_is_here_is_not_fetched_again() {
    ScriptedRegistry.Made image = image(1000, 2000);
    pull(Scene.unpacked("my-name"));
    int before = registry.asked.size();
    pull(Scene.unpacked("my-name"));
    assertThat(registry.asked).hasSize(before);
    assertThat(scene.applier.applied).hasSize(2);
    assertThat(image.manifest().layers())
        .allSatisfy(layer -> assertThat(registry.countOf(layer)).isEqualTo(1));
  }

  @Test
  void without_unpacking_all_layers_come() {
    ScriptedRegistry.Made image = image(1000, 2000);
    pull(new ImageSelection("my-name"));
    in(
        () -> {
          assertThat(image.manifest().layers())
              .allSatisfy(layer -> assertThat(scene.content.find(layer.digest())).isPresent());
          assertThat(scene.committed()).isEmpty();
        });
  }

  @Test
  void an_image_without_layers_is_an_image() {
    image();
    assertThat(pull(Scene.unpacked("empty"))).hasSize(1);
    in(scene::assertNothingIsLeft);
  }

  @Test
  void of_an_index_the_wanted_platform_comes() {
    ScriptedRegistry.Made mine = registry.image("linux", "amd64", 1000);
    ScriptedRegistry.Made other = registry.image("linux", "s390x", 2000);
    registry.names.put(
        Scene.NAME,
        registry.index(
            new Index.Entry(other.at(), Optional.of(new Platform("linux", "s390x", ""))),
            new Index.Entry(mine.at(), Optional.of(Scene.LINUX))));
    pull(Scene.unpacked("my-name"));
    assertThat(registry.countOf(other.at())).isZero();
    in(
        () -> {
          assertThat(scene.committed()).hasSize(1);
          assertThat(scene.labels(registry.names.get(Scene.NAME)))
              .containsEntry("containerd.io/gc.ref.content.m.1", mine.at().digest().toString());
        });
  }

  @Test
  void metadata_of_all_platforms_is_manifests_and_configs() {
    ScriptedRegistry.Made mine = registry.image("linux", "amd64", 1000);
    ScriptedRegistry.Made other = registry.image("linux", "s390x", 2000);
    registry.names.put(
        Scene.NAME,
        registry.index(
            new Index.Entry(other.at(), Optional.of(new Platform("linux", "s390x", ""))),
            new Index.Entry(mine.at(), Optional.of(Scene.LINUX))));
    pull(
        new ImageSelection(
            "my-name", Map.of(), List.of(Scene.LINUX), true, 0, List.of(), List.of()));
    in(
        () -> {
          assertThat(scene.content.find(other.at().digest())).isPresent();
          assertThat(scene.content.find(other.manifest().config().digest())).isPresent();
          assertThat(scene.content.find(other.manifest().layers().getFirst().digest())).isEmpty();
          assertThat(scene.content.find(mine.manifest().layers().getFirst().digest())).isPresent();
        });
  }

  @Test
  void without_platforms_everything_comes() {
    ScriptedRegistry.Made mine = registry.image("linux", "amd64", 1000);
    ScriptedRegistry.Made other = registry.image("linux", "s390x", 2000);
    registry.names.put(
        Scene.NAME,
        registry.index(
            new Index.Entry(other.at(), Optional.of(new Platform("linux", "s390x", ""))),
            new Index.Entry(mine.at(), Optional.of(Scene.LINUX))));
    pull(new ImageSelection("my-name").withUnpacks(List.of(new UnpackTarget(Scene.LINUX, ""))));
    in(
        () -> {
          assertThat(scene.content.find(other.manifest().layers().getFirst().digest())).isPresent();
          assertThat(scene.committed()).hasSize(1);
        });
  }

  @Test
  void a_platform_that_is_not_offered_is_said_with_what_is() {
    ScriptedRegistry.Made other = registry.image("linux", "s390x", 2000);
    registry.names.put(
        Scene.NAME,
        registry.index(
            new Index.Entry(other.at(), Optional.of(new Platform("linux", "s390x", "")))));
    assertThatThrownBy(() -> pull(Scene.unpacked("my-name")))
        .isInstanceOf(NotFoundException.class)
        .hasMessage("image " + Scene.NAME + " for platform linux/amd64; it offers linux/s390x");
    in(scene::assertNothingIsLeft);
  }

  @Test
  void a_single_manifest_for_another_machine_is_not_unpacked() {
    ScriptedRegistry.Made other = registry.image("linux", "s390x", 2000);
    registry.names.put(Scene.NAME, other.at());
    assertThatThrownBy(() -> pull(Scene.unpacked("my-name")))
        .isInstanceOf(NotFoundException.class)
        .hasMessageContaining("it offers linux/s390x");
    assertThat(registry.countOf(other.manifest().layers().getFirst())).isZero();
  }

  @Test
  void unpacking_where_nothing_is_configured_is_refused_before_anything_is_asked() {
    image(1000);
    assertThatThrownBy(
            () ->
                pull(
                    new ImageSelection("my-name")
                        .withUnpacks(List.of(new UnpackTarget(Scene.LINUX, "btrfs")))))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessageContaining("no unpack_config is for linux/amd64 in btrfs");
    assertThat(registry.asked).isEmpty();
  }

  @Test
  void schema_1_is_refused_by_its_name() {
    registry.names.put(
        Scene.NAME,
        registry.add(
            "application/vnd.docker.distribution.manifest.v1+prettyjws", new byte[] {'{', '}'}));
    assertThatThrownBy(() -> pull(Scene.unpacked("my-name")))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessageContaining("docker schema 1");
    assertThat(registry.asked).isEmpty();
  }

  @Test
  void an_unknown_image_leaves_nothing() {
    assertThatThrownBy(() -> pull(Scene.unpacked("my-name"))).isInstanceOf(NotFoundException.class);
    in(
        () -> {
          scene.assertNothingIsLeft();
          scene.assertNoRemains();
        });
  }

  @Test
  void further_names_are_written_too() {
    ScriptedRegistry.Made image = image(1000);
    List<Image> names =
        pull(
            new ImageSelection(
                "my-name",
                Map.of("a", "b"),
                List.of(),
                false,
                0,
                List.of(
                    new ExtraReference("other", false, true, false, false),
                    new ExtraReference("by-digest", false, true, true, false),
                    new ExtraReference("prefix", true, true, false, false)),
                List.of()));
    assertThat(names)
        .extracting(Image::name)
        .containsExactly("my-name", "other", "by-digest@" + image.at().digest());
    assertThat(names).allSatisfy(n -> assertThat(n.labels()).containsEntry("a", "b"));
  }

  @Test
  void layers_that_are_to_be_discarded_are_referred_to_by_nothing() {
    ScriptedRegistry.Made image = image(1000, 2000);
    Call.in("test")
        .call(
            () ->
                scene
                    .engine()
                    .pull(
                        new PullRequest(
                            new RemoteImage(Scene.NAME, RegistryAccess.USUAL),
                            Scene.unpacked("my-name"),
                            true),
                        TransferListener.NONE));
    in(
        () ->
            assertThat(scene.labels(image.at()))
                .containsKey("containerd.io/gc.ref.content.config")
                .doesNotContainKey("containerd.io/gc.ref.content.l.0"));
  }

  @Test
  void the_buffer_of_a_small_blob_is_small() {
    ScriptedRegistry.Made image = image(1000);
    AtomicInteger buffer = new AtomicInteger();
    registry.scripts.put(
        image.manifest().layers().getFirst().digest(),
        (right, _) ->
            new FilterInputStream(right) {
              @Override
              public int read(byte[] into, int offset, int length) throws IOException {
                buffer.accumulateAndGet(into.length, Math::max);
                return super.read(into, offset, length);
              }
            });
    pull(Scene.unpacked("my-name"));
    assertThat(buffer).hasValue(1000);
  }

  /** An index of manifests without platforms; what is asked for their configs is counted. */
  private Descriptor manifests(int many, Consumer<Descriptor> ofConfigs) {
    Index.Entry[] entries = new Index.Entry[many];
    for (int i = 0; i < many; i++) {
      ScriptedRegistry.Made made = registry.image("linux", "arch-" + i, i + 1);
      ofConfigs.accept(made.manifest().config());
      entries[i] = new Index.Entry(made.at(), Optional.empty());
    }
    return registry.index(entries);
  }

  @Test
  void however_many_configs_stall_few_connections_and_buffers_are_open() throws Exception {
    CountDownLatch arrived = new CountDownLatch(4);
    CountDownLatch gate = new CountDownLatch(1);
    AtomicInteger most = new AtomicInteger();
    registry.names.put(
        Scene.NAME,
        manifests(
            100,
            config ->
                registry.scripts.put(
                    config.digest(),
                    (right, _) -> {
                      most.accumulateAndGet(registry.open.get(), Math::max);
                      return new ScriptedRegistry.Gated(right, arrived, gate);
                    })));
    Scene.Pulling pulling = scene.pulling("test", new ImageSelection("my-name"));
    arrived.await();
    gate.countDown();
    assertThat(pulling.result().get()).hasSize(1);
    assertThat(most).hasValueLessThanOrEqualTo(4);
  }

  @Test
  void documents_of_all_pulls_have_their_own_limit() throws Exception {
    CountDownLatch arrived = new CountDownLatch(16);
    CountDownLatch gate = new CountDownLatch(1);
    AtomicInteger most = new AtomicInteger();
    List<Scene.Pulling> all = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      ScriptedRegistry.Made made = registry.image("linux", "amd64", i + 1);
      String name = "r.example/dir/image:" + i;
      registry.names.put(name, made.at());
      registry.scripts.put(
          made.at().digest(),
          (right, _) -> {
            most.accumulateAndGet(registry.open.get(), Math::max);
            return new ScriptedRegistry.Gated(right, arrived, gate);
          });
      all.add(scene.pulling("test", name));
    }
    arrived.await();
    gate.countDown();
    for (Scene.Pulling pulling : all) {
      assertThat(pulling.result().get()).hasSize(1);
    }
    assertThat(most).hasValueLessThanOrEqualTo(16 + 3);
  }

  @Test
  void an_image_of_too_many_manifests_is_refused() {
    registry.names.put(Scene.NAME, manifests(256, _ -> {}));
    assertThatThrownBy(() -> pull(new ImageSelection("my-name")))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessage("image " + Scene.NAME + ": it has more than 256 manifests, choose a platform");
    in(scene::assertNothingIsLeft);
  }

  @Test
  void an_image_whose_manifests_together_are_too_long_is_refused() {
    Index.Entry[] entries = new Index.Entry[3];
    for (int i = 0; i < entries.length; i++) {
      byte[] bytes = new byte[3 << 20];
      Arrays.fill(bytes, (byte) ' ');
      byte[] manifest =
          ("{\"config\":{\"mediaType\":\"application/x\",\"digest\":\"sha256:"
                  + "0".repeat(64)
                  + "\",\"size\":1},\"layers\":[],\"i\":"
                  + i
                  + "}")
              .getBytes(StandardCharsets.UTF_8);
      System.arraycopy(manifest, 0, bytes, 0, manifest.length);
      entries[i] = new Index.Entry(registry.add(MediaTypes.MANIFEST, bytes), Optional.empty());
    }
    registry.names.put(Scene.NAME, registry.index(entries));
    assertThatThrownBy(() -> pull(new ImageSelection("my-name")))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessageContaining("have more than 8388608 bytes together");
  }

  @Test
  void wrong_bytes_are_refused_and_not_kept() {
    ScriptedRegistry.Made image = image(1000, 2000);
    Descriptor layer = image.manifest().layers().get(1);
    registry.blobs.put(layer.digest(), ScriptedRegistry.bytes(99, 2000));
    assertThatThrownBy(() -> pull(Scene.unpacked("my-name")))
        .isInstanceOf(FailedPreconditionException.class)
        .hasMessageContaining("content " + layer.digest() + " came damaged");
    in(
        () -> {
          assertThat(scene.content.statuses(Filter.ALL)).isEmpty();
          assertThat(scene.images.list(Filter.ALL)).isEmpty();
          scene.assertNothingIsLeft();
        });
  }

  @Test
  void a_body_that_ends_early_fails_and_the_next_pull_goes_on_where_it_ended() {
    ScriptedRegistry.Made image = image(300_000);
    Descriptor layer = image.manifest().layers().getFirst();
    registry.scripts.put(layer.digest(), (right, _) -> new Limited(right, 100_000));
    assertThatThrownBy(() -> pull(Scene.unpacked("my-name")))
        .isInstanceOf(UnavailableException.class)
        .hasMessageContaining("it ended 200000 bytes early");
    in(
        () -> {
          assertThat(scene.content.status(ContentNames.of(layer)).offset()).isEqualTo(100_000);
          scene.assertNothingIsLeft();
        });
    registry.scripts.clear();
    pull(Scene.unpacked("my-name"));
    assertThat(registry.asked).contains(layer.digest() + " from 100000");
    in(
        () -> {
          scene.assertNothingIsLeft();
          scene.assertNoRemains();
        });
  }

  @Test
  void a_failed_pull_keeps_the_layers_that_came() {
    ScriptedRegistry.Made image = image(1000, 2000);
    Descriptor missing = image.manifest().layers().get(1);
    byte[] bytes = registry.blobs.remove(missing.digest());
    assertThatThrownBy(() -> pull(new ImageSelection("my-name")))
        .isInstanceOf(NotFoundException.class);
    in(
        () ->
            assertThat(scene.leases.list(Filter.ALL))
                .singleElement()
                .satisfies(
                    lease ->
                        assertThat(scene.leases.listResources(lease.id()))
                            .anyMatch(r -> r.id().equals(image.at().digest().toString()))));
    registry.blobs.put(missing.digest(), bytes);
    pull(new ImageSelection("my-name"));
    assertThat(registry.countOf(image.at())).isEqualTo(1);
    in(scene::assertNoRemains);
  }

  @Test
  void what_a_killed_daemon_kept_for_its_pull_is_let_go_when_the_image_is_here() {
    image(1000);
    in(
        () -> {
          killed("of-ours", Scene.NAME);
          killed("of-others", "r.example/other:v1");
          scene.pull(Scene.unpacked("my-name"));
          assertThat(scene.leases.list(Filter.ALL))
              .extracting(Lease::id)
              .containsExactly("of-others");
        });
  }

  @Test
  void a_pull_keeps_what_a_killed_one_brought_but_not_what_it_was_about_to_unpack() {
    in(
        () -> {
          Remains remains = new Remains(scene.leases, scene.time);
          Lease.Resource blob = new Lease.Resource("sha256:" + "a".repeat(64), "content");
          Lease.Resource layer = new Lease.Resource("sha256:chain", "snapshots/overlayfs");
          Lease.Resource half =
              new Lease.Resource("extract-12-ab sha256:chain", "snapshots/overlayfs");
          killed("of-ours", Scene.NAME, blob, layer, half);
          killed("of-others", "r.example/other:v1", blob);
          String granted = remains.grant(Scene.NAME, Duration.ofHours(1));
          assertThat(scene.leases.list(Filter.ALL))
              .extracting(Lease::id)
              .containsExactlyInAnyOrder("of-others", granted);
          assertThat(scene.leases.listResources(granted)).containsExactlyInAnyOrder(blob, layer);
        });
  }

  /** A lease as a process that was killed leaves it. */
  private void killed(String id, String reference, Lease.Resource... resources) {
    Remains remains = new Remains(scene.leases, scene.time);
    String granted = remains.grant(reference, Duration.ofHours(1));
    Map<String, String> labels =
        new HashMap<>(
            scene.leases.list(Filter.ALL).stream()
                .filter(lease -> lease.id().equals(granted))
                .findFirst()
                .orElseThrow()
                .labels());
    labels.put("jcontainerd.io/process", "killed");
    scene.leases.delete(granted, false);
    scene.leases.create(id, labels);
    for (Lease.Resource resource : resources) {
      scene.leases.addResource(id, resource);
    }
  }

  @Test
  void damaged_bytes_of_an_earlier_try_are_fetched_anew() {
    ScriptedRegistry.Made image = image(5000);
    Descriptor layer = image.manifest().layers().getFirst();
    in(
        () -> {
          try (Ingest ingest =
              scene.content.ingest(
                  new IngestRequest(ContentNames.of(layer), 5000, Optional.of(layer.digest())))) {
            ingest.write(ByteBuffer.wrap(new byte[3000]));
          }
        });
    pull(Scene.unpacked("my-name"));
    assertThat(registry.asked).contains(layer.digest() + " from 3000", layer.digest() + " from 0");
    in(() -> assertThat(scene.content.find(layer.digest())).isPresent());
  }

  @Test
  void more_bytes_of_an_earlier_try_than_there_can_be_are_cut() {
    ScriptedRegistry.Made image = image(5000);
    Descriptor layer = image.manifest().layers().getFirst();
    in(
        () -> {
          try (Ingest ingest =
              scene.content.ingest(
                  new IngestRequest(ContentNames.of(layer), 5000, Optional.of(layer.digest())))) {
            ingest.write(ByteBuffer.wrap(new byte[7000]));
          }
        });
    pull(Scene.unpacked("my-name"));
    assertThat(registry.asked).contains(layer.digest() + " from 0");
  }

  @Test
  void a_layer_that_unpacks_to_something_else_is_refused() {
    Descriptor layer = registry.add(MediaTypes.LAYER, ScriptedRegistry.bytes(1, 500));
    ScriptedRegistry.Made image = registry.image("linux", "amd64", List.of(layer));
    Descriptor wrong = registry.add(MediaTypes.LAYER, ScriptedRegistry.bytes(2, 500));
    Descriptor manifest =
        registry.add(
            MediaTypes.MANIFEST,
            new io.jcontainerd.oci.image.Manifest(image.manifest().config(), List.of(wrong))
                .toBytes());
    registry.names.put(Scene.NAME, manifest);
    assertThatThrownBy(() -> pull(Scene.unpacked("my-name")))
        .hasMessageContaining("unpacks to")
        .hasMessageContaining(layer.digest().toString());
    in(
        () -> {
          assertThat(scene.committed()).isEmpty();
          scene.assertNothingIsLeft();
        });
  }

  @Test
  void an_image_that_cannot_fit_is_refused_before_its_layers_come() {
    ScriptedRegistry.Made image = image(10_000, 20_000);
    scene.space = room(50_000);
    assertThatThrownBy(() -> pull(Scene.unpacked("my-name")))
        .isInstanceOf(ResourceExhaustedException.class)
        .hasMessageContaining(
            "image " + Scene.NAME + " needs at least 60000 more bytes on /dev/a, where 50000");
    assertThat(image.manifest().layers())
        .allSatisfy(layer -> assertThat(registry.countOf(layer)).isZero());
    in(scene::assertNothingIsLeft);
    assertThat(pull(new ImageSelection("my-name"))).as("without unpacking it fits").hasSize(1);
  }

  @Test
  void a_lease_of_the_caller_gets_all_and_stays() {
    image(1000, 2000);
    in(
        () -> {
          scene.leases.create("mine", Map.of());
          Call.current().withLease("mine").run(() -> scene.pull(Scene.unpacked("my-name")));
          assertThat(scene.leases.listResources("mine"))
              .hasSize(2 + 2 + 2)
              .anyMatch(r -> r.type().equals("snapshots/memory"))
              .anyMatch(r -> r.type().equals("content"));
        });
  }

  @Test
  void layers_side_by_side_hide_in_an_upper_folder_what_is_below() {
    ScriptedRegistry.Made image = image(1000, 2000);
    pull(Scene.unpacked("my-name"));
    RecordingApplier.Applied second =
        scene.applier.applied.stream()
            .filter(a -> a.layer().equals(image.manifest().layers().get(1).digest()))
            .findFirst()
            .orElseThrow();
    assertThat(second.isStandalone()).isTrue();
    assertThat(second.mounts()).hasSize(1);
    assertThat(second.mounts().getFirst().type()).isEqualTo("overlay");
    assertThat(second.mounts().getFirst().options())
        .singleElement()
        .asString()
        .startsWith("upperdir=/in-memory/extract-");
  }

  @Test
  void a_layer_that_needs_what_is_below_is_unpacked_on_it() {
    ScriptedRegistry.Made image = image(1000, 2000, 3000);
    Descriptor needy = image.manifest().layers().get(1);
    scene.applier.needParent.add(needy.digest());
    pull(Scene.unpacked("my-name"));
    assertThat(scene.applier.countOf(needy)).isEqualTo(2);
    in(
        () -> {
          assertThat(scene.committed()).hasSize(3);
          scene.assertNothingIsLeft();
        });
  }

  /** Ends early. */
  private static final class Limited extends InputStream {
    private final InputStream in;
    private int left;

    Limited(InputStream in, int left) {
      this.in = in;
      this.left = left;
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] into, int offset, int length) throws IOException {
      if (left == 0) {
        return -1;
      }
      int count = in.read(into, offset, Math.min(length, left));
      left -= Math.max(count, 0);
      return count;
    }
  }

  @Test
  void of_several_platforms_that_a_machine_runs_the_best_is_unpacked() {
    ScriptedRegistry.Made old = registry.image("linux", "386", 1000);
    ScriptedRegistry.Made own = registry.image("linux", "amd64", 2000);
    registry.names.put(
        Scene.NAME,
        registry.index(
            new Index.Entry(old.at(), Optional.of(new Platform("linux", "386", ""))),
            new Index.Entry(own.at(), Optional.of(Scene.LINUX))));
    pull(new ImageSelection("my-name").withUnpacks(List.of(new UnpackTarget(Scene.LINUX, ""))));
    in(
        () ->
            assertThat(scene.labels(own.manifest().config()))
                .containsKey("containerd.io/gc.ref.snapshot.memory"));
  }

  @Test
  void a_blob_that_very_many_repositories_share_comes_again_and_again() {
    ScriptedRegistry.Made image = image(1000);
    Descriptor layer = image.manifest().layers().getFirst();
    String key = "containerd.io/distribution.source.r.example";
    for (int i = 0; i < 120; i++) {
      String name = "r.example/a-folder-with-a-rather-long-name/image-" + i + ":v1";
      registry.names.put(name, image.at());
      in(
          () ->
              scene
                  .engine()
                  .pull(
                      new PullRequest(
                          new RemoteImage(name, RegistryAccess.USUAL), new ImageSelection(name)),
                      scene.told::add));
    }
    in(
        () ->
            assertThat(scene.labels(layer).get(key))
                .endsWith("a-folder-with-a-rather-long-name/image-119")
                .doesNotContain("image-0,"));
  }

  @Test
  void what_is_unpacked_already_needs_no_room() {
    image(10_000, 20_000);
    pull(Scene.unpacked("my-name"));
    scene.space = room(100);
    assertThat(pull(Scene.unpacked("another-name"))).hasSize(1);
  }

  private static DiskSpace room(long bytes) {
    return new DiskSpace() {
      @Override
      public Optional<Room> ofContent() {
        return Optional.of(new Room("/dev/a", bytes));
      }

      @Override
      public Optional<Room> ofSnapshotter(String name) {
        return Optional.of(new Room("/dev/a", bytes));
      }
    };
  }

  @Test
  void a_pull_that_found_no_room_keeps_nothing() {
    image(10_000, 20_000);
    scene.space = room(100);
    assertThatThrownBy(() -> pull(Scene.unpacked("my-name")))
        .isInstanceOf(ResourceExhaustedException.class);
    in(scene::assertNoRemains);
  }

  @Test
  void a_manifest_that_is_metadata_first_and_wanted_later_comes_whole() {
    ScriptedRegistry.Made own = registry.image("linux", "amd64", 1000);
    Platform other = new Platform("linux", "s390x", "");
    Descriptor first =
        registry.index(
            new Index.Entry(own.at(), Optional.of(other)),
            new Index.Entry(registry.image("linux", "amd64", 500).at(), Optional.empty()));
    Descriptor second = registry.index(new Index.Entry(own.at(), Optional.of(Scene.LINUX)));
    registry.names.put(
        Scene.NAME,
        registry.index(
            new Index.Entry(first, Optional.empty()), new Index.Entry(second, Optional.empty())));
    pull(
        new ImageSelection(
            "my-name", Map.of(), List.of(Scene.LINUX), true, 0, List.of(), List.of()));
    in(
        () ->
            assertThat(scene.content.find(own.manifest().layers().getFirst().digest()))
                .isPresent());
  }
}
