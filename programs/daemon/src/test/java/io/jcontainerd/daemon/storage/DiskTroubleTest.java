package io.jcontainerd.daemon.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.check.Finding;
import io.jcontainerd.core.failure.DataLossException;
import io.jcontainerd.core.ports.DamagedFileException;
import io.jcontainerd.core.ports.NoSpaceException;
import io.jcontainerd.core.snapshots.Snapshotter;
import io.jcontainerd.selfcheck.ScrubOptions;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What is as it should be is never taken away, whatever else goes wrong meanwhile. */
@Tag("root")
@Timeout(120)
class DiskTroubleTest {
  private static final LayerTar.Look LOOK = new LayerTar.Look(0644, 0, 0, 1_600_000_000);

  @TempDir Path folder;
  private final byte[] tar =
      new LayerTar()
          .file("hello", "the words of the file".getBytes(StandardCharsets.UTF_8), LOOK)
          .end();
  private final Digest blob = Digest.sha256(StorageScene.gzip(tar));

  private static IOException tooManyOpenFiles(Path path) {
    return new FileSystemException(path.toString(), null, "too many open files");
  }

  /** Opening files whose path contains the text fails. */
  private static Disk.Trouble opening(String text, Function<Path, IOException> failure) {
    return (call, path) ->
        call.equals("open") && path.toString().contains(text)
            ? Optional.of(failure.apply(path))
            : Optional.empty();
  }

  private static void flip(Path file) throws IOException {
    Corruption.FLIPPED_BIT.strike(file, new Random(3));
  }

  private void flipLayer() throws IOException {
    try (Stream<Path> tree = Files.walk(folder.resolve("overlayfs").resolve("snapshots"))) {
      flip(tree.filter(path -> path.endsWith("hello")).findFirst().orElseThrow());
    }
  }

  private static void prepare(StorageScene scene, String key, String parent) {
    Snapshotter snapshots = scene.metadata.snapshotter("overlayfs");
    Call.in(StorageScene.NS).run(() -> snapshots.prepare(key, parent, Map.of()));
  }

  @Test
  void a_blob_that_cannot_be_read_for_now_stays_where_it_is() throws Exception {
    try (StorageScene scene = new StorageScene(folder)) {
      scene.unpack("overlayfs", List.of(tar));
      scene.registry.clear();
      scene.disk.has(opening(blob.hex(), DiskTroubleTest::tooManyOpenFiles));
      assertThat(scene.check(true, true))
          .singleElement()
          .satisfies(
              finding -> {
                assertThat(finding.outcome()).isEqualTo(Finding.Outcome.LEFT);
                assertThat(finding.detail())
                    .contains("cannot be looked at")
                    .contains("too many open files");
              });
      scene.disk.isWell();
      assertThat(scene.check(true, true)).isEmpty();
    }
  }

  @Test
  void a_blob_that_the_disk_lost_is_fetched_again() throws Exception {
    try (StorageScene scene = new StorageScene(folder)) {
      scene.unpack("overlayfs", List.of(tar));
      scene.disk.has(
          opening(
              "blobs/sha256/" + blob.hex(),
              path -> new DamagedFileException(path.toString(), "input/output error")));
      assertThat(scene.check(true, true))
          .singleElement()
          .satisfies(
              finding -> {
                assertThat(finding.outcome()).isEqualTo(Finding.Outcome.HEALED);
                assertThat(finding.detail()).contains("input/output error");
              });
    }
  }

  @Test
  void a_blob_with_a_wrong_mode_that_cannot_be_set_stays_where_it_is() throws Exception {
    try (StorageScene scene = new StorageScene(folder)) {
      scene.unpack("overlayfs", List.of(tar));
      Corruption.WRONG_MODE.strike(scene.blobFile(blob), new Random(1));
      scene.disk.has(
          (call, path) ->
              call.equals("setMode")
                  ? Optional.of(new AccessDeniedException(path.toString()))
                  : Optional.empty());
      assertThat(scene.check(true, true))
          .singleElement()
          .satisfies(finding -> assertThat(finding.outcome()).isEqualTo(Finding.Outcome.LEFT));
      assertThat(scene.blobFile(blob)).exists();
    }
  }

