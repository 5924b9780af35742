package io.jcontainerd.testkit.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.Labels;
import io.jcontainerd.core.content.ContentStore;
import io.jcontainerd.core.content.Ingest;
import io.jcontainerd.core.content.IngestRequest;
import io.jcontainerd.core.diff.Applier;
import io.jcontainerd.core.diff.Comparer;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.NotImplementedException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.filter.Filter;
import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.core.ports.Kernel;
import io.jcontainerd.testkit.tree.Samples;
import io.jcontainerd.testkit.tree.Tree;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/**
 * What any {@link Applier} and {@link Comparer} owe their callers. Layers are made and read by the
 * machine's {@code tar}, so that the two cannot agree on a mistake. Really mounts, and so needs
 * root.
 */
@Tag("root")
@ExtendWith(ContractReport.class)
@SuppressWarnings("NullAway.Init")
public abstract class DifferContract {
  /** What a differ may lack. */
  public enum Trait {
    /** Makes layers that are packed with zstd. */
    PACKS_ZSTD,
    /** Bounds the times in a layer. */
    SOURCE_DATE_EPOCH,
    /** Keeps fractions of seconds, attributes, links and devices of what it packs. */
    PACKS_EVERYTHING,
    /** Refuses a damaged layer that could be unpacked before the damage. */
    REFUSES_DAMAGE
  }

  /** A plain layer. */
  protected static final String TAR = "application/vnd.oci.image.layer.v1.tar";

  private static final String GZIP = TAR + "+gzip";
  private static final String ZSTD = TAR + "+zstd";
  private static final String PACK = "tar --xattrs --xattrs-include='*' --format=pax -cpf - .";

  /** What happens to a tree between two layers: every kind of change. */
  private static final String CHANGES =
      """
      rm gone; rm -r gone-folder; rm -r emptied/*; echo more >> grown; echo other > changed
      rm was-file; mkdir was-file; echo 1 > was-file/in
      rm -r was-folder; echo 2 > was-folder
      rm was-link; echo 3 > was-link; rm was-file-2; ln -s grown was-file-2
      mv renamed new-name; mv folder-a folder-b
      rm -r replaced; mkdir replaced; echo new > replaced/new
      chmod 4750 mode; chown 12:34 owner; touch -d '2011-02-03T04:05:06.5Z' time
      ln grown linked; mkdir -p new/deep; echo deep > new/deep/file; mknod new/dev c 5 1
      chmod 700 kept-folder; mkfifo new/fifo; ln -s /etc/passwd new/absolute
      """;

  private static final String BASE =
      """
      echo gone > gone; mkdir gone-folder; echo x > gone-folder/x; mkdir emptied; echo 1 > emptied/1
      mkdir emptied/sub; echo 2 > emptied/sub/2; echo grown > grown; echo changed > changed
      echo f > was-file; mkdir -p was-folder/sub; echo f > was-folder/sub/f; ln -s grown was-link
      echo f > was-file-2; echo renamed > renamed; mkdir folder-a; echo a > folder-a/a
      mkdir replaced; echo old > replaced/old; echo mode > mode; echo owner > owner; echo time > time
      mkdir kept-folder; echo kept > kept-folder/kept
      find . -exec touch -h -d '2001-02-03T04:05:06.123456789Z' {} +
      """;

  @TempDir Path testFolder;
  private Path ground;
  private Kernel kernel;

  /** For subclasses. */
  protected DifferContract() {}

  /** Puts layers into trees. */
  protected abstract Applier applier();

  /** Makes layers from trees. */
  protected abstract Comparer comparer();

  /** Holds the layers. */
  protected abstract ContentStore content();

  /** A kernel for the mounts of one test. */
  protected abstract Kernel newKernel(Path temporary);

  /** What these two lack. */
  protected Set<Trait> leavesOut() {
    return EnumSet.noneOf(Trait.class);
  }

