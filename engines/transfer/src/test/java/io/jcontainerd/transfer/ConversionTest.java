package io.jcontainerd.transfer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.github.luben.zstd.Zstd;
import io.jcontainerd.core.Call;
import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.Platform;
import io.jcontainerd.core.content.ContentReader;
import io.jcontainerd.core.diff.LayerImages;
import io.jcontainerd.core.failure.CancelledException;
import io.jcontainerd.core.failure.DataLossException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.NotImplementedException;
import io.jcontainerd.core.failure.ResourceExhaustedException;
import io.jcontainerd.core.filter.Filter;
import io.jcontainerd.core.images.Image;
import io.jcontainerd.core.transfer.ConversionRequest;
import io.jcontainerd.core.transfer.ConversionRequest.Layers;
import io.jcontainerd.core.transfer.TransferListener;
import io.jcontainerd.oci.image.Descriptors;
import io.jcontainerd.oci.image.ImageDocument;
import io.jcontainerd.oci.image.Index;
import io.jcontainerd.oci.image.Manifest;
import io.jcontainerd.oci.image.MediaTypes;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.LongConsumer;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;

class ConversionTest {
  private static final String FROM = "r.example/app:1";
  private static final String TO = "r.example/app:2";
  private static final Platform ARM = new Platform("linux", "arm64", "");

  private final Scene scene = new Scene();

  private <T> T in(ScopedValue.CallableOp<T, RuntimeException> body) {
    return Call.in("test").call(body);
  }

  private Descriptor add(String type, byte[] bytes) {
    return in(
        () -> {
          Digest digest = scene.content.add(bytes, Map.of());
          return new Descriptor(type, digest, bytes.length);
        });
  }

  private void name(Descriptor target) {
    Image _ =
        in(
            () ->
                scene.images.create(
                    new Image(FROM, target, Map.of("a", "b"), Instant.EPOCH, Instant.EPOCH),
                    Optional.empty()));
  }

  private static byte[] plain(int seed, int length) {
    return ScriptedRegistry.bytes(seed, length);
  }

