package io.jcontainerd.content;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.Digest;
import io.jcontainerd.core.content.ContentStore;
import io.jcontainerd.core.content.Ingest;
import io.jcontainerd.core.content.IngestRequest;
import io.jcontainerd.core.failure.ResourceExhaustedException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.ports.Files;
import io.jcontainerd.testkit.contract.ContentStoreContract;
import io.jcontainerd.testkit.files.InMemoryFiles;
import io.jcontainerd.testkit.files.Survival;
import io.jcontainerd.testkit.time.VirtualTime;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class LocalContentStoreTest extends ContentStoreContract {
  private static final Path ROOT = Path.of("/root/io.containerd.content.v1.content");

  private final InMemoryFiles files = new InMemoryFiles();
  private final VirtualTime time = new VirtualTime();

  @Override
  protected ContentStore open() {
    return open(files, "boot-1");
  }

  private LocalContentStore open(Files files, String bootId) {
    return LocalContentStore.open(ROOT, files, time, bootId);
  }

  @Override
  protected Set<Trait> leavesOut() {
    return Set.of(Trait.LABELS);
  }

  @AfterEach
  void no_handle_is_left_open() {
    assertThat(files.openHandles()).isZero();
  }

  private static String hex(String ref) {
    return Digest.sha256(ref.getBytes(StandardCharsets.UTF_8)).hex();
  }

  private static String text(Files files, Path file) throws Exception {
    return new String(files.readAll(file), StandardCharsets.UTF_8);
  }

  @Test
  void the_layout_is_that_of_containerd() throws Exception {
    ContentStore store = open();
    write(store, "done", HELLO);
    try (Ingest ingest = store.ingest(new IngestRequest("ns/1/ref", 99, Optional.empty()))) {
      Path folder = ROOT.resolve("ingest").resolve(hex("ns/1/ref"));
      assertThat(text(files, folder.resolve("ref"))).isEqualTo("ns/1/ref");
      assertThat(text(files, folder.resolve("total"))).isEqualTo("99");
      assertThat(text(files, folder.resolve("startedat"))).isEqualTo("2026-01-01T00:00:00Z");
      ingest.write(ByteBuffer.wrap(HELLO));
      assertThat(text(files, folder.resolve("data"))).isEqualTo("hello, world");
    }
    var blob = files.stat(ROOT.resolve("blobs/sha256").resolve(digest(HELLO).hex())).orElseThrow();
    assertThat(blob.mode()).isEqualTo(0444);
    assertThat(blob.modified()).isEqualTo(time.now());
  }

  @Test
  void an_ingest_folder_made_by_containerd_is_resumed() throws Exception {
    Path folder = ROOT.resolve("ingest").resolve(hex("k8s.io/7/layer"));
    files.createDirectories(folder, 0755);
    for (var file :
        Map.of(
                "ref", "k8s.io/7/layer",
                "data", "hello, ",
                "startedat", "2025-05-06T07:08:09.123456789+02:00",
                "updatedat", "2025-05-06T07:08:10Z",
                "total", "12")
            .entrySet()) {
      files.writeAll(
          folder.resolve(file.getKey()), file.getValue().getBytes(StandardCharsets.UTF_8), 0644);
    }
    ContentStore store = open();
    assertThat(store.status("k8s.io/7/layer").startedAt())
        .isEqualTo(Instant.parse("2025-05-06T05:08:09.123456789Z"));
    try (Ingest ingest = store.ingest(new IngestRequest("k8s.io/7/layer"))) {
      assertThat(ingest.status().offset()).isEqualTo(7);
      assertThat(ingest.status().total()).isEqualTo(12);
      ingest.write(ByteBuffer.wrap(HELLO, 7, 5));
      ingest.commit(12, Optional.of(digest(HELLO)), Map.of());
    }
    assertThat(read(store, digest(HELLO))).isEqualTo(HELLO);
  }

  @Test
  void a_held_ref_tells_since_when() {
    ContentStore store = open();
    try (Ingest held = store.ingest(new IngestRequest("layer"))) {
      time.advance(Duration.ofMillis(1500));
      assertThatThrownBy(() -> store.ingest(new IngestRequest("layer")).close())
          .isInstanceOf(UnavailableException.class)
          .hasMessage("ref layer locked for 1.5s (since 2026-01-01T00:00:00Z)");
      assertThat(held.status().offset()).isZero();
    }
  }

  @Test
  void a_full_disk_is_told_and_what_was_written_can_be_finished_later() {
    ContentStore store = open();
    try (Ingest ingest = store.ingest(new IngestRequest("big"))) {
      ingest.write(ByteBuffer.wrap(HELLO));
      files.limit(0);
      assertThatThrownBy(() -> ingest.write(ByteBuffer.wrap(HELLO)))
          .isInstanceOf(ResourceExhaustedException.class)
          .hasMessageMatching(
              "ingest ref big: write at 12: no space left on device:"
                  + " free some space on the disk of /.+");
      assertThat(ingest.status().offset()).isEqualTo(HELLO.length);
      assertThat(ingest.digest()).isEqualTo(digest(HELLO));
      files.limit(Long.MAX_VALUE);
      ingest.commit(HELLO.length, Optional.of(digest(HELLO)), Map.of());
    }
    assertThat(read(store, digest(HELLO))).isEqualTo(HELLO);
  }

  @Test
  void deleting_and_reading_work_on_a_full_disk() {
    ContentStore store = open();
    write(store, "a", HELLO);
    files.limit(0);
    assertThat(read(store, digest(HELLO))).isEqualTo(HELLO);
    assertThatThrownBy(() -> store.ingest(new IngestRequest("b")).close())
        .isInstanceOf(ResourceExhaustedException.class);
    store.delete(digest(HELLO));
    assertThat(files.tree()).allMatch(path -> path.endsWith("/"));
  }

  @ParameterizedTest
  @EnumSource(Survival.class)
  void a_committed_blob_survives_a_power_cut(Survival survival) {
    write(open(), "safe", HELLO);
    ContentStore after = open(files.afterPowerCut(survival), "boot-2");
    assertThat(read(after, digest(HELLO))).isEqualTo(HELLO);
  }

  @ParameterizedTest
  @EnumSource(Survival.class)
  void a_closed_ingest_survives_a_power_cut(Survival survival) {
    try (Ingest ingest = open().ingest(new IngestRequest("parked"))) {
      ingest.write(ByteBuffer.wrap(HELLO, 0, 7));
    }
    ContentStore after = open(files.afterPowerCut(survival), "boot-2");
    try (Ingest ingest = after.ingest(new IngestRequest("parked"))) {
      assertThat(ingest.status().offset()).isEqualTo(7);
      ingest.write(ByteBuffer.wrap(HELLO, 7, 5));
      ingest.commit(12, Optional.of(digest(HELLO)), Map.of());
    }
    assertThat(read(after, digest(HELLO))).isEqualTo(HELLO);
  }

  /** Bytes that were never forced may have become zeros; they must not spoil the next try. */
  @ParameterizedTest
  @EnumSource(Survival.class)
  void an_ingest_that_was_open_in_a_power_cut_can_be_finished(Survival survival) {
    ContentStore store = open();
    try (Ingest ingest = store.ingest(new IngestRequest("cut"))) {
      ingest.write(ByteBuffer.wrap(HELLO, 0, 5));
    }
    InMemoryFiles after;
    try (Ingest ingest = store.ingest(new IngestRequest("cut"))) {
      ingest.write(ByteBuffer.wrap(HELLO, 5, 5));
      after = files.afterPowerCut(survival);
    }
    ContentStore again = open(after, "boot-2");
    try (Ingest ingest = again.ingest(new IngestRequest("cut"))) {
      assertThat(ingest.status().offset()).isEqualTo(5);
      ingest.write(ByteBuffer.wrap(HELLO, 5, 7));
      ingest.commit(12, Optional.of(digest(HELLO)), Map.of());
    }
    assertThat(read(again, digest(HELLO))).isEqualTo(HELLO);
  }
}