  private void assumeHas(Trait trait) {
    Assumptions.assumeFalse(leavesOut().contains(trait), () -> "leaves out " + trait);
  }

  @BeforeEach
  final void findGround() throws IOException {
    ground = Files.createDirectory(testFolder.resolve("ground"));
    kernel = newKernel(Files.createDirectory(testFolder.resolve("temporary")));
    kernel.mount(List.of(new Mount("tmpfs", "tmpfs", List.of())), ground);
  }

  @AfterEach
  final void leaveNothing() throws IOException {
    Set<String> left = new TreeSet<>();
    for (Kernel.MountPoint point : kernel.mountTable()) {
      if (point.mountPoint().startsWith(testFolder) && !point.mountPoint().equals(ground)) {
        left.add(point.mountPoint().toString());
        kernel.detachAll(point.mountPoint());
      }
    }
    kernel.unmountAll(ground);
    assertThat(left).as("left mounted").isEmpty();
  }

  // ---- short words ----

  private Path fresh(String name) throws IOException {
    return Files.createDirectories(ground.resolve(name));
  }

  private static List<Mount> bind(Path folder) {
    return List.of(new Mount("bind", folder.toString(), List.of("rw", "rbind")));
  }

  private static List<Mount> overlay(Path upper, Path work, Path... lowers) {
    String joined = Arrays.stream(lowers).map(Path::toString).collect(Collectors.joining(":"));
    return List.of(
        new Mount(
            "overlay",
            "overlay",
            List.of("workdir=" + work, "upperdir=" + upper, "lowerdir=" + joined)));
  }

  private Descriptor blob(byte[] bytes, String mediaType) {
    Digest digest = Digest.sha256(bytes);
    if (content().find(digest).isEmpty()) {
      try (Ingest ingest = content().ingest(new IngestRequest("blob-" + digest.hex()))) {
        ingest.write(ByteBuffer.wrap(bytes));
        ingest.commit(bytes.length, Optional.of(digest), Map.of());
      }
    }
    return new Descriptor(mediaType, digest, bytes.length);
  }

  private byte[] bytes(Descriptor layer) {
    return ContentStoreContract.read(content(), layer.digest());
  }

  private Descriptor apply(Descriptor layer, List<Mount> mounts) {
    return applier().apply(layer, mounts, new Applier.Options(Map.of(), false));
  }

  private Descriptor applyTar(Path source, Path target) throws IOException {
    return apply(blob(Samples.bytesOf(source, PACK), TAR), bind(target));
  }

  private static Comparer.Options options(String mediaType) {
    return new Comparer.Options(mediaType, "", Map.of(), Optional.empty());
  }

  private Tree tree(Path top) throws IOException {
    return Tree.read(top, kernel);
  }

  private Path copy(Path of, String name) throws IOException {
    Path target = fresh(name);
    Samples.sh(of, "cp -a . $1", target);
    return target;
  }

  private static List<String> names(Path folder) throws IOException {
    try (Stream<Path> all = Files.list(folder)) {
      return all.map(path -> String.valueOf(path.getFileName())).sorted().toList();
    }
  }

  /** Does something to a mounted tree, and unmounts it. */
  private void mounted(List<Mount> mounts, SnapshotterFilesContract.OnTree action)
      throws IOException {
    Path place = Files.createTempDirectory(testFolder, "mounted");
    kernel.mount(mounts, place);
    try {
      action.run(place);
    } finally {
      kernel.unmountAll(place);
      Files.delete(place);
    }
  }

  // ---- apply ----