  private static byte[] gzip(byte[] plain) {
    var packed = new ByteArrayOutputStream();
    try (var out = new GZIPOutputStream(packed)) {
      out.write(plain);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return packed.toByteArray();
  }

  private Descriptor config(List<byte[]> layers, String type, String architecture) {
    List<String> diffIds =
        layers.stream().map(layer -> "\"" + Digest.sha256(layer) + "\"").toList();
    return add(
        type,
        "{\"os\":\"linux\",\"architecture\":\"%s\",\"x\":1.0,\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[%s]}}"
            .formatted(architecture, String.join(",", diffIds))
            .getBytes(StandardCharsets.UTF_8));
  }

  /** An image of OCI's with layers packed with gzip. */
  private Descriptor image(String architecture, byte[]... layers) {
    List<Descriptor> packed = new ArrayList<>();
    for (byte[] layer : layers) {
      packed.add(add(MediaTypes.LAYER_GZIP, gzip(layer)));
    }
    Manifest manifest =
        new Manifest(config(List.of(layers), MediaTypes.CONFIG, architecture), packed);
    return add(MediaTypes.MANIFEST, manifest.toBytes());
  }

  private Image convert(Layers layers, boolean toOci, Platform... platforms) {
    return in(() ->
            scene
                .engine()
                .convert(
                    new ConversionRequest(FROM, TO, layers, toOci, List.of(platforms)),
                    scene.told::add))
        .getFirst();
  }

  private byte[] bytes(Descriptor at) {
    return in(
        () -> {
          try (ContentReader reader = scene.content.reader(at.digest())) {
            ByteBuffer bytes = ByteBuffer.allocate((int) reader.size());
            while (bytes.hasRemaining() && reader.read(bytes, bytes.position()) >= 0) {
              // on
            }
            return bytes.array();
          }
        });
  }

  private Manifest manifest(Descriptor at) {
    return (Manifest) ImageDocument.parse(bytes(at), at.mediaType());
  }

  private void assertNothingIsLeft() {
    in(
        () -> {
          assertThat(scene.leases.list(Filter.ALL)).isEmpty();
          assertThat(scene.content.statuses(Filter.ALL)).isEmpty();
          return true;
        });
  }

  private void assertNothingIsNamed() {
    assertThat(in(() -> scene.images.list(Filter.ALL)))
        .extracting(Image::name)
        .containsExactly(FROM);
    assertNothingIsLeft();
  }

  @Test
  void packed_layers_become_plain_ones() {
    byte[] one = plain(1, 300_000);
    byte[] two = plain(2, 1000);
    name(image("amd64", one, two));
    Image made = convert(Layers.UNCOMPRESSED, false);
    assertThat(made.name()).isEqualTo(TO);
    assertThat(made.labels()).isEqualTo(Map.of("a", "b"));
    Manifest manifest = manifest(made.target());
    assertThat(manifest.layers())
        .containsExactly(
            Descriptors.of(MediaTypes.LAYER, one), Descriptors.of(MediaTypes.LAYER, two));
    assertThat(bytes(manifest.layers().getFirst())).isEqualTo(one);
    in(
        () -> {
          assertThat(scene.labels(made.target()))
              .containsEntry(
                  "containerd.io/gc.ref.content.config", manifest.config().digest().toString())
              .containsEntry(
                  "containerd.io/gc.ref.content.l.0", manifest.layers().get(0).digest().toString())
              .containsEntry(
                  "containerd.io/gc.ref.content.l.1", manifest.layers().get(1).digest().toString());
          assertThat(scene.labels(manifest.layers().getFirst()))
              .containsEntry("containerd.io/uncompressed", Digest.sha256(one).toString());
          return true;
        });
    assertThat(scene.told).anyMatch(told -> told.event().equals("converted"));
    assertNothingIsLeft();
  }

  @Test
  void layers_are_packed_otherwise_and_each_time_the_same() throws Exception {
    byte[] one = plain(1, 300_000);
    name(image("amd64", one));
    Image zstd = convert(Layers.ZSTD, false);
    Descriptor layer = manifest(zstd.target()).layers().getFirst();
    assertThat(layer.mediaType()).isEqualTo(MediaTypes.LAYER_ZSTD);
    assertThat(Zstd.decompress(bytes(layer), one.length)).isEqualTo(one);
    assertThat(convert(Layers.ZSTD, false).target()).isEqualTo(zstd.target());
    Image gzip = convert(Layers.GZIP, false);
    Descriptor again = manifest(gzip.target()).layers().getFirst();
    assertThat(again.mediaType()).isEqualTo(MediaTypes.LAYER_GZIP);
    try (var in = new GZIPInputStream(new ByteArrayInputStream(bytes(again)))) {
      assertThat(in.readAllBytes()).isEqualTo(one);
    }
    assertNothingIsLeft();
  }

  @Test
  void what_is_as_it_should_be_stays() {
    Descriptor image = image("amd64", plain(1, 1000));
    name(image);
    assertThat(convert(Layers.GZIP, true).target()).isEqualTo(image);
    assertThat(convert(Layers.KEPT, true).target()).isEqualTo(image);
  }

  @Test
  void words_of_docker_become_those_of_oci() {
    byte[] one = plain(1, 1000);
    byte[] foreign = gzip(plain(3, 10));
    Manifest manifest =
        new Manifest(
            MediaTypes.DOCKER_MANIFEST,
            config(List.of(one, plain(3, 10)), MediaTypes.DOCKER_CONFIG, "amd64"),
            List.of(
                add(MediaTypes.DOCKER_LAYER_GZIP, gzip(one)),
                new Descriptor(
                    MediaTypes.DOCKER_FOREIGN_LAYER_GZIP,
                    Digest.sha256(foreign),
                    foreign.length,
                    Map.of(),
                    List.of("https://x.example/layer"))),
            Map.of());
    Descriptor at = add(MediaTypes.DOCKER_MANIFEST, manifest.toBytes());
    Index.Entry entry = new Index.Entry(at, Optional.of(Scene.LINUX));
    name(
        add(
            MediaTypes.DOCKER_LIST,
            new Index(MediaTypes.DOCKER_LIST, List.of(entry), Map.of()).toBytes()));
    Image made = convert(Layers.KEPT, true);
    assertThat(made.target().mediaType()).isEqualTo(MediaTypes.INDEX);
    Index index = (Index) ImageDocument.parse(bytes(made.target()), MediaTypes.INDEX);
    Descriptor inner = index.manifests().getFirst().descriptor();
    assertThat(inner.mediaType()).isEqualTo(MediaTypes.MANIFEST);
    Manifest now = manifest(inner);
    assertThat(now.config().mediaType()).isEqualTo(MediaTypes.CONFIG);
    assertThat(now.config().digest()).isEqualTo(manifest.config().digest());
    assertThat(now.layers())
        .extracting(Descriptor::mediaType)
        .containsExactly(
            MediaTypes.LAYER_GZIP, "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip");
    // it is not here, so it stays, and so does where it is
    assertThat(now.layers().getLast().urls()).containsExactly("https://x.example/layer");
    in(
        () -> {
          assertThat(scene.labels(inner)).doesNotContainKey("containerd.io/gc.ref.content.l.1");
          return true;
        });
  }

  @Test
  void documents_are_written_as_containerds_converter_writes_them() {
    byte[] one = plain(1, 1000);
    Descriptor config = config(List.of(one), MediaTypes.CONFIG, "amd64");
    Descriptor layer = add(MediaTypes.LAYER_GZIP, gzip(one));
    String subject = "sha256:" + "a".repeat(64);
    String written =
        """
        {"annotations": {"k": "v <&> é", "b": "c"}, "x-unknown": {"q": 1},
         "layers": [{"annotations": {"z": "1 <&>", "a": "2"}, "size": %d, "digest": "%s",
                     "mediaType": "%s", "x": 1}],
         "subject": {"size": 3, "digest": "%s", "mediaType": "%s"},
         "config": {"size": %d, "digest": "%s", "mediaType": "%s"},
         "artifactType": "application/x", "mediaType": "%s", "schemaVersion": 2}"""
            .formatted(
                layer.size(),
                layer.digest(),
                layer.mediaType(),
                subject,
                MediaTypes.MANIFEST,
                config.size(),
                config.digest(),
                config.mediaType(),
                MediaTypes.MANIFEST);
    name(add(MediaTypes.MANIFEST, written.getBytes(StandardCharsets.UTF_8)));
    Image made = convert(Layers.UNCOMPRESSED, false);
    // as ctr 1.6 and 2.1 did of such an image
    assertThat(new String(bytes(made.target()), StandardCharsets.UTF_8))
        .isEqualTo(
            ("{'schemaVersion':2,'mediaType':'%s','artifactType':'application/x',"
                    + "'config':{'mediaType':'%s','digest':'%s','size':%d},"
                    + "'layers':[{'mediaType':'%s','digest':'%s','size':1000,"
                    + "'annotations':{'a':'2','z':'1 \\u003c\\u0026\\u003e'}}],"
                    + "'subject':{'mediaType':'%s','digest':'%s','size':3},"
                    + "'annotations':{'b':'c','k':'v \\u003c\\u0026\\u003e é'}}")
                .formatted(
                    MediaTypes.MANIFEST,
                    MediaTypes.CONFIG,
                    config.digest(),
                    config.size(),
                    MediaTypes.LAYER,
                    Digest.sha256(one),
                    MediaTypes.MANIFEST,
                    subject)
                .replace('\'', '"'));
  }

  /** Images that are the layer's blob turned round. */
  private final class Reversed implements LayerImages {
    final List<String> written = new CopyOnWriteArrayList<>();
    long needs;

    @Override
    public String mediaType() {
      return "application/vnd.erofs.layer.v1";
    }

    @Override
    public Descriptor write(
        Descriptor layer, boolean isAbove, LongConsumer room, OutputStream image)
        throws IOException {
      written.add(layer.size() + (isAbove ? " above" : ""));
      room.accept(needs);
      byte[] packed = bytes(layer);
      image.write(reversed(packed));
      byte[] plain;
      try (var in = new GZIPInputStream(new ByteArrayInputStream(packed))) {
        plain = in.readAllBytes();
      }
      return Descriptors.of(MediaTypes.LAYER, plain);
    }
  }

  private static byte[] reversed(byte[] bytes) {
    byte[] reversed = new byte[bytes.length];
    for (int i = 0; i < bytes.length; i++) {
      reversed[i] = bytes[bytes.length - 1 - i];
    }
    return reversed;
  }

  @Test
  void layers_become_images_and_the_config_says_so() {
    scene.layerImages = Optional.of(new Reversed());
    byte[] one = plain(1, 1000);
    name(image("amd64", one, one));
    Image made = convert(Layers.EROFS, false);
    Manifest manifest = manifest(made.target());
    Descriptor image = Descriptors.of("application/vnd.erofs.layer.v1", reversed(gzip(one)));
    assertThat(manifest.layers()).containsExactly(image, image);
    assertThat(new String(bytes(manifest.config()), StandardCharsets.UTF_8))
        .isEqualTo(
            "{\"os\":\"linux\",\"architecture\":\"amd64\",\"x\":1.0,\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"%s\",\"%s\"]}}"
                .formatted(image.digest(), image.digest()));
    assertThat(convert(Layers.EROFS, false).target()).isEqualTo(made.target());
    assertNothingIsLeft();
  }

  @Test
  void who_makes_images_knows_whether_layers_are_below() {
    var images = new Reversed();
    scene.layerImages = Optional.of(images);
    byte[] one = plain(1, 1000);
    byte[] two = plain(2, 2000);
    name(image("amd64", one, two, one));
    assertThat(manifest(convert(Layers.EROFS, false).target()).layers()).hasSize(3);
    int length = gzip(one).length;
    assertThat(images.written)
        .containsExactlyInAnyOrder(length + "", gzip(two).length + " above", length + " above");
  }

  @Test
  void room_stays_free_when_images_are_made() {
    var images = new Reversed();
    images.needs = 10 << 20;
    scene.layerImages = Optional.of(images);
    scene.space = left(40 << 20);
    name(image("amd64", plain(1, 1000)));
    assertThatThrownBy(() -> convert(Layers.EROFS, false))
        .isInstanceOf(ResourceExhaustedException.class)
        .hasMessageContaining("for 10485760 more");
    assertNothingIsNamed();
    images.needs = 1 << 20;
    assertThat(convert(Layers.EROFS, false).name()).isEqualTo(TO);
  }

  @Test
  void layers_may_become_as_big_as_where_they_are_unpacked() {
    scene.mostLayerBytes = packed -> packed * 100;
    byte[] zeros = new byte[300_000];
    byte[] packed = gzip(zeros);
    name(image("amd64", zeros));
    assertThatThrownBy(() -> convert(Layers.ZSTD, false))
        .isInstanceOf(ResourceExhaustedException.class)
        .hasMessageContaining("layer " + Digest.sha256(packed))
        .hasMessageContaining("more than " + packed.length * 100);
    assertNothingIsNamed();
  }

  @Test
  void a_foreign_layer_that_becomes_another_is_no_longer_foreign() {
    byte[] one = plain(1, 1000);
    Descriptor config = config(List.of(one), MediaTypes.CONFIG, "amd64");
    Descriptor layer = add(MediaTypes.DOCKER_FOREIGN_LAYER_GZIP, gzip(one));
    String written =
        """
        {"schemaVersion": 2, "mediaType": "%s",
         "config": {"mediaType": "%s", "digest": "%s", "size": %d, "data": "e30="},
         "layers": [{"mediaType": "%s", "digest": "%s", "size": %d, "data": "AAAA",
                     "urls": ["https://x.example/layer"]}]}"""
            .formatted(
                MediaTypes.MANIFEST,
                config.mediaType(),
                config.digest(),
                config.size(),
                layer.mediaType(),
                layer.digest(),
                layer.size());
    name(add(MediaTypes.MANIFEST, written.getBytes(StandardCharsets.UTF_8)));
    Descriptor plain = convert(Layers.UNCOMPRESSED, true).target();
    assertThat(manifest(plain).layers()).containsExactly(Descriptors.of(MediaTypes.LAYER, one));
    assertThat(new String(bytes(plain), StandardCharsets.UTF_8))
        .contains("\"data\":\"e30=\"") // of the config, which stays
        .doesNotContain("AAAA");
    Descriptor kept = convert(Layers.KEPT, true).target();
    assertThat(new String(bytes(kept), StandardCharsets.UTF_8))
        .contains("nondistributable", "AAAA", "https://x.example/layer");
  }

  @Test
  void where_nobody_makes_images_that_is_said() {
    name(image("amd64", plain(1, 1000)));
    assertThatThrownBy(() -> convert(Layers.EROFS, false))
        .isInstanceOf(NotImplementedException.class);
    assertNothingIsNamed();
  }

  private Descriptor twoPlatforms() {
    return add(
        MediaTypes.INDEX,
        new Index(
                List.of(
                    new Index.Entry(image("amd64", plain(1, 1000)), Optional.of(Scene.LINUX)),
                    new Index.Entry(image("arm64", plain(2, 1000)), Optional.of(ARM))))
            .toBytes());
  }

  private List<Index.Entry> entries(Descriptor index) {
    return ((Index) ImageDocument.parse(bytes(index), index.mediaType())).manifests();
  }

  @Test
  void of_an_index_the_parts_for_the_platforms_stay() {
    name(twoPlatforms());
    List<Index.Entry> arm = entries(convert(Layers.UNCOMPRESSED, false, ARM).target());
    assertThat(arm).singleElement().satisfies(e -> assertThat(e.platform()).contains(ARM));
    assertThat(manifest(arm.getFirst().descriptor()).layers())
        .containsExactly(Descriptors.of(MediaTypes.LAYER, plain(2, 1000)));
    List<Index.Entry> all = entries(convert(Layers.UNCOMPRESSED, false).target());
    assertThat(all).hasSize(2).last().isEqualTo(arm.getFirst());
    assertThatThrownBy(
            () -> convert(Layers.UNCOMPRESSED, false, new Platform("linux", "s390x", "")))
        .isInstanceOf(NotFoundException.class)
        .hasMessageContaining("linux/s390x");
  }

  @Test
  void what_is_not_here_is_named() {
    Descriptor index = twoPlatforms();
    Descriptor gone = entries(index).getLast().descriptor();
    in(
        () -> {
          scene.content.delete(gone.digest());
          return true;
        });
    name(index);
    assertThatThrownBy(() -> convert(Layers.UNCOMPRESSED, false))
        .isInstanceOf(NotFoundException.class)
        .hasMessageContaining(FROM)
        .hasMessageContaining(gone.digest().toString());
    assertNothingIsNamed();
    assertThat(entries(convert(Layers.UNCOMPRESSED, false, Scene.LINUX).target())).hasSize(1);
  }

  @Test
  void a_layer_that_is_not_what_the_image_says_is_refused() {
    Manifest manifest =
        new Manifest(
            config(List.of(plain(1, 1000)), MediaTypes.CONFIG, "amd64"),
            List.of(add(MediaTypes.LAYER_GZIP, gzip(plain(2, 1000)))));
    name(add(MediaTypes.MANIFEST, manifest.toBytes()));
    assertThatThrownBy(() -> convert(Layers.ZSTD, false))
        .isInstanceOf(DataLossException.class)
        .hasMessageContaining("but the image says " + Digest.sha256(plain(1, 1000)));
    assertNothingIsNamed();
  }

  @Test
  void a_damaged_layer_is_refused() {
    byte[] half = Arrays.copyOf(gzip(plain(1, 100_000)), 5000);
    Manifest manifest =
        new Manifest(
            config(List.of(plain(1, 100_000)), MediaTypes.CONFIG, "amd64"),
            List.of(add(MediaTypes.LAYER_GZIP, half)));
    name(add(MediaTypes.MANIFEST, manifest.toBytes()));
    assertThatThrownBy(() -> convert(Layers.ZSTD, false))
        .isInstanceOf(DataLossException.class)
        .hasMessageContaining(Digest.sha256(half).toString());
    assertNothingIsNamed();
  }

  @Test
  void a_layer_that_is_not_packed_as_its_type_says_gets_the_right_type() {
    byte[] one = plain(1, 1000);
    Manifest manifest =
        new Manifest(
            config(List.of(one), MediaTypes.CONFIG, "amd64"),
            List.of(add(MediaTypes.LAYER_GZIP, one)));
    name(add(MediaTypes.MANIFEST, manifest.toBytes()));
    assertThat(manifest(convert(Layers.UNCOMPRESSED, false).target()).layers())
        .containsExactly(Descriptors.of(MediaTypes.LAYER, one));
  }

  @Test
  void a_full_disk_leaves_nothing() {
    scene.biggestBlob = -1;
    name(image("amd64", plain(1, 3_000_000), plain(2, 1000)));
    assertThatThrownBy(() -> convert(Layers.UNCOMPRESSED, false))
        .isInstanceOf(ResourceExhaustedException.class);
    assertNothingIsNamed();
  }

  private static DiskSpace left(long bytes) {
    return new DiskSpace() {
      @Override
      public Optional<Room> ofContent() {
        return Optional.of(new Room("disk", bytes));
      }

      @Override
      public Optional<Room> ofSnapshotter(String name) {
        return Optional.empty();
      }
    };
  }

  @Test
  void some_room_stays_free() {
    scene.space = left(1 << 20);
    name(image("amd64", plain(1, 1000)));
    assertThatThrownBy(() -> convert(Layers.UNCOMPRESSED, false))
        .isInstanceOf(ResourceExhaustedException.class)
        .hasMessageContaining("1048576 bytes are left");
    assertNothingIsNamed();
  }

  @Test
  void whoever_is_interrupted_leaves_nothing() throws Exception {
    name(image("amd64", plain(1, 3_000_000), plain(2, 3_000_000)));
    TransferListener interrupting =
        told -> {
          if (told.event().equals("converting")) {
            Thread.currentThread().interrupt();
          }
        };
    assertThatThrownBy(
            () ->
                in(
                    () ->
                        scene
                            .engine()
                            .convert(
                                new ConversionRequest(
                                    FROM, TO, Layers.UNCOMPRESSED, false, List.of()),
                                interrupting)))
        .isInstanceOf(CancelledException.class);
    assertNothingIsNamed();
  }
}
