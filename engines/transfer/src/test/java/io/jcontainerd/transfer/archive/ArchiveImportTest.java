package io.jcontainerd.transfer.archive;

import static io.jcontainerd.transfer.archive.TestArchive.AMD64;
import static io.jcontainerd.transfer.archive.TestArchive.ARM64;
import static io.jcontainerd.transfer.archive.TestArchive.entry;
import static io.jcontainerd.transfer.archive.TestArchive.gzip;
import static io.jcontainerd.transfer.archive.TestArchive.layer;
import static io.jcontainerd.transfer.archive.TestArchive.named;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.github.luben.zstd.Zstd;
import io.jcontainerd.core.Call;
import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.Platform;
import io.jcontainerd.core.content.ContentStore;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.ResourceExhaustedException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.filter.Filter;
import io.jcontainerd.core.images.Image;
import io.jcontainerd.core.images.ImageStore;
import io.jcontainerd.core.leases.LeaseStore;
import io.jcontainerd.core.transfer.ImageSelection;
import io.jcontainerd.core.transfer.ImageSelection.ExtraReference;
import io.jcontainerd.core.transfer.ImageSelection.UnpackTarget;
import io.jcontainerd.core.transfer.ImportRequest;
import io.jcontainerd.core.transfer.TransferProgress;
import io.jcontainerd.oci.image.Descriptors;
import io.jcontainerd.oci.image.ImageDocument;
import io.jcontainerd.oci.image.Index;
import io.jcontainerd.oci.image.Manifest;
import io.jcontainerd.oci.image.MediaTypes;
import io.jcontainerd.oci.tar.TarEntry;
import io.jcontainerd.testkit.contract.InNamespace;
import io.jcontainerd.testkit.memory.InMemoryContentStore;
import io.jcontainerd.testkit.memory.InMemoryImageStore;
import io.jcontainerd.testkit.memory.InMemoryLeaseStore;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class ArchiveImportTest {
  private static final byte[] LAYER = layer("one");
  private static final byte[] OTHER = layer("other");
  private static final ExtraReference ANY = new ExtraReference("import", true, true, false, false);
  private static final String NAME = "docker.io/library/app:1";

  private final SharingContent content =
      new SharingContent(InNamespace.of("default", ContentStore.class, new InMemoryContentStore()));
  private final ImageStore images =
      InNamespace.of("default", ImageStore.class, new InMemoryImageStore());
  private final LeaseStore leases =
      InNamespace.of("default", LeaseStore.class, new InMemoryLeaseStore());
  private final List<TransferProgress> told = new ArrayList<>();
  private final List<String> unpacked = new ArrayList<>();
  private ArchiveLimits limits = ArchiveLimits.USUAL;
  private FreeSpace space = FreeSpace.UNKNOWN;

  // ---- image layouts ----

  @Test
  void an_image_layout_becomes_an_image_with_its_name() {
    var archive = new TestArchive().layout();
    Descriptor manifest = archive.image(AMD64, LAYER);
    archive.index(named(manifest, NAME));
    List<Image> saved = run(archive.bytes(), images(ANY));
    assertThat(saved).extracting(Image::name).containsExactly(NAME);
    assertThat(saved.getFirst().target().digest()).isEqualTo(manifest.digest());
    assertThat(saved.getFirst().target().mediaType()).isEqualTo(MediaTypes.MANIFEST);
    assertThat(content.info(Digest.sha256(LAYER)).size()).isEqualTo(LAYER.length);
    assertThat(told)
        .extracting(TransferProgress::event)
        .containsExactly("Importing", "saved", "Completed import");
    assertThat(told.get(1).name()).isEqualTo(NAME);
  }

  @Test
  void documents_keep_their_parts_from_the_collector() {
    var archive = new TestArchive().layout();
    Descriptor manifest = archive.image(AMD64, LAYER);
    byte[] index = new Index(List.of(new Index.Entry(manifest, Optional.of(AMD64)))).toBytes();
    archive.blob(index).index(named(Descriptors.of(MediaTypes.INDEX, index), NAME));
    run(archive.bytes(), images(ANY));
    assertThat(content.info(Digest.sha256(index)).labels())
        .containsExactly(
            Map.entry("containerd.io/gc.ref.content.m.0", manifest.digest().toString()));
    assertThat(content.info(manifest.digest()).labels())
        .containsOnlyKeys("containerd.io/gc.ref.content.config", "containerd.io/gc.ref.content.l.0")
        .containsValue(Digest.sha256(LAYER).toString());
  }

  @Test
  void several_images_get_their_names_and_share_blobs() {
    var archive = new TestArchive().layout();
    Descriptor one = archive.image(AMD64, LAYER);
    Descriptor two = archive.image(ARM64, OTHER);
    archive.index(
        named(one, NAME), named(two, "docker.io/library/b:2"), named(one, "x.example/c:3"));
    assertThat(run(archive.bytes(), images(ANY)))
        .extracting(Image::name)
        .containsExactly(NAME, "docker.io/library/b:2", "x.example/c:3");
  }

  @Test
  void what_cannot_be_named_is_refused_before_anything_has_a_name() {
    var archive = new TestArchive().layout();
    Descriptor one = archive.image(AMD64, LAYER);
    Descriptor untyped = new Descriptor("", one.digest(), one.size());
    archive.index(named(one, NAME), named(untyped, "docker.io/library/b:2"));
    assertThatThrownBy(() -> run(archive.bytes(), images(ANY)))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessageContaining(one.digest() + ", of media type \"\"");
    assertThat(images.list(Filter.ALL)).isEmpty();
  }

  @Test
  void a_mere_tag_is_put_behind_the_prefix() {
    var archive = new TestArchive().layout();
    Descriptor one = archive.image(AMD64, LAYER);
    archive.index(entry(one, Map.of("org.opencontainers.image.ref.name", "v1")));
    assertThat(run(archive.bytes(), images(prefix("foo/bar", false))))
        .extracting(Image::name)
        .containsExactly("foo/bar:v1");
  }

  @Test
  void whole_names_count_under_their_prefix_or_where_it_may_be_overruled() {
    byte[] archive = oneOf(Map.of("org.opencontainers.image.ref.name", "foo/bar/baz:v1"));
    assertThat(names(archive, prefix("foo/bar", false))).containsExactly("foo/bar/baz:v1");
    assertThat(names(archive, prefix("foo/ba", false))).isEmpty();
    assertThat(names(archive, prefix("foo/ba", true))).containsExactly("foo/bar/baz:v1");
    byte[] named = oneOf(Map.of("io.containerd.image.name", NAME));
    assertThat(names(named, prefix("docker.io/library/app", false))).containsExactly(NAME);
    assertThat(names(named, prefix("elsewhere", false))).isEmpty();
  }

  @Test
  void what_is_no_name_of_an_image_counts_as_none() {
    var ifNameless = new ExtraReference("import", true, true, true, true);
    String digest = "import@" + manifest().digest();
    for (String name :
        List.of("docker.io/library/app:\u001b[2J", "x\ny/z", "a b/c", "UP/er:case!")) {
      byte[] whole = oneOf(Map.of("io.containerd.image.name", name));
      assertThat(names(whole, ANY)).isEmpty();
      assertThat(names(whole, ifNameless)).containsExactly("import@" + index(whole), digest);
      assertThat(names(oneOf(Map.of("org.opencontainers.image.ref.name", name)), ANY)).isEmpty();
    }
    byte[] tag = oneOf(Map.of("org.opencontainers.image.ref.name", "v1\u009b31m"));
    assertThat(names(tag, prefix("foo/bar", false))).isEmpty();
  }

  @Test
  void digests_make_names_where_asked() {
    byte[] nameless = oneOf(Map.of());
    byte[] named = oneOf(Map.of("io.containerd.image.name", NAME));
    Digest digest = manifest().digest();
    assertThat(names(nameless, ANY)).isEmpty();
    var withDigest = new ExtraReference("import", true, true, true, false);
    String all = "import@" + index(nameless);
    assertThat(names(nameless, withDigest)).containsExactly(all, "import@" + digest);
    String allNamed = "import@" + index(named);
    assertThat(names(named, withDigest)).containsExactly(allNamed, NAME, "import@" + digest);
    var ifNameless = new ExtraReference("import", true, true, true, true);
    assertThat(names(named, ifNameless)).containsExactly(allNamed, NAME);
    assertThat(names(nameless, ifNameless)).containsExactly(all, "import@" + digest);
  }

  @Test
  void the_index_of_the_archive_gets_the_names_that_are_spelled_out() {
    byte[] archive = oneOf(Map.of("io.containerd.image.name", NAME));
    var destination =
        new ImageSelection(
            "all:latest",
            Map.of("k", "v"),
            List.of(),
            false,
            0,
            List.of(
                ANY,
                new ExtraReference("more:1", false, false, false, false),
                new ExtraReference("dig", false, false, true, false)),
            List.of());
    List<Image> saved = run(archive, destination);
    Digest index = saved.getFirst().target().digest();
    assertThat(saved)
        .extracting(Image::name)
        .containsExactly("all:latest", "more:1", "dig@" + index, NAME);
    assertThat(saved.getFirst().target().mediaType()).isEqualTo(MediaTypes.INDEX);
    assertThat(saved).allMatch(image -> image.labels().equals(Map.of("k", "v")));
    assertThat(content.info(index).labels()).containsKey("containerd.io/gc.ref.content.m.0");
  }

  @Test
  void importing_again_changes_nothing_but_the_names() {
    byte[] archive = oneOf(Map.of("io.containerd.image.name", NAME));
    run(archive, images(ANY));
    var second = new TestArchive().layout();
    Descriptor manifest = second.image(AMD64, OTHER);
    byte[] other = second.index(named(manifest, NAME)).bytes();
    run(archive, images(ANY));
    run(other, images(ANY));
    assertThat(images.list(Filter.ALL)).hasSize(1);
    assertThat(images.get(NAME).target().digest()).isEqualTo(manifest.digest());
    assertThat(content.statuses(Filter.ALL)).isEmpty();
  }

  @Test
  void platforms_choose_and_what_they_do_not_choose_may_be_missing() {
    var archive = new TestArchive().layout();
    Descriptor amd = archive.image(AMD64, LAYER);
    Descriptor arm = new TestArchive().image(ARM64, OTHER);
    Descriptor i386 = new TestArchive().image(new Platform("linux", "386", ""), OTHER);
    byte[] index =
        new Index(
                List.of(
                    new Index.Entry(i386, Optional.of(new Platform("linux", "386", ""))),
                    new Index.Entry(arm, Optional.of(ARM64)),
                    new Index.Entry(amd, Optional.of(AMD64))))
            .toBytes();
    archive.blob(index).index(named(Descriptors.of(MediaTypes.INDEX, index), NAME));
    assertThat(run(archive.bytes(), images(ANY).withPlatforms(List.of(AMD64)))).hasSize(1);
    assertThatThrownBy(() -> run(archive.bytes(), images(ANY)))
        .isInstanceOf(NotFoundException.class)
        .hasMessageContaining(i386.digest() + ", part of index");
    assertThatThrownBy(
            () ->
                run(
                    archive.bytes(),
                    images(ANY).withPlatforms(List.of(new Platform("linux", "s390x", "")))))
        .isInstanceOf(NotFoundException.class)
        .hasMessageContaining("has nothing for linux/s390x");
  }

  @Test
  void every_image_is_unpacked_before_it_gets_its_name() {
    byte[] archive = oneOf(Map.of("io.containerd.image.name", NAME));
    run(archive, images(ANY).withUnpacks(List.of(new UnpackTarget(AMD64, "overlayfs"))));
    assertThat(unpacked).containsExactly(NAME + " " + manifest().digest() + " before its name");
  }

  @Test
  void layers_that_may_not_be_passed_on_may_be_missing() {
    byte[] config = TestArchive.config(AMD64, LAYER, OTHER);
    byte[] manifest =
        new Manifest(
                Descriptors.of(MediaTypes.CONFIG, config),
                List.of(
                    Descriptors.of(MediaTypes.DOCKER_FOREIGN_LAYER_GZIP, LAYER),
                    Descriptors.of(MediaTypes.LAYER, OTHER)))
            .toBytes();
    byte[] archive =
        new TestArchive()
            .layout()
            .blob(config)
            .blob(OTHER)
            .blob(manifest)
            .index(named(Descriptors.of(MediaTypes.MANIFEST, manifest), NAME))
            .bytes();
    assertThat(run(archive, images(ANY))).hasSize(1);
  }

  // ---- what docker save makes ----

  @Test
  void what_old_docker_saves_becomes_images() {
    byte[] config = TestArchive.config(AMD64, LAYER, OTHER);
    byte[] archive =
        new TestArchive()
            .file("abc/VERSION", "1.0")
            .file("abc/json", "{}")
            .file("abc/layer.tar", LAYER)
            .file("def/layer.tar", OTHER)
            .link(TarEntry.Type.SYMLINK, "ghi/layer.tar", "../def/layer.tar")
            .file("0123.json", config)
            .file(
                "manifest.json",
                """
                [{"Config":"0123.json","RepoTags":["app:1","x.example/app:2"],
                  "Layers":["abc/layer.tar","ghi/layer.tar"]}]""")
            .file("repositories", "{}")
            .bytes();
    List<Image> saved = run(archive, images(ANY));
    assertThat(saved).extracting(Image::name).containsExactly(NAME, "x.example/app:2");
    Descriptor target = saved.getFirst().target();
    assertThat(target.mediaType()).isEqualTo(MediaTypes.DOCKER_MANIFEST);
    Manifest manifest = (Manifest) ImageDocument.parse(bytes(target), target.mediaType());
    assertThat(manifest.config().digest()).isEqualTo(Digest.sha256(config));
    assertThat(manifest.layers())
        .extracting(Descriptor::digest)
        .containsExactly(Digest.sha256(LAYER), Digest.sha256(OTHER));
    assertThat(manifest.layers()).allMatch(l -> l.mediaType().equals(MediaTypes.DOCKER_LAYER));
    assertThat(content.info(target.digest()).labels())
        .containsKeys("containerd.io/gc.ref.content.config", "containerd.io/gc.ref.content.l.1");
    assertThat(content.find(Digest.sha256("{}".getBytes(UTF_8)))).isEmpty();
  }

  @Test
  void layers_of_old_docker_are_packed_where_asked() {
    byte[] archive = docker("l.tar", LAYER, TestArchive.config(AMD64, LAYER)).bytes();
    Image image = run(archive, new ImportRequest("", true, images(ANY))).getFirst();
    Manifest manifest =
        (Manifest) ImageDocument.parse(bytes(image.target()), image.target().mediaType());
    Descriptor layer = manifest.layers().getFirst();
    assertThat(layer.mediaType()).isEqualTo(MediaTypes.DOCKER_LAYER_GZIP);
    assertThat(content.info(layer.digest()).labels())
        .containsEntry("containerd.io/uncompressed", Digest.sha256(LAYER).toString());
    assertThat(content.find(Digest.sha256(LAYER))).isEmpty();
  }

  @Test
  void packed_layers_in_what_docker_saved_are_known_by_their_bytes() {
    byte[] archive = docker("l.tar", gzip(LAYER), TestArchive.config(AMD64, LAYER)).bytes();
    Image image = run(archive, images(ANY)).getFirst();
    Manifest manifest =
        (Manifest) ImageDocument.parse(bytes(image.target()), image.target().mediaType());
    assertThat(manifest.layers().getFirst().mediaType()).isEqualTo(MediaTypes.DOCKER_LAYER_GZIP);
  }

  @Test
  void new_docker_saves_a_layout_which_counts() {
    var archive = new TestArchive().layout();
    Descriptor manifest = archive.image(AMD64, LAYER);
    archive
        .index(named(manifest, NAME))
        .file("manifest.json", "[{\"Config\":\"nonsense\",\"Layers\":[]}]");
    assertThat(run(archive.bytes(), images(ANY)).getFirst().target().digest())
        .isEqualTo(manifest.digest());
  }

  @Test
  void docker_archives_that_do_not_fit_together_are_refused() {
    byte[] config = TestArchive.config(AMD64, LAYER);
    refused(docker("l.tar", OTHER, config), "has the digest " + Digest.sha256(OTHER));
    refused(docker("l.tar", LAYER, TestArchive.config(AMD64, LAYER, OTHER)), "2 layers");
    refused(new TestArchive().file("manifest.json", "[]"), "lists no image");
    refused(new TestArchive().file("manifest.json", "{}"), "no list of images");
    refused(
        new TestArchive().file("manifest.json", "[{\"Config\":\"c\",\"Layers\":[]}]"),
        "names \"c\", which is not there");
    refused(
        new TestArchive()
            .link(TarEntry.Type.SYMLINK, "a", "b")
            .link(TarEntry.Type.SYMLINK, "b", "a")
            .file("manifest.json", "[{\"Config\":\"a\",\"Layers\":[]}]"),
        "names \"a\", which is not there");
    refused(
        new TestArchive().file("manifest.json", "[{\"Config\":\"../../etc/passwd\"}]"),
        "leads out of it");
  }

  // ---- packed archives ----

  @Test
  void archives_may_be_packed() {
    byte[] archive = oneOf(Map.of("io.containerd.image.name", NAME));
    assertThat(names(gzip(archive), ANY)).containsExactly(NAME);
    byte[] members = gzip(Arrays.copyOf(archive, 1000));
    byte[] rest = gzip(Arrays.copyOfRange(archive, 1000, archive.length));
    byte[] both = Arrays.copyOf(members, members.length + rest.length);
    System.arraycopy(rest, 0, both, members.length, rest.length);
    assertThat(names(both, ANY)).containsExactly(NAME);
    assertThat(names(Zstd.compress(archive), ANY)).containsExactly(NAME);
    for (byte[] magic :
        List.of(
            new byte[] {(byte) 0xfd, '7', 'z', 'X', 'Z', 0},
            new byte[] {'B', 'Z', 'h', '9', 0, 0},
            new byte[] {'P', 'K', 3, 4, 0, 0})) {
      assertThatThrownBy(() -> run(Arrays.copyOf(magic, 1024), images(ANY)))
          .isInstanceOf(InvalidArgumentException.class)
          .hasMessageContaining("is packed with");
    }
  }

  @Test
  void what_follows_the_end_of_a_packed_archive_is_read_too_within_bounds() {
    byte[] archive = gzip(oneOf(Map.of("io.containerd.image.name", NAME)));
    byte[] padded = Arrays.copyOf(archive, archive.length + (1 << 20)); // run looks if all is read
    assertThat(names(padded, ANY)).containsExactly(NAME);
    limits = new ArchiveLimits(1000, 100_000, 1000, 10, 1 << 19);
    assertThatThrownBy(() -> run(padded, images(ANY)))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessageContaining("followed by more than " + (1 << 19) + " other bytes");
  }

  // ---- archives that mean harm ----

  @Test
  void names_that_lead_out_are_refused() {
    refused(new TestArchive().file("../x", "x"), "leads out of it");
    refused(new TestArchive().file("/etc/passwd", "x"), "leads out of it");
    refused(new TestArchive().file("blobs/../../x", "x"), "leads out of it");
    refused(
        new TestArchive().link(TarEntry.Type.SYMLINK, "a/b", "../../etc/passwd"),
        "leads out of it");
    refused(new TestArchive().link(TarEntry.Type.SYMLINK, "a", "/etc/passwd"), "leads out of it");
    refused(new TestArchive().link(TarEntry.Type.HARD_LINK, "a", "../b"), "leads out of it");
  }

  @Test
  void entries_that_are_there_twice_are_refused() {
    refused(new TestArchive().layout().layout(), "is there twice");
    refused(new TestArchive().blob(LAYER).blob(LAYER), "is there twice");
    refused(new TestArchive().file("a", "x").file("./a", "y"), "is there twice");
  }

  @Test
  void devices_are_refused() {
    refused(new TestArchive().link(TarEntry.Type.CHARACTER_DEVICE, "null", ""), "is no file");
    refused(new TestArchive().link(TarEntry.Type.FIFO, "fifo", ""), "is no file");
  }

  @Test
  void blobs_must_be_what_their_names_say() {
    refused(
        new TestArchive().layout().file(TestArchive.path(Digest.sha256(LAYER)), "lie"),
        "blob " + Digest.sha256(LAYER) + " has the digest");
    refused(new TestArchive().file("blobs/sha256/xyz", "x"), "is not named by a digest");
    refused(new TestArchive().file("blobs/x", "x"), "is not named by a digest");
    store(LAYER);
    refused(
        new TestArchive().file(TestArchive.path(Digest.sha256(LAYER)), "lie"),
        "has 3 bytes instead of " + LAYER.length);
  }

  @Test
  void missing_parts_are_named() {
    byte[] config = TestArchive.config(AMD64, LAYER);
    byte[] manifest =
        new Manifest(
                Descriptors.of(MediaTypes.CONFIG, config),
                List.of(Descriptors.of(MediaTypes.LAYER, LAYER)))
            .toBytes();
    Descriptor at = Descriptors.of(MediaTypes.MANIFEST, manifest);
    missing(new TestArchive().layout().index(named(at, NAME)), at.digest());
    missing(
        new TestArchive().layout().blob(manifest).index(named(at, NAME)), Digest.sha256(config));
    missing(
        new TestArchive().layout().blob(manifest).blob(config).index(named(at, NAME)),
        Digest.sha256(LAYER));
    assertThat(images.list(Filter.ALL)).isEmpty();
  }

  @Test
  void sizes_that_lie_are_refused() {
    var archive = new TestArchive().layout();
    Descriptor manifest = archive.image(AMD64, LAYER);
    archive.index(named(new Descriptor(manifest.mediaType(), manifest.digest(), 7), NAME));
    refused(archive, "bytes instead of 7");
  }

  @Test
  void what_is_no_archive_of_images_is_refused() {
    refused(new TestArchive().file("hello", "world"), "neither index.json nor manifest.json");
    refused(new TestArchive(), "neither index.json nor manifest.json");
    refused(new TestArchive().file("oci-layout", "{}").file("index.json", "{}"), "layout version");
    refused(new TestArchive().layout().file("index.json", "{\"layers\":[]}"), "has layers");
    assertThatThrownBy(
            () -> run("no tar archive, just some text".repeat(40).getBytes(UTF_8), images(ANY)))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessageStartingWith("image archive: ");
  }

  @Test
  void an_archive_cut_off_anywhere_is_refused_and_leaves_nothing_half_done() {
    byte[] archive = oneOf(Map.of("io.containerd.image.name", NAME));
    int padding = 512; // at the end, and the end mark: some writers leave both out
    for (int length = 0; length < archive.length - 1024 - padding; length += 97) {
      byte[] cut = Arrays.copyOf(archive, length);
      assertThatThrownBy(() -> run(cut, images(ANY))).isInstanceOf(InvalidArgumentException.class);
    }
    for (byte[] packed : List.of(gzip(archive), Zstd.compress(archive))) {
      for (int length = 1; length < packed.length; length += 13) {
        byte[] cut = Arrays.copyOf(packed, length);
        assertThatThrownBy(() -> run(cut, images(ANY)))
            .isInstanceOf(InvalidArgumentException.class);
      }
    }
    assertThat(content.statuses(Filter.ALL)).isEmpty();
    assertThat(images.list(Filter.ALL)).isEmpty();
  }

  @Test
  void an_archive_that_stops_coming_is_no_bad_archive() {
    InputStream broken =
        new SequenceInputStream(
            new ByteArrayInputStream(oneOf(Map.of()), 0, 3000),
            new InputStream() {
              @Override
              public int read() throws IOException {
                throw new IOException("connection reset");
              }

              @Override
              public int read(byte[] into, int offset, int length) throws IOException {
                throw new IOException("connection reset");
              }
            });
    assertThatThrownBy(() -> run(broken, new ImportRequest("", false, images(ANY))))
        .isInstanceOf(UnavailableException.class)
        .hasMessageContaining("connection reset");
    assertThat(content.statuses(Filter.ALL)).isEmpty();
  }

  @Test
  void archives_are_bounded() {
    limits = new ArchiveLimits(3, 1000, 100, 10, 2000);
    var many = new TestArchive().file("1", "").file("2", "").file("3", "").file("4", "");
    refused(many, "more than 3 entries");
    refused(new TestArchive().file("index.json", " ".repeat(101)), "index.json of 101 bytes");
    byte[] followed = Arrays.copyOf(new TestArchive().file("1", "").bytes(), 100_000);
    assertThatThrownBy(() -> run(followed, images(ANY)))
        .hasMessageContaining("followed by more than 2000 other bytes");
  }

  @Test
  void long_names_and_links_are_refused_before_anything_is_made_of_them() {
    String longest = "a/".repeat(2047) + "ab";
    refused(new TestArchive().file(longest, "x"), "neither index.json nor manifest.json");
    String longer = "a/".repeat(2048) + "b";
    String limit = "a name or link of 4097 bytes, more than 4096";
    refused(new TestArchive().file(longer, "x"), limit);
    refused(new TestArchive().add(TarEntry.Type.DIRECTORY, longer, "", new byte[0]), limit);
    refused(new TestArchive().link(TarEntry.Type.SYMLINK, "s", longer), "entry \"s\" has " + limit);
    refused(
        new TestArchive().link(TarEntry.Type.HARD_LINK, "h", longer), "entry \"h\" has " + limit);
  }

  @Test
  void names_and_links_of_an_archive_are_bounded_together() {
    var many = new TestArchive();
    String target = "t".repeat(4000);
    for (int i = 0; i < 1047; i++) {
      many.link(TarEntry.Type.SYMLINK, "s" + i, target);
    }
    refused(many, "neither index.json nor manifest.json");
    many.link(TarEntry.Type.SYMLINK, "last", target);
    refused(many, "names and links up to entry \"last\" have more than 4194304 bytes");
  }

  @Test
  void an_archive_that_unpacks_to_very_much_is_refused() {
    limits = new ArchiveLimits(1000, 1000, 1000, 10, 1L << 40);
    // frames of zeros, each a few bytes for 64 MiB
    byte[] frame = Zstd.compress(new byte[64 << 20]);
    var packed = new ByteArrayOutputStream();
    packed.writeBytes(Zstd.compress(new TestArchive().file("x", "").bytes()));
    for (int i = 0; i < 20; i++) {
      packed.writeBytes(frame);
    }
    assertThatThrownBy(() -> run(packed.toByteArray(), images(ANY)))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessageContaining("unpacks to more than");
    assertThat(content.statuses(Filter.ALL)).isEmpty();
  }

  @Test
  void blobs_that_were_there_before_are_added_to_the_lease() {
    byte[] archive = oneOf(Map.of("io.containerd.image.name", NAME));
    store(LAYER);
    Call call = Call.in("default").withLease("l");
    call.run(
        () -> {
          leases.create("l", Map.of());
          run(archive, images(ANY));
          assertThat(leases.listResources("l"))
              .anyMatch(resource -> resource.id().equals(Digest.sha256(LAYER).toString()));
        });
  }

  @Test
  void blobs_of_other_namespaces_are_taken_over() {
    byte[] archive = oneOf(Map.of("io.containerd.image.name", NAME));
    byte[] index = TestArchive.oneIndex(manifest(), Map.of("io.containerd.image.name", NAME));
    for (byte[] blob : List.of(LAYER, TestArchive.config(AMD64, LAYER), index)) {
      content.elsewhere.put(Digest.sha256(blob), blob);
    }
    assertThat(names(archive, ANY)).containsExactly(NAME);
    assertThat(content.info(Digest.sha256(LAYER)).size()).isEqualTo(LAYER.length);
    content.elsewhere.put(Digest.sha256(OTHER), OTHER);
    refused(new TestArchive().file(TestArchive.path(Digest.sha256(OTHER)), "lie"), "has 3 bytes");
  }

  @Test
  void zeros_packed_with_gzip_are_not_unpacked_for_ever() throws IOException {
    var packed = new ByteArrayOutputStream();
    byte[] zeros = new byte[1 << 20];
    try (var gzip = new GZIPOutputStream(packed)) {
      gzip.write(TestArchive.header("VERSION", 400L << 20));
      for (int i = 0; i < 400; i++) {
        gzip.write(zeros);
      }
    }
    assertThatThrownBy(() -> run(packed.toByteArray(), images(ANY)))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessageContaining("unpacks to more than");
  }

  @Test
  void a_part_of_the_disk_stays_free() {
    byte[] archive = oneOf(Map.of("io.containerd.image.name", NAME));
    space = () -> Optional.of(ArchiveLimits.RESERVE + LAYER.length - 1);
    assertThatThrownBy(() -> run(archive, images(ANY)))
        .isInstanceOf(ResourceExhaustedException.class)
        .hasMessageContaining("no room for " + LAYER.length + " more bytes");
    assertThat(content.statuses(Filter.ALL)).isEmpty();
    space = () -> Optional.of(ArchiveLimits.RESERVE + LAYER.length);
    assertThat(names(archive, ANY)).containsExactly(NAME);
  }

  @Test
  void a_disk_that_others_fill_meanwhile_is_noticed() {
    byte[] large = layer("x".repeat(20 << 20));
    byte[] config = TestArchive.config(AMD64, large);
    for (boolean compress : List.of(false, true)) {
      byte[] noise = new byte[20 << 20];
      new Random(1).nextBytes(noise);
      System.arraycopy(large, 0, noise, 0, 512);
      byte[] archive = docker("l.tar", noise, config).bytes();
      var looks = new AtomicInteger();
      space = () -> Optional.of(looks.incrementAndGet() < 3 ? 1L << 40 : 0L);
      assertThatThrownBy(() -> run(archive, new ImportRequest("", compress, images(ANY))))
          .isInstanceOf(ResourceExhaustedException.class);
      assertThat(content.statuses(Filter.ALL)).isEmpty();
    }
  }

  @Test
  void what_tells_a_layout_is_short_and_read_once() {
    String longest = "{\"imageLayoutVersion\":\"1.0.0\"}" + " ".repeat(4096 - 30);
    refused(new TestArchive().file("oci-layout", longest), "neither index.json nor manifest.json");
    refused(
        new TestArchive().file("oci-layout", longest + " "),
        "oci-layout of 4097 bytes is too long");
    refused(new TestArchive().file("oci-layout", "{}").file("more", "x"), "layout version");
  }

  @Test
  void many_ways_to_one_image_are_gone_once() {
    var archive = new TestArchive().layout();
    Descriptor image = archive.image(AMD64, LAYER);
    Descriptor maze = archive.maze(8, Optional.empty(), image);
    archive.index(named(maze, NAME));
    assertThat(run(archive.bytes(), images(ANY))).hasSize(1);
  }

  @Test
  void many_ways_to_what_need_not_be_whole_are_gone_once() {
    var archive = new TestArchive().layout();
    Descriptor amd = archive.image(AMD64, LAYER);
    Descriptor arm = archive.image(ARM64, OTHER);
    Descriptor maze =
        archive.maze(8, Optional.of(ARM64), arm, new Index.Entry(amd, Optional.of(AMD64)));
    archive.index(named(maze, NAME));
    assertThat(run(archive.bytes(), metadataToo())).hasSize(1);
  }

  @Test
  void what_was_seen_without_layers_is_checked_with_them_where_it_must_be_whole() {
    var archive = new TestArchive().layout();
    Descriptor amd = archive.image(AMD64, LAYER);
    byte[] config = TestArchive.config(ARM64, OTHER);
    byte[] manifest =
        new Manifest(
                Descriptors.of(MediaTypes.CONFIG, config),
                List.of(Descriptors.of(MediaTypes.LAYER, OTHER)))
            .toBytes();
    Descriptor arm = Descriptors.of(MediaTypes.MANIFEST, manifest);
    byte[] index =
        new Index(
                List.of(
                    new Index.Entry(amd, Optional.of(AMD64)),
                    new Index.Entry(arm, Optional.of(ARM64))))
            .toBytes();
    archive.blob(config).blob(manifest).blob(index);
    archive.index(named(Descriptors.of(MediaTypes.INDEX, index), NAME), named(arm, "arm:1"));
    assertThatThrownBy(() -> run(archive.bytes(), metadataToo()))
        .isInstanceOf(NotFoundException.class)
        .hasMessageContaining(Digest.sha256(OTHER) + ", part of manifest " + arm.digest());
  }

  @Test
  void documents_of_an_archive_are_bounded() {
    var archive = new TestArchive().layout();
    archive.index(archive.manifests(10_001).toArray(new Index.Entry[0]));
    refused(archive, "more than 10000 indexes and manifests");
  }

  // ---- helpers ----

  private static ImageSelection metadataToo() {
    return new ImageSelection("", Map.of(), List.of(AMD64), true, 0, List.of(ANY), List.of());
  }

  private static Descriptor manifest() {
    return new TestArchive().image(AMD64, LAYER);
  }

  private static byte[] oneOf(Map<String, String> annotations) {
    var archive = new TestArchive().layout();
    return archive.index(entry(archive.image(AMD64, LAYER), annotations)).bytes();
  }

  private static TestArchive docker(String name, byte[] layer, byte[] config) {
    return new TestArchive()
        .file(name, layer)
        .file("c.json", config)
        .file(
            "manifest.json",
            "[{\"Config\":\"c.json\",\"RepoTags\":[\"app:1\"],\"Layers\":[\"" + name + "\"]}]");
  }

  private static ExtraReference prefix(String name, boolean overwrite) {
    return new ExtraReference(name, true, overwrite, false, false);
  }

  private static ImageSelection images(ExtraReference reference) {
    return new ImageSelection("", Map.of(), List.of(), false, 0, List.of(reference), List.of());
  }

  /** What the index of an archive is stored as. */
  private Digest index(byte[] archive) {
    return run(archive, new ImageSelection("all:latest")).getFirst().target().digest();
  }

  private List<String> names(byte[] archive, ExtraReference reference) {
    return run(archive, images(reference)).stream().map(Image::name).toList();
  }

  private List<Image> run(byte[] archive, ImageSelection destination) {
    return run(archive, new ImportRequest("", false, destination));
  }

  private List<Image> run(byte[] archive, ImportRequest request) {
    var in = new ByteArrayInputStream(archive);
    List<Image> saved = run(in, request);
    assertThat(in.available()).as("bytes that were not read").isZero();
    return saved;
  }

  private List<Image> run(InputStream archive, ImportRequest request) {
    var importing =
        new ArchiveImport(
            content,
            leases,
            new SavedNames(images),
            (name, image, where, listener) ->
                unpacked.add(
                    name
                        + " "
                        + image.digest()
                        + (images.list(Filter.ALL).isEmpty() ? " before its name" : " too late")),
            space,
            limits);
    return importing.run(archive, request, told::add);
  }

  private void refused(TestArchive archive, String why) {
    assertThatThrownBy(() -> run(archive.bytes(), images(ANY)))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessageContaining(why);
    assertThat(content.statuses(Filter.ALL)).as("ingests left").isEmpty();
  }

  private void missing(TestArchive archive, Digest what) {
    assertThatThrownBy(() -> run(archive.bytes(), images(ANY)))
        .isInstanceOf(NotFoundException.class)
        .hasMessageContaining(what + ", part of");
  }

  private void store(byte[] blob) {
    new BlobWriter(content, leases, FreeSpace.UNKNOWN).document(blob, Map.of());
  }

  private byte[] bytes(Descriptor target) {
    return Blobs.read(content, target.digest(), target.size());
  }
}