  @Test
  void what_tar_packs_comes_back_however_it_is_packed() throws IOException {
    Path source = fresh("source");
    Samples.everyKind(source, kernel);
    byte[] plain = Samples.bytesOf(source, PACK);
    Files.write(testFolder.resolve("layer"), plain);
    Map<String, byte[]> packed =
        Map.of(
            TAR,
            plain,
            GZIP,
            Samples.bytesOf(testFolder, "gzip -c layer"),
            ZSTD,
            Samples.bytesOf(testFolder, "zstd -qc layer"),
            "application/vnd.docker.image.rootfs.diff.tar.gzip",
            Samples.bytesOf(testFolder, "gzip -1c layer"));
    for (Map.Entry<String, byte[]> layer : packed.entrySet()) {
      Path target = fresh("target-" + layer.getKey().replace('/', '-'));
      Descriptor applied = apply(blob(layer.getValue(), layer.getKey()), bind(target));
      tree(target).assertSameAs(tree(source));
      assertThat(applied.digest()).as(layer.getKey()).isEqualTo(Digest.sha256(plain));
      assertThat(applied.size()).isEqualTo(plain.length);
      assertThat(applied.mediaType()).isEqualTo(TAR);
    }
  }

  @Test
  void folders_keep_the_times_that_the_layer_tells() throws IOException {
    Path source = fresh("source");
    Samples.sh(
        source,
        "mkdir -p a/b/c; echo 1 > a/b/c/f; find . -depth -exec touch -d '1999-01-02T03:04:05Z' {} +");
    Path target = fresh("target");
    applyTar(source, target);
    tree(target).assertSameAs(tree(source));
    applyTar(source, target);
    tree(target).assertSameAs(tree(source));
  }

  @Test
  void whiteouts_remove_what_is_below_but_nothing_of_their_own_layer() throws IOException {
    Path base = fresh("base");
    Samples.sh(
        base, "mkdir -p d/e keep; echo 1 > d/e/f; echo 2 > d/g; echo 3 > h; echo 4 > keep/k");
    Path change = fresh("change");
    Samples.sh(
        change, "mkdir d keep; touch .wh.h d/.wh.e; echo new > d/new; touch keep/.wh.missing");
    Descriptor layer = blob(Samples.bytesOf(change, PACK), TAR);

    Path plain = copy(base, "plain");
    apply(layer, bind(plain));
    assertThat(names(plain)).containsExactly("d", "keep");
    assertThat(names(plain.resolve("d"))).containsExactly("g", "new");
    assertThat(names(plain.resolve("keep"))).containsExactly("k");

    List<Mount> over = overlay(fresh("upper"), fresh("work"), base);
    apply(layer, over);
    mounted(
        over,
        root -> {
          assertThat(names(root)).containsExactly("d", "keep");
          assertThat(names(root.resolve("d"))).containsExactly("g", "new");
          assertThat(names(root.resolve("keep"))).containsExactly("k");
        });
    assertThat(base.resolve("h")).hasContent("3");
  }

  @Test
  void an_opaque_folder_hides_all_that_was_in_it() throws IOException {
    Path base = fresh("base");
    Samples.sh(base, "mkdir -p d/e other; echo 1 > d/e/f; echo 2 > d/g; echo 3 > other/o");
    Path change = fresh("change");
    Samples.sh(change, "mkdir -p d/e; touch d/.wh..wh..opq; echo new > d/e/new");
    Descriptor layer = blob(Samples.bytesOf(change, PACK), TAR);
    Path plain = copy(base, "plain");
    apply(layer, bind(plain));
    List<Mount> over = overlay(fresh("upper"), fresh("work"), base);
    apply(layer, over);
    SnapshotterFilesContract.OnTree look =
        root -> {
          assertThat(names(root.resolve("d"))).containsExactly("e");
          assertThat(names(root.resolve("d/e"))).containsExactly("new");
          assertThat(names(root.resolve("other"))).containsExactly("o");
        };
    look.run(plain);
    mounted(over, look);
  }