  @Test
  void a_layer_whose_record_cannot_be_read_for_now_is_used() throws Exception {
    try (StorageScene scene = new StorageScene(folder)) {
      String chain = scene.unpack("overlayfs", List.of(tar));
      scene.disk.has(opening("/manifests/", DiskTroubleTest::tooManyOpenFiles));
      assertThat(scene.check(true, true))
          .singleElement()
          .satisfies(
              finding -> {
                assertThat(finding.outcome()).isEqualTo(Finding.Outcome.LEFT);
                assertThat(finding.detail()).contains("cannot be looked at");
              });
      prepare(scene, "container", chain);
    }
  }

  /** A scene in which the next prepare looks at a damaged layer of a damaged blob. */
  private StorageScene bothDamaged() throws IOException {
    StorageScene first = new StorageScene(folder, ScrubOptions.off(), "boot-1");
    first.unpack("overlayfs", List.of(tar));
    first.metadata.close();
    first.store.close(); // the self-check is not: as if the power went
    flipLayer();
    flip(first.blobFile(blob));
    StorageScene second = new StorageScene(folder, ScrubOptions.off(), "boot-2");
    second.registry.putAll(first.registry);
    return second;
  }

  @Test
  void what_a_registry_gives_instead_of_the_blob_does_not_take_its_place() throws Exception {
    try (StorageScene scene = bothDamaged()) {
      byte[] other = scene.bytes(blob).clone();
      other[0]++;
      scene.registry.put(blob, other);
      String chain = Digest.sha256(tar).toString();
      assertThatThrownBy(() -> prepare(scene, "container", chain))
          .isInstanceOf(DataLossException.class)
          .hasMessageContaining("what was fetched is sha256:");
      assertThat(scene.blobFile(blob)).exists();
    }
  }

  @Test
  void the_old_blob_is_put_back_if_the_new_one_cannot_take_its_place() throws Exception {
    try (StorageScene scene = bothDamaged()) {
      byte[] old = Files.readAllBytes(scene.blobFile(blob));
      AtomicInteger renamed = new AtomicInteger();
      scene.disk.has(
          (call, path) ->
              call.equals("renameNew")
                      && path.equals(scene.blobFile(blob))
                      && renamed.getAndIncrement() == 0
                  ? Optional.of(new NoSpaceException(path.toString()))
                  : Optional.empty());
      String chain = Digest.sha256(tar).toString();
      assertThatThrownBy(() -> prepare(scene, "container", chain))
          .isInstanceOf(DataLossException.class);
      assertThat(scene.blobFile(blob)).hasBinaryContent(old);
      scene.disk.isWell();
      prepare(scene, "container", chain);
      assertThat(scene.check(true, false)).isEmpty();
    }
  }

  @Test
  void a_blob_is_fetched_once_for_all_who_want_it_and_no_collection_takes_it_away()
      throws Exception {
    try (StorageScene scene = new StorageScene(folder)) {
      scene.unpack("overlayfs", List.of(tar));
    }
    try (StorageScene scene = new StorageScene(folder);
        ExecutorService others = Executors.newVirtualThreadPerTaskExecutor()) {
      scene.registry.put(blob, StorageScene.gzip(tar));
      flip(scene.blobFile(blob));
      AtomicInteger fetched = new AtomicInteger();
      Callable<List<Finding>> check = () -> scene.check(true, true);
      Future<?>[] other = new Future<?>[1];
      scene.whenFetched =
          () -> {
            if (fetched.getAndIncrement() == 0) {
              other[0] = others.submit(check);
              scene.metadata.collector().collect(); // the first, which looks for leftovers
            }
          };
      assertThat(scene.check(true, true))
          .singleElement()
          .satisfies(finding -> assertThat(finding.outcome()).isEqualTo(Finding.Outcome.HEALED));
      other[0].get();
      assertThat(fetched).hasValue(1);
      assertThat(scene.check(true, false)).isEmpty();
    }
  }
}
