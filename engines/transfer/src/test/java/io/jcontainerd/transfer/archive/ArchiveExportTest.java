package io.jcontainerd.transfer.archive;

import static io.jcontainerd.transfer.archive.TestArchive.AMD64;
import static io.jcontainerd.transfer.archive.TestArchive.ARM64;
import static io.jcontainerd.transfer.archive.TestArchive.layer;
import static io.jcontainerd.transfer.archive.TestArchive.named;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.Platform;
import io.jcontainerd.core.content.ContentStore;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.images.Image;
import io.jcontainerd.core.images.ImageStore;
import io.jcontainerd.core.leases.LeaseStore;
import io.jcontainerd.core.transfer.ExportRequest;
import io.jcontainerd.core.transfer.ImageSelection;
import io.jcontainerd.core.transfer.ImageSelection.ExtraReference;
import io.jcontainerd.core.transfer.ImportRequest;
import io.jcontainerd.core.transfer.TransferListener;
import io.jcontainerd.core.transfer.TransferProgress;
import io.jcontainerd.oci.image.Descriptors;
import io.jcontainerd.oci.image.Index;
import io.jcontainerd.oci.image.Manifest;
import io.jcontainerd.oci.image.MediaTypes;
import io.jcontainerd.oci.json.Json;
import io.jcontainerd.oci.json.JsonArray;
import io.jcontainerd.oci.json.JsonObject;
import io.jcontainerd.oci.tar.TarEntry;
import io.jcontainerd.oci.tar.TarReader;
import io.jcontainerd.testkit.contract.InNamespace;
import io.jcontainerd.testkit.memory.InMemoryContentStore;
import io.jcontainerd.testkit.memory.InMemoryImageStore;
import io.jcontainerd.testkit.memory.InMemoryLeaseStore;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class ArchiveExportTest {
  private static final byte[] LAYER = layer("one");
  private static final byte[] OTHER = layer("other");
  private static final String NAME = "docker.io/library/app:1";
  private static final Platform S390 = new Platform("linux", "s390x", "");

  private final ContentStore content =
      InNamespace.of("default", ContentStore.class, new InMemoryContentStore());
  private final ImageStore images =
      InNamespace.of("default", ImageStore.class, new InMemoryImageStore());
  private final LeaseStore leases =
      InNamespace.of("default", LeaseStore.class, new InMemoryLeaseStore());
  private final List<String> told = new ArrayList<>();

  @Test
  void an_image_becomes_a_layout_that_docker_can_load_too() throws IOException {
    Image image = single(NAME);
    Map<String, byte[]> files = export(request(List.of(AMD64), false, false, false), image);
    assertThat(files)
        .containsOnlyKeys(
            "blobs/",
            "blobs/sha256/",
            TestArchive.path(Digest.sha256(LAYER)),
            TestArchive.path(Digest.sha256(TestArchive.config(AMD64, LAYER))),
            TestArchive.path(image.target().digest()),
            "index.json",
            "manifest.json",
            "oci-layout");
    assertThat(new String(bytes(files, "oci-layout"), UTF_8))
        .isEqualTo("{\"imageLayoutVersion\":\"1.0.0\"}");
    JsonObject index = JsonObject.parse(bytes(files, "index.json"));
    JsonObject entry = index.objects("manifests").getFirst();
    assertThat(entry.string("digest")).contains(image.target().digest().toString());
    assertThat(entry.stringMap("annotations"))
        .containsExactlyInAnyOrderEntriesOf(
            Map.of("io.containerd.image.name", NAME, "org.opencontainers.image.ref.name", "1"));
    JsonObject docker = docker(files).objects().getFirst();
    assertThat(docker.strings("RepoTags")).containsExactly("app:1");
    assertThat(docker.strings("Layers")).containsExactly(TestArchive.path(Digest.sha256(LAYER)));
    assertThat(docker.string("Config"))
        .contains(TestArchive.path(Digest.sha256(TestArchive.config(AMD64, LAYER))));
    assertThat(told).containsExactly("Exporting", "Completed export");
  }

  @Test
  void equal_images_make_equal_bytes_in_order_of_name_without_times() throws IOException {
    Image one = single(NAME);
    Image two = multi("docker.io/library/b:1");
    ExportRequest request = request(List.of(AMD64), true, false, false);
    byte[] first = write(request, one, two);
    assertThat(write(request, one, two)).isEqualTo(first);
    List<TarEntry> entries = entries(first);
    assertThat(entries)
        .extracting(entry -> entry.name().toString())
        .isSorted()
        .doesNotHaveDuplicates();
    assertThat(entries)
        .allMatch(entry -> entry.modified().equals(Instant.EPOCH))
        .allMatch(entry -> entry.uid() == 0 && entry.gid() == 0)
        .allMatch(entry -> entry.mode() == (entry.type() == TarEntry.Type.DIRECTORY ? 0755 : 0444));
  }

  @Test
  void several_names_of_one_image_are_one_image_for_docker() throws IOException {
    Image one = single(NAME);
    Image again = new Image("x.example/y:2", one.target(), Map.of(), Instant.EPOCH, Instant.EPOCH);
    Image digest =
        new Image(
            "x.example/y@" + one.target().digest(),
            one.target(),
            Map.of(),
            Instant.EPOCH,
            Instant.EPOCH);
    Image odd = new Image("Not A Name", one.target(), Map.of(), Instant.EPOCH, Instant.EPOCH);
    Map<String, byte[]> files =
        export(request(List.of(AMD64), false, false, false), one, again, digest, odd);
    assertThat(docker(files).objects()).hasSize(1);
    assertThat(docker(files).objects().getFirst().strings("RepoTags"))
        .containsExactly("app:1", "x.example/y:2");
    List<JsonObject> entries = JsonObject.parse(bytes(files, "index.json")).objects("manifests");
    assertThat(entries).hasSize(4);
    assertThat(entries.get(3).stringMap("annotations"))
        .containsExactly(Map.entry("io.containerd.image.name", "Not A Name"));
  }

  @Test
  void platforms_choose() throws IOException {
    Image image = multi(NAME);
    Map<String, byte[]> amd = export(request(List.of(AMD64), false, false, false), image);
    assertThat(amd)
        .containsKeys(
            TestArchive.path(image.target().digest()), TestArchive.path(Digest.sha256(LAYER)))
        .doesNotContainKey(TestArchive.path(Digest.sha256(OTHER)));
    assertThat(docker(amd).objects().getFirst().strings("Layers"))
        .containsExactly(TestArchive.path(Digest.sha256(LAYER)));
    Map<String, byte[]> arm = export(request(List.of(ARM64), false, false, false), image);
    assertThat(docker(arm).objects().getFirst().strings("Layers"))
        .containsExactly(TestArchive.path(Digest.sha256(OTHER)));
    Map<String, byte[]> all = export(request(List.of(ARM64), true, false, false), image);
    assertThat(all)
        .containsKeys(
            TestArchive.path(Digest.sha256(LAYER)), TestArchive.path(Digest.sha256(OTHER)));
    assertThat(docker(all).objects()).hasSize(1);
    assertThat(docker(all).objects().getFirst().strings("Layers"))
        .containsExactly(TestArchive.path(Digest.sha256(OTHER)));
    assertThatThrownBy(() -> export(request(List.of(S390), false, false, false), image))
        .isInstanceOf(NotFoundException.class)
        .hasMessageContaining("has nothing for linux/s390x");
  }

  @Test
  void the_compatibility_manifest_can_be_left_out() throws IOException {
    assertThat(export(request(List.of(AMD64), false, true, false), single(NAME)))
        .doesNotContainKey("manifest.json")
        .containsKey("index.json");
  }

  @Test
  void layers_that_may_not_be_passed_on_can_be_left_out() throws IOException {
    byte[] config = TestArchive.config(AMD64, LAYER, OTHER);
    byte[] manifest =
        new Manifest(
                Descriptors.of(MediaTypes.CONFIG, config),
                List.of(
                    Descriptors.of(MediaTypes.DOCKER_FOREIGN_LAYER_GZIP, LAYER),
                    Descriptors.of(MediaTypes.LAYER, OTHER)))
            .toBytes();
    for (byte[] blob : List.of(config, manifest, LAYER, OTHER)) {
      store(blob);
    }
    Image image = image(NAME, Descriptors.of(MediaTypes.MANIFEST, manifest));
    assertThat(export(request(List.of(AMD64), false, false, true), image))
        .containsKey(TestArchive.path(Digest.sha256(OTHER)))
        .doesNotContainKey(TestArchive.path(Digest.sha256(LAYER)));
    assertThat(export(request(List.of(AMD64), false, false, false), image))
        .containsKey(TestArchive.path(Digest.sha256(LAYER)));
  }

  @Test
  void what_is_missing_is_named_before_anything_is_written() {
    Image image = single(NAME);
    content.delete(Digest.sha256(LAYER));
    var out = new ByteArrayOutputStream();
    assertThatThrownBy(
            () ->
                new ArchiveExport(content)
                    .run(
                        List.of(image),
                        out,
                        request(List.of(AMD64), false, false, false),
                        TransferListener.NONE))
        .isInstanceOf(NotFoundException.class)
        .hasMessageContaining(Digest.sha256(LAYER).toString());
    assertThat(out.size()).isZero();
    assertThatThrownBy(() -> write(request(List.of(AMD64), false, false, false)))
        .isInstanceOf(InvalidArgumentException.class);
  }

  @Test
  void a_reader_that_goes_away_is_told_as_that() {
    OutputStream broken =
        new OutputStream() {
          @Override
          public void write(int octet) throws IOException {
            throw new IOException("broken pipe");
          }
        };
    assertThatThrownBy(
            () ->
                new ArchiveExport(content)
                    .run(
                        List.of(single(NAME)),
                        broken,
                        request(List.of(AMD64), false, false, false),
                        TransferListener.NONE))
        .isInstanceOf(UnavailableException.class)
        .hasMessageContaining("broken pipe");
  }

  @Test
  void what_goes_out_comes_in_again_unchanged() throws IOException {
    Image one = single(NAME);
    Image two = multi("docker.io/library/b:1");
    byte[] archive = write(request(List.of(AMD64), true, false, false), one, two);
    ContentStore elsewhere =
        InNamespace.of("default", ContentStore.class, new InMemoryContentStore());
    ImageStore names = InNamespace.of("default", ImageStore.class, new InMemoryImageStore());
    List<Image> saved = importInto(elsewhere, names, archive);
    assertThat(saved).extracting(Image::name).containsExactly(NAME, "docker.io/library/b:1");
    assertThat(saved.get(1).target().digest()).isEqualTo(two.target().digest());
    var again = new ByteArrayOutputStream();
    new ArchiveExport(elsewhere)
        .run(saved, again, request(List.of(AMD64), true, false, false), TransferListener.NONE);
    assertThat(again.toByteArray()).isEqualTo(archive);
  }

  @Test
  void many_ways_to_one_image_are_gone_once() throws IOException {
    var archive = new TestArchive().layout();
    Descriptor one = archive.image(AMD64, LAYER);
    Image image = imported(archive, one, NAME);
    var blobs = new TestArchive().layout();
    Descriptor maze = blobs.maze(8, Optional.empty(), one);
    importInto(content, images, blobs.index().bytes());
    Map<String, byte[]> files =
        export(request(List.of(AMD64), true, false, false), image(NAME + "-maze", maze), image);
    assertThat(files).containsKey(TestArchive.path(one.digest()));
    assertThat(new String(files.get("manifest.json"), UTF_8)).contains("app:1-maze", "app:1\"");
  }

  // ---- helpers ----

  private List<Image> importInto(ContentStore blobs, ImageStore names, byte[] archive) {
    var any = new ExtraReference("i", true, true, false, false);
    var destination =
        new ImageSelection("", Map.of(), List.of(), false, 0, List.of(any), List.of());
    return new ArchiveImport(
            blobs,
            leases,
            new SavedNames(names),
            (name, image, where, listener) -> {
              throw new AssertionError("nobody asked to unpack " + name);
            },
            FreeSpace.UNKNOWN,
            ArchiveLimits.USUAL)
        .run(
            new ByteArrayInputStream(archive),
            new ImportRequest("", false, destination),
            TransferListener.NONE);
  }

  private Image single(String name) {
    var archive = new TestArchive().layout();
    return imported(archive, archive.image(AMD64, LAYER), name);
  }

  private Image multi(String name) {
    var archive = new TestArchive().layout();
    Descriptor amd = archive.image(AMD64, LAYER);
    Descriptor arm = archive.image(ARM64, OTHER);
    byte[] index =
        new Index(
                List.of(
                    new Index.Entry(amd, Optional.of(AMD64)),
                    new Index.Entry(arm, Optional.of(ARM64))))
            .toBytes();
    archive.blob(index);
    return imported(archive, Descriptors.of(MediaTypes.INDEX, index), name);
  }

  private Image imported(TestArchive archive, Descriptor image, String name) {
    return importInto(content, images, archive.index(named(image, name)).bytes()).getFirst();
  }

  private Image image(String name, Descriptor target) {
    return images.create(
        new Image(name, target, Map.of(), Instant.EPOCH, Instant.EPOCH), Optional.empty());
  }

  private void store(byte[] blob) {
    new BlobWriter(content, leases, FreeSpace.UNKNOWN).document(blob, Map.of());
  }

  private static ExportRequest request(
      List<Platform> platforms, boolean all, boolean skipManifest, boolean skipForeign) {
    return new ExportRequest(
        new ImageSelection("unused"), "", platforms, all, skipManifest, skipForeign);
  }

  private byte[] write(ExportRequest request, Image... all) {
    var bytes = new ByteArrayOutputStream();
    new ArchiveExport(content)
        .run(List.of(all), bytes, request, (TransferProgress p) -> told.add(p.event()));
    return bytes.toByteArray();
  }

  private Map<String, byte[]> export(ExportRequest request, Image... all) throws IOException {
    Map<String, byte[]> files = new LinkedHashMap<>();
    var tar = reader(write(request, all));
    for (TarEntry entry = tar.next(); entry != null; entry = tar.next()) {
      var body = new ByteArrayOutputStream();
      for (ByteBuffer piece = tar.body(); piece != null; piece = tar.body()) {
        byte[] part = new byte[piece.remaining()];
        piece.get(part);
        body.writeBytes(part);
      }
      files.put(entry.name().toString(), body.toByteArray());
    }
    return files;
  }

  private static List<TarEntry> entries(byte[] archive) throws IOException {
    List<TarEntry> entries = new ArrayList<>();
    var tar = reader(archive);
    for (TarEntry entry = tar.next(); entry != null; entry = tar.next()) {
      entries.add(entry);
    }
    return entries;
  }

  private static TarReader reader(byte[] archive) {
    ByteBuffer whole = ByteBuffer.wrap(archive);
    return new TarReader(() -> whole.hasRemaining() ? whole : null);
  }

  private static byte[] bytes(Map<String, byte[]> files, String name) {
    return files.getOrDefault(name, new byte[0]);
  }

  private static JsonArray docker(Map<String, byte[]> files) {
    return (JsonArray) Json.parse(bytes(files, "manifest.json"));
  }
}