  @Test
  void entries_replace_what_is_in_their_way() throws IOException {
    Path base = fresh("base");
    Samples.sh(
        base,
        "echo f > file; mkdir -p folder/sub; ln -s /nowhere link; mkdir merged; echo 1 > merged/1");
    Path change = fresh("change");
    Samples.sh(
        change,
        "mkdir file; echo 1 > file/in; echo 2 > folder; mkdir link; mkdir merged; echo 2 > merged/2");
    Path target = copy(base, "target");
    applyTar(change, target);
    assertThat(target.resolve("file/in")).hasContent("1");
    assertThat(target.resolve("folder")).hasContent("2");
    assertThat(Files.isSymbolicLink(target.resolve("link"))).isFalse();
    assertThat(names(target.resolve("merged"))).containsExactly("1", "2");
  }

  @Test
  void nothing_reaches_out_of_the_tree() throws IOException {
    Path outside = fresh("outside");
    Samples.sh(outside, "echo untouched > file");
    Tree before = tree(outside);
    Path making = fresh("making");
    List<byte[]> layers =
        List.of(
            // a link out, then something below it
            Samples.bytesOf(
                making,
                "mkdir a; ln -s $1 a/out; tar -cf 1.tar -C a out; rm a/out; mkdir a/out;"
                    + " echo bad > a/out/file; tar -rf 1.tar -C a out/file; cat 1.tar",
                outside),
            // a name that climbs
            Samples.bytesOf(
                making,
                "mkdir -p b; echo bad > b/x;"
                    + " tar -P --transform 's,^x,../outside/file,' -C b -cf - x"),
            // an absolute name
            Samples.bytesOf(
                making,
                "mkdir -p c; echo bad > c/x; tar -P --transform \"s,^x,$1/file,\" -C c -cf - x",
                outside),
            // a hard link to something outside, then written through
            Samples.bytesOf(
                making,
                "mkdir -p d; echo bad > d/x; ln d/x d/y;"
                    + " tar -P --transform 'flags=h;s,^x,../outside/file,' -C d -cf - y x"));
    for (int i = 0; i < layers.size(); i++) {
      Path target = fresh("target-" + i);
      try {
        apply(blob(layers.get(i), TAR), bind(target));
      } catch (ContainerdException e) {
        assertThat(e).hasMessageNotContaining("untouched"); // refused: as good as contained
      }
      tree(outside).assertSameAs(before);
    }
  }

  @Test
  void what_cannot_be_applied_is_told() throws IOException {
    Path target = fresh("target");
    byte[] layer = Samples.bytesOf(fresh("source"), "echo 1 > f; " + PACK);
    Descriptor unknown = blob(layer, "application/vnd.example.layer");
    assertThatThrownBy(() -> apply(unknown, bind(target)))
        .isInstanceOf(NotImplementedException.class);
    var missing = new Descriptor(TAR, Digest.sha256(new byte[] {1, 2, 3}), 3);
    assertThatThrownBy(() -> apply(missing, bind(target))).isInstanceOf(NotFoundException.class);
    assertThat(names(target)).isEmpty();
  }

  @Test
  void a_damaged_layer_is_refused() throws IOException {
    assumeHas(Trait.REFUSES_DAMAGE);
    Path source = fresh("source");
    Files.write(source.resolve("f"), Samples.noise(200_000));
    byte[] plain = Samples.bytesOf(source, PACK);
    Files.write(testFolder.resolve("layer"), plain);
    byte[] gzip = Samples.bytesOf(testFolder, "gzip -c layer");
    byte[] flipped = gzip.clone();
    flipped[gzip.length / 2] ^= 0x10;
    Map<byte[], String> damaged =
        Map.of(
            Arrays.copyOf(plain, 100_000),
            TAR,
            Arrays.copyOf(gzip, gzip.length / 2),
            GZIP,
            flipped,
            GZIP,
            Samples.noise(10_000),
            TAR);
    for (Map.Entry<byte[], String> layer : damaged.entrySet()) {
      Descriptor blob = blob(layer.getKey(), layer.getValue());
      Path target = fresh("target-" + blob.digest().hex());
      assertThatThrownBy(() -> apply(blob, bind(target))).isInstanceOf(ContainerdException.class);
    }
  }

  @Test
  void an_empty_layer_changes_nothing() throws IOException {
    Path target = fresh("target");
    Samples.everyKind(target, kernel);
    Tree before = tree(target);
    byte[] empty = new byte[1024];
    assertThat(apply(blob(empty, TAR), bind(target)).digest()).isEqualTo(Digest.sha256(empty));
    tree(target).assertSameAs(before);
  }

  @Test
  void a_layer_in_an_overlay_shows_what_it_shows_in_a_folder() throws IOException {
    Path base = fresh("base");
    Samples.sh(base, BASE);
    Path after = copy(base, "after");
    Samples.sh(after, CHANGES);
    Descriptor change = comparer().compare(bind(base), bind(after), options(TAR));
    Path plain = copy(base, "plain");
    apply(change, bind(plain));
    List<Mount> over = overlay(fresh("upper"), fresh("work"), base);
    apply(change, over);
    Tree expected = tree(plain);
    mounted(over, root -> tree(root).assertSameAs(expected));
  }

  // ---- compare ----

  @Test
  void a_difference_makes_of_the_one_tree_the_other() throws IOException {
    assumeHas(Trait.PACKS_EVERYTHING);
    var types = new ArrayList<>(List.of("", TAR, GZIP));
    if (!leavesOut().contains(Trait.PACKS_ZSTD)) {
      types.add(ZSTD);
    }
    Path before = fresh("before");
    Samples.sh(before, BASE);
    Samples.everyKind(Files.createDirectory(before.resolve("all")), kernel);
    Path after = copy(before, "after");
    Samples.sh(after, CHANGES + "rm all/null; echo 1 > all/null; chmod 600 all/setuid");
    for (String type : types) {
      Descriptor whole = comparer().compare(List.of(), bind(before), options(type));
      Descriptor change = comparer().compare(bind(before), bind(after), options(type));
      assertThat(change.mediaType()).isEqualTo(type.isEmpty() ? GZIP : type);
      assertThat(change.size()).isEqualTo(content().info(change.digest()).size());
      Path target = fresh("target-" + type.replace('/', '-'));
      apply(whole, bind(target));
      tree(target).assertSameAs(tree(before));
      Descriptor applied = apply(change, bind(target));
      tree(target).assertSameAs(tree(after));
      if (!type.equals(TAR)) {
        assertThat(content().info(change.digest()).labels())
            .containsEntry(Labels.UNCOMPRESSED, applied.digest().toString());
      }
    }
  }

  @Test
  void tar_reads_what_is_made() throws IOException {
    Path source = fresh("source");
    Samples.sh(source, BASE);
    Descriptor layer = comparer().compare(List.of(), bind(source), options(TAR));
    Files.write(testFolder.resolve("layer"), bytes(layer));
    Path target = fresh("target");
    Samples.sh(target, "tar --xattrs --xattrs-include='*' -xpf $1", testFolder.resolve("layer"));
    assertThat(Samples.sh(target, "find . | sort")).isEqualTo(Samples.sh(source, "find . | sort"));
    assertThat(Samples.sh(target, "find . -type f -exec cat {} + | sort"))
        .isEqualTo(Samples.sh(source, "find . -type f -exec cat {} + | sort"));
  }

  @Test
  void only_what_changed_is_in_a_difference() throws IOException {
    Path before = fresh("before");
    Samples.sh(before, BASE);
    Path after = copy(before, "after");
    Samples.sh(after, "rm gone; rm -r gone-folder; echo more >> grown; echo 1 > kept-folder/new");
    Descriptor change = comparer().compare(bind(before), bind(after), options(TAR));
    Files.write(testFolder.resolve("layer"), bytes(change));
    List<String> entries =
        Samples.sh(testFolder, "tar -tf layer")
            .lines()
            .map(line -> line.replaceFirst("^/", ""))
            .toList();
    assertThat(entries)
        .contains(".wh.gone", ".wh.gone-folder", "grown", "kept-folder/new")
        .noneMatch(line -> line.contains("was-file") || line.contains("replaced"))
        .doesNotContain("kept-folder/kept", "changed", ".wh.gone-folder/x");
  }

  @Test
  void equal_trees_have_no_difference() throws IOException {
    Path before = fresh("before");
    Samples.everyKind(before, kernel);
    Path after = copy(before, "after");
    Descriptor none = comparer().compare(bind(before), bind(after), options(TAR));
    Files.write(testFolder.resolve("layer"), bytes(none));
    assertThat(Samples.sh(testFolder, "tar -tf layer")).isEmpty();
  }

  @Test
  void the_same_trees_give_the_same_layer() throws IOException {
    Path before = fresh("before");
    Samples.sh(before, BASE);
    Path after = copy(before, "after");
    Samples.sh(after, CHANGES);
    Path again = copy(after, "again");
    for (String type : List.of(TAR, GZIP)) {
      Descriptor one = comparer().compare(bind(before), bind(after), options(type));
      assertThat(comparer().compare(bind(before), bind(after), options(type))).isEqualTo(one);
      assertThat(comparer().compare(bind(before), bind(again), options(type)).digest())
          .isEqualTo(one.digest());
    }
  }

  @Test
  void no_time_is_later_than_the_one_that_is_asked_for() throws IOException {
    assumeHas(Trait.SOURCE_DATE_EPOCH);
    Path before = fresh("before");
    Samples.sh(before, "echo 1 > gone; touch -d @100 gone .");
    var made = new ArrayList<Descriptor>();
    var bounded =
        new Comparer.Options(TAR, "", Map.of(), Optional.of(Instant.ofEpochSecond(1_000_000)));
    for (String time : List.of("@1700000000.25", "@1800000000")) {
      Path after = fresh("after-" + made.size());
      Samples.sh(
          after,
          "mkdir -p d/e; echo 1 > d/e/late; ln -s late d/e/link; echo 2 > early; touch -d @500 early;"
              + " touch -h -d $1 d/e/late d/e/link d/e d .",
          time);
      made.add(comparer().compare(bind(before), bind(after), bounded));
    }
    assertThat(made.get(0)).isEqualTo(made.get(1));
    Files.write(testFolder.resolve("layer"), bytes(made.getFirst()));
    assertThat(
            Samples.sh(
                testFolder, "TZ=UTC tar --full-time -tvf layer | awk '{print $4, $5, $6}' | sort"))
        .isEqualTo(
            """
            1970-01-01 00:08:20 early
            1970-01-12 13:46:40 .wh.gone
            1970-01-12 13:46:40 d/
            1970-01-12 13:46:40 d/e/
            1970-01-12 13:46:40 d/e/late
            1970-01-12 13:46:40 d/e/link""");
  }

  @Test
  void labels_and_the_plain_digest_are_on_the_layer() throws IOException {
    Path source = fresh("source");
    Samples.sh(source, BASE);
    var labelled = new Comparer.Options("", "", Map.of("k", "v"), Optional.empty());
    Descriptor layer = comparer().compare(List.of(), bind(source), labelled);
    Map<String, String> labels = content().info(layer.digest()).labels();
    Files.write(testFolder.resolve("layer"), bytes(layer));
    byte[] plain = Samples.bytesOf(testFolder, "gzip -dc layer");
    assertThat(labels)
        .containsEntry("k", "v")
        .containsEntry(Labels.UNCOMPRESSED, Digest.sha256(plain).toString());
  }

  @Test
  void a_layer_that_is_there_already_is_told_all_the_same() throws IOException {
    Path source = fresh("source");
    Samples.sh(source, BASE);
    Descriptor one = comparer().compare(List.of(), bind(source), options(GZIP));
    var named = new Comparer.Options(GZIP, "my-ref", Map.of(), Optional.empty());
    assertThat(comparer().compare(List.of(), bind(source), named)).isEqualTo(one);
    assertThat(content().statuses(Filter.ALL)).isEmpty();
  }

  @Test
  void a_ref_that_somebody_holds_is_not_written() throws IOException {
    Path source = fresh("source");
    Samples.sh(source, BASE);
    var named = new Comparer.Options(TAR, "held", Map.of(), Optional.empty());
    try (Ingest _ = content().ingest(new IngestRequest("held"))) {
      assertThatThrownBy(() -> comparer().compare(List.of(), bind(source), named))
          .isInstanceOf(UnavailableException.class);
    }
    Descriptor layer = comparer().compare(List.of(), bind(source), named);
    assertThat(content().find(layer.digest())).isPresent();
  }

  @Test
  void an_unknown_media_type_is_not_made() throws IOException {
    Path source = fresh("source");
    assertThatThrownBy(
            () ->
                comparer()
                    .compare(List.of(), bind(source), options("application/vnd.example.layer")))
        .isInstanceOf(NotImplementedException.class);
    assertThat(content().statuses(Filter.ALL)).isEmpty();
  }

  @Test
  void what_was_done_in_an_overlay_is_its_difference() throws IOException {
    assumeHas(Trait.PACKS_EVERYTHING);
    Path base = fresh("base");
    Samples.sh(base, BASE);
    List<Mount> over = overlay(fresh("upper"), fresh("work"), base);
    mounted(over, root -> Samples.sh(root, CHANGES));
    Descriptor change = comparer().compare(bind(base), over, options(""));
    Path target = copy(base, "target");
    apply(change, bind(target));
    Tree found = tree(target);
    mounted(over, root -> found.assertSameAs(tree(root)));
  }

  @Test
  void a_row_of_layers_leads_to_the_last_tree() throws IOException {
    Path now = fresh("tree-0");
    Path target = fresh("target");
    for (int i = 1; i <= 12; i++) {
      Path next = copy(now, "tree-" + i);
      Samples.sh(
          next,
          "echo $1 > same; mkdir -p d$1; echo $1 > d$1/f; rm -rf d$2; touch -d @1000000$1 same . d$1"
              + " d$1/f",
          i,
          i - 3);
      Descriptor change = comparer().compare(bind(now), bind(next), options(GZIP));
      apply(change, bind(target));
      now = next;
    }
    tree(target).assertSameAs(tree(now));
  }

  @Test
  void names_are_kept_byte_for_byte() throws IOException {
    Path source = fresh("source");
    Samples.sh(
        source,
        "touch -- \"$(printf 'new\\nline')\" ' space ' '-dash' 'comma,colon:back\\slash'"
            + " \"$(printf '%0255d' 0)\"; mkdir -p $(printf 'long-%0100d/' 1 2 3 4);"
            + " touch $(printf 'long-%0100d/' 1 2 3 4)/file");
    String list = "find . -print0 | LC_ALL=C sort -z | od -c";
    Descriptor layer = comparer().compare(List.of(), bind(source), options(GZIP));
    Path target = fresh("target");
    apply(layer, bind(target));
    assertThat(Samples.sh(target, list)).isEqualTo(Samples.sh(source, list));
  }

  @Test
  void large_and_sparse_files_are_whole() throws IOException {
    Path source = fresh("source");
    Files.write(source.resolve("large"), Samples.noise(9 << 20));
    Samples.sh(
        source,
        "truncate -s 20M holes; echo end >> holes; truncate -s 0 empty; head -c 4096 large > block");
    Descriptor layer = comparer().compare(List.of(), bind(source), options(""));
    Path target = fresh("target");
    apply(layer, bind(target));
    assertThat(Samples.sh(target, "sha256sum *")).isEqualTo(Samples.sh(source, "sha256sum *"));
  }
}
