package io.jcontainerd.testkit.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.Digest;
import io.jcontainerd.core.FieldMask;
import io.jcontainerd.core.content.ContentInfo;
import io.jcontainerd.core.content.ContentReader;
import io.jcontainerd.core.content.ContentStore;
import io.jcontainerd.core.content.Ingest;
import io.jcontainerd.core.content.IngestRequest;
import io.jcontainerd.core.content.IngestStatus;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.filter.Filter;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What any {@link ContentStore} owes its callers: local, namespaced, remote or somebody else's. */
@ExtendWith(ContractReport.class)
public abstract class ContentStoreContract {
  /** What an implementation may leave out. */
  public enum Trait {
    /** Labels on blobs; a backend without them refuses to change them. */
    LABELS,
    /** Opening the same place again finds what was there before. */
    RESUMES_AFTER_REOPEN,
    /** Blobs by other algorithms than SHA-256. */
    OTHER_ALGORITHMS,
    /** A reader that is open goes on when its blob is deleted; else it says that it is gone. */
    READS_WHAT_IS_DELETED,
    /** What an ingest has can be read while more comes. */
    READS_INGESTS
  }

  /** Some bytes. */
  protected static final byte[] HELLO = "hello, world".getBytes(StandardCharsets.UTF_8);

  private static final byte[] OTHER = "something else".getBytes(StandardCharsets.UTF_8);

  /** For subclasses. */
  protected ContentStoreContract() {}

  /** The store of this test; called again in one test, it finds what was there before. */
  protected abstract ContentStore open();

  /** What this implementation has not. */
  protected Set<Trait> leavesOut() {
    return EnumSet.noneOf(Trait.class);
  }

  /** The SHA-256 digest. */
  protected static Digest digest(byte[] bytes) {
    return Digest.sha256(bytes);
  }

  /** A request that knows everything. */
  protected static IngestRequest request(String ref, byte[] bytes) {
    return new IngestRequest(ref, bytes.length, Optional.of(digest(bytes)));
  }

  /** Writes a blob from beginning to end. */
  protected static Digest write(ContentStore store, String ref, byte[] bytes) {
    try (Ingest ingest = store.ingest(new IngestRequest(ref))) {
      ingest.write(ByteBuffer.wrap(bytes));
      return ingest.commit(bytes.length, Optional.of(digest(bytes)), Map.of());
    }
  }

  /** Reads a blob from beginning to end. */
  protected static byte[] read(ContentStore store, Digest digest) {
    try (ContentReader reader = store.reader(digest)) {
      ByteBuffer all = ByteBuffer.allocate(Math.toIntExact(reader.size()));
      while (all.hasRemaining()) {
        if (reader.read(all, all.position()) < 0) {
          throw new AssertionError("shorter than its size");
        }
      }
      return all.array();
    }
  }

  private static List<Digest> walk(ContentStore store, String filter) {
    var found = new ArrayList<Digest>();
    store.walk(Filter.parse(filter), info -> found.add(info.digest()));
    return found;
  }

  private static List<String> refs(ContentStore store, String filter) {
    return store.statuses(Filter.parse(filter)).stream().map(IngestStatus::ref).sorted().toList();
  }

  @Test
  void a_blob_is_invisible_until_it_is_committed() {
    ContentStore store = open();
    try (Ingest ingest = store.ingest(new IngestRequest("layer-1"))) {
      ingest.write(ByteBuffer.wrap(HELLO));
      assertThat(store.find(digest(HELLO))).isEmpty();
      assertThat(ingest.commit(HELLO.length, Optional.of(digest(HELLO)), Map.of()))
          .isEqualTo(digest(HELLO));
    }
    ContentInfo info = store.info(digest(HELLO));
    assertThat(info.size()).isEqualTo(HELLO.length);
    assertThat(info.createdAt()).isAfter(Instant.EPOCH);
    assertThat(read(store, digest(HELLO))).isEqualTo(HELLO);
    assertThat(refs(store, "")).isEmpty();
  }

  @Test
  void an_empty_blob_is_a_blob() {
    ContentStore store = open();
    Digest empty = write(store, "empty", new byte[0]);
    assertThat(store.info(empty).size()).isZero();
    assertThat(read(store, empty)).isEmpty();
  }

  @Test
  void a_blob_written_in_pieces_is_whole() {
    ContentStore store = open();
    byte[] bytes = new byte[300_001];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) (i * 31);
    }
    try (Ingest ingest = store.ingest(request("pieces", bytes))) {
      for (int at = 0; at < bytes.length; at += 7919) {
        int count = Math.min(7919, bytes.length - at);
        ByteBuffer piece = ByteBuffer.allocateDirect(count).put(bytes, at, count).flip();
        ingest.write(piece);
        assertThat(piece.hasRemaining()).isFalse();
        assertThat(ingest.status().offset()).isEqualTo(at + count);
      }
      assertThat(ingest.digest()).isEqualTo(digest(bytes));
      ingest.commit(bytes.length, Optional.empty(), Map.of());
    }
    assertThat(read(store, digest(bytes))).isEqualTo(bytes);
  }

  @Test
  void what_comes_can_be_read_behind_the_writer() {
    ContentStore store = open();
    assertThat(store.ingestReader("ref")).isEmpty();
    try (Ingest ingest = store.ingest(new IngestRequest("ref"))) {
      ingest.write(ByteBuffer.wrap(HELLO));
      Optional<ContentReader> opened = store.ingestReader("ref");
      if (leavesOut().contains(Trait.READS_INGESTS)) {
        assertThat(opened).isEmpty();
        return;
      }
      try (ContentReader reader = opened.orElseThrow()) {
        assertThat(reader.size()).isEqualTo(HELLO.length);
        assertReads(reader, HELLO, 0);
        ByteBuffer nothing = ByteBuffer.allocate(8);
        assertThat(reader.read(nothing, HELLO.length)).isEqualTo(-1);
        ingest.write(ByteBuffer.wrap(OTHER));
        assertReads(reader, OTHER, HELLO.length);
        Digest _ = ingest.commit(0, Optional.empty(), Map.of());
        assertReads(reader, OTHER, HELLO.length);
      }
    }
  }

  @Test
  void what_came_can_be_read_when_its_ingest_is_removed() {
    ContentStore store = open();
    Assumptions.assumeFalse(leavesOut().contains(Trait.READS_INGESTS), "reads no ingests");
    try (Ingest ingest = store.ingest(new IngestRequest("ref"))) {
      ingest.write(ByteBuffer.wrap(HELLO));
      try (ContentReader reader = store.ingestReader("ref").orElseThrow()) {
        ingest.close();
        store.abort("ref");
        assertReads(reader, HELLO, 0);
      }
    }
    assertThat(store.ingestReader("ref")).isEmpty();
  }

  private static void assertReads(ContentReader reader, byte[] expected, long from) {
    ByteBuffer into = ByteBuffer.allocate(expected.length);
    while (into.hasRemaining()) {
      assertThat(reader.read(into, from + into.position())).isPositive();
    }
    assertThat(into.array()).isEqualTo(expected);
  }

  @Test
  void a_wrong_digest_is_refused_and_the_bytes_are_kept() {
    ContentStore store = open();
    try (Ingest ingest = store.ingest(new IngestRequest("wrong"))) {
      ingest.write(ByteBuffer.wrap(HELLO));
      assertThatThrownBy(() -> ingest.commit(0, Optional.of(digest(OTHER)), Map.of()))
          .isInstanceOf(FailedPreconditionException.class)
          .hasMessageContaining(digest(HELLO).toString())
          .hasMessageContaining(digest(OTHER).toString());
    }
    assertThat(store.status("wrong").offset()).isEqualTo(HELLO.length);
    assertThat(store.find(digest(HELLO))).isEmpty();
    assertThat(store.find(digest(OTHER))).isEmpty();
  }

  @Test
  void a_wrong_size_is_refused_and_the_bytes_are_kept() {
    ContentStore store = open();
    try (Ingest ingest = store.ingest(new IngestRequest("wrong"))) {
      ingest.write(ByteBuffer.wrap(HELLO));
      assertThatThrownBy(
              () -> ingest.commit(HELLO.length + 1, Optional.of(digest(HELLO)), Map.of()))
          .isInstanceOf(FailedPreconditionException.class)
          .hasMessageContaining(String.valueOf(HELLO.length));
    }
    assertThat(store.status("wrong").offset()).isEqualTo(HELLO.length);
  }

  @Test
  void a_blob_that_exists_ends_the_second_ingest_of_it() {
    ContentStore store = open();
    try (Ingest first = store.ingest(new IngestRequest("one"));
        Ingest second = store.ingest(new IngestRequest("two"))) {
      first.write(ByteBuffer.wrap(HELLO));
      second.write(ByteBuffer.wrap(HELLO));
      first.commit(0, Optional.empty(), Map.of());
      assertThatThrownBy(() -> second.commit(0, Optional.of(digest(HELLO)), Map.of()))
          .isInstanceOf(AlreadyExistsException.class)
          .hasMessageContaining(digest(HELLO).toString());
    }
    assertThat(refs(store, "")).isEmpty();
    assertThat(read(store, digest(HELLO))).isEqualTo(HELLO);
  }

  @Test
  void an_ingest_of_an_expected_blob_that_exists_does_not_open() {
    ContentStore store = open();
    write(store, "one", HELLO);
    assertThatThrownBy(() -> store.ingest(request("two", HELLO)).close())
        .isInstanceOf(AlreadyExistsException.class);
    assertThat(refs(store, "")).isEmpty();
  }

  @Test
  void a_ref_is_held_by_one_at_a_time() {
    ContentStore store = open();
    Ingest holder = store.ingest(new IngestRequest("held"));
    assertThatThrownBy(() -> store.ingest(new IngestRequest("held")).close())
        .isInstanceOf(UnavailableException.class)
        .hasMessageContaining("held locked for ");
    holder.close();
    holder.close();
    store.ingest(new IngestRequest("held")).close();
  }

  @Test
  void a_closed_ingest_is_resumed_with_its_digest() {
    ContentStore store = open();
    try (Ingest ingest = store.ingest(request("resumed", HELLO))) {
      ingest.write(ByteBuffer.wrap(HELLO, 0, 5));
    }
    ContentStore again = leavesOut().contains(Trait.RESUMES_AFTER_REOPEN) ? store : open();
    assertThat(again.status("resumed").offset()).isEqualTo(5);
    try (Ingest ingest = again.ingest(request("resumed", HELLO))) {
      assertThat(ingest.status().offset()).isEqualTo(5);
      assertThat(ingest.status().total()).isEqualTo(HELLO.length);
      assertThat(ingest.digest()).isEqualTo(digest("hello".getBytes(StandardCharsets.UTF_8)));
      ingest.write(ByteBuffer.wrap(HELLO, 5, HELLO.length - 5));
      ingest.commit(HELLO.length, Optional.of(digest(HELLO)), Map.of());
    }
    assertThat(read(again, digest(HELLO))).isEqualTo(HELLO);
  }

  @Test
  void a_resumed_ingest_must_agree_on_the_total() {
    ContentStore store = open();
    try (Ingest ingest = store.ingest(new IngestRequest("total", 100, Optional.empty()))) {
      ingest.write(ByteBuffer.wrap(HELLO));
    }
    assertThatThrownBy(
            () -> store.ingest(new IngestRequest("total", 200, Optional.empty())).close())
        .isInstanceOf(ContainerdException.class)
        .hasMessageContaining("100")
        .hasMessageContaining("200");
    store.ingest(new IngestRequest("total", 100, Optional.empty())).close();
  }

  @Test
  void an_ingest_can_start_over() {
    ContentStore store = open();
    try (Ingest ingest = store.ingest(new IngestRequest("again"))) {
      ingest.write(ByteBuffer.wrap(OTHER));
      ingest.truncate(0);
      assertThat(ingest.status().offset()).isZero();
      ingest.write(ByteBuffer.wrap(HELLO));
      assertThat(ingest.digest()).isEqualTo(digest(HELLO));
      ingest.commit(HELLO.length, Optional.of(digest(HELLO)), Map.of());
    }
    assertThat(read(store, digest(HELLO))).isEqualTo(HELLO);
  }

  @Test
  void a_finished_ingest_can_do_no_more() {
    ContentStore store = open();
    Ingest ingest = store.ingest(new IngestRequest("finished"));
    ingest.write(ByteBuffer.wrap(HELLO));
    ingest.commit(0, Optional.empty(), Map.of());
    assertThatThrownBy(() -> ingest.write(ByteBuffer.wrap(HELLO)))
        .isInstanceOf(ContainerdException.class);
    assertThatThrownBy(() -> ingest.commit(0, Optional.empty(), Map.of()))
        .isInstanceOf(ContainerdException.class);
    ingest.close();
    assertThat(read(store, digest(HELLO))).isEqualTo(HELLO);
  }

  @Test
  void an_ingest_tells_how_far_it_is() {
    ContentStore store = open();
    try (Ingest ingest = store.ingest(new IngestRequest("b", 40, Optional.empty()))) {
      ingest.write(ByteBuffer.wrap(HELLO));
      IngestStatus status = store.status("b");
      assertThat(status.ref()).isEqualTo("b");
      assertThat(status.offset()).isEqualTo(HELLO.length);
      assertThat(status.total()).isEqualTo(40);
      assertThat(status.updatedAt()).isAfterOrEqualTo(status.startedAt());
      store.ingest(new IngestRequest("a")).close();
      assertThat(refs(store, "")).containsExactly("a", "b");
      assertThat(refs(store, "ref==b")).containsExactly("b");
    }
  }

  @Test
  void what_is_not_there_is_not_found() {
    ContentStore store = open();
    assertThat(store.find(digest(HELLO))).isEmpty();
    assertThatThrownBy(() -> store.info(digest(HELLO)))
        .isInstanceOf(NotFoundException.class)
        .hasMessageContaining(digest(HELLO).toString());
    assertThatThrownBy(() -> store.reader(digest(HELLO)).close())
        .isInstanceOf(NotFoundException.class);
    assertThatThrownBy(() -> store.delete(digest(HELLO))).isInstanceOf(NotFoundException.class);
    assertThatThrownBy(() -> store.status("nothing")).isInstanceOf(NotFoundException.class);
    assertThatThrownBy(() -> store.abort("nothing")).isInstanceOf(NotFoundException.class);
  }

  @Test
  void an_aborted_ingest_is_gone() {
    ContentStore store = open();
    try (Ingest ingest = store.ingest(new IngestRequest("aborted"))) {
      ingest.write(ByteBuffer.wrap(HELLO));
    }
    store.abort("aborted");
    assertThatThrownBy(() -> store.status("aborted")).isInstanceOf(NotFoundException.class);
    try (Ingest ingest = store.ingest(new IngestRequest("aborted"))) {
      assertThat(ingest.status().offset()).isZero();
    }
  }

  @Test
  void an_ingest_that_is_aborted_while_it_is_open_cannot_become_a_blob() {
    ContentStore store = open();
    try (Ingest ingest = store.ingest(new IngestRequest("aborted"))) {
      ingest.write(ByteBuffer.wrap(HELLO));
      store.abort("aborted");
      assertThatThrownBy(() -> ingest.commit(0, Optional.empty(), Map.of()))
          .isInstanceOf(ContainerdException.class);
    }
    assertThat(store.find(digest(HELLO))).isEmpty();
    assertThat(refs(store, "")).isEmpty();
  }

  @Test
  void a_reader_reads_anywhere_and_knows_the_end() {
    ContentStore store = open();
    write(store, "read", HELLO);
    try (ContentReader reader = store.reader(digest(HELLO))) {
      assertThat(reader.size()).isEqualTo(HELLO.length);
      ByteBuffer five = ByteBuffer.allocate(5);
      assertThat(reader.read(five, 7)).isEqualTo(5);
      assertThat(new String(five.array(), StandardCharsets.UTF_8)).isEqualTo("world");
      assertThat(reader.read(ByteBuffer.allocate(5), HELLO.length)).isEqualTo(-1);
      assertThat(reader.read(ByteBuffer.allocate(5), HELLO.length + 99L)).isEqualTo(-1);
      assertThat(reader.read(ByteBuffer.allocate(99), HELLO.length - 2)).isEqualTo(2);
    }
  }

  @Test
  void a_deleted_blob_is_gone_and_can_come_back() {
    ContentStore store = open();
    write(store, "deleted", HELLO);
    store.delete(digest(HELLO));
    assertThat(store.find(digest(HELLO))).isEmpty();
    assertThatThrownBy(() -> store.delete(digest(HELLO))).isInstanceOf(NotFoundException.class);
    write(store, "deleted", HELLO);
    assertThat(read(store, digest(HELLO))).isEqualTo(HELLO);
  }

  @Test
  void a_reader_survives_the_deletion_of_its_blob() {
    ContentStore store = open();
    write(store, "deleted", HELLO);
    try (ContentReader reader = store.reader(digest(HELLO))) {
      store.delete(digest(HELLO));
      ByteBuffer all = ByteBuffer.allocate(HELLO.length);
      if (leavesOut().contains(Trait.READS_WHAT_IS_DELETED)) {
        assertThatThrownBy(() -> reader.read(all, 0)).isInstanceOf(NotFoundException.class);
        return;
      }
      assertThat(reader.read(all, 0)).isEqualTo(HELLO.length);
      assertThat(all.array()).isEqualTo(HELLO);
    }
  }

  @Test
  void a_walk_shows_blobs_in_order() {
    ContentStore store = open();
    write(store, "one", HELLO);
    write(store, "two", OTHER);
    write(store, "three", new byte[0]);
    assertThat(walk(store, ""))
        .containsExactlyInAnyOrder(digest(HELLO), digest(OTHER), digest(new byte[0]))
        .isSorted();
    assertThat(walk(store, "digest==" + digest(OTHER))).containsExactly(digest(OTHER));
    assertThat(walk(store, "size")).isEmpty();
  }

  @Test
  void labels_change_by_mask() {
    ContentStore store = open();
    if (leavesOut().contains(Trait.LABELS)) {
      write(store, "plain", HELLO);
      ContentInfo info = store.info(digest(HELLO));
      assertThat(info.labels()).isEmpty();
      assertThatThrownBy(() -> store.update(info, FieldMask.ALL))
          .isInstanceOf(ContainerdException.class);
      return;
    }
    try (Ingest ingest = store.ingest(request("labelled", HELLO))) {
      ingest.write(ByteBuffer.wrap(HELLO));
      ingest.commit(HELLO.length, Optional.empty(), Map.of("a", "1", "b.c", "2"));
    }
    ContentInfo info = store.info(digest(HELLO));
    assertThat(info.labels()).containsExactlyInAnyOrderEntriesOf(Map.of("a", "1", "b.c", "2"));
    assertThat(walk(store, "labels.b.c==2")).containsExactly(digest(HELLO));

    store.update(with(info, Map.of("b.c", "", "d", "4")), mask("labels.b.c", "labels.d"));
    assertThat(store.info(digest(HELLO)).labels())
        .containsExactlyInAnyOrderEntriesOf(Map.of("a", "1", "d", "4"));
    store.update(with(info, Map.of("e", "5")), FieldMask.ALL);
    assertThat(store.info(digest(HELLO)).labels()).isEqualTo(Map.of("e", "5"));
    assertThatThrownBy(() -> store.update(info, mask("size")))
        .isInstanceOf(InvalidArgumentException.class);
  }

  private static FieldMask mask(String... paths) {
    return new FieldMask(List.of(paths));
  }

  private static ContentInfo with(ContentInfo info, Map<String, String> labels) {
    return new ContentInfo(info.digest(), info.size(), info.createdAt(), info.updatedAt(), labels);
  }

  @Test
  void a_blob_may_be_named_by_a_longer_hash() {
    if (leavesOut().contains(Trait.OTHER_ALGORITHMS)) {
      return;
    }
    ContentStore store = open();
    for (String algorithm : List.of("sha384", "sha512")) {
      Digest digest = Digest.of(algorithm, Digest.hasher(algorithm).digest(HELLO));
      var request = new IngestRequest(algorithm, HELLO.length, Optional.of(digest));
      try (Ingest ingest = store.ingest(request)) {
        ingest.write(ByteBuffer.wrap(HELLO));
        assertThat(ingest.commit(HELLO.length, Optional.of(digest), Map.of())).isEqualTo(digest);
      }
      assertThat(read(store, digest)).isEqualTo(HELLO);
    }
    // The digest may also be told only when all is written.
    Digest late = Digest.of("sha512", Digest.hasher("sha512").digest(OTHER));
    try (Ingest ingest = store.ingest(new IngestRequest("late"))) {
      ingest.write(ByteBuffer.wrap(OTHER));
      assertThat(ingest.commit(0, Optional.of(late), Map.of())).isEqualTo(late);
    }
    assertThat(walk(store, "")).hasSize(3);
  }

  @Test
  void what_was_announced_at_the_beginning_holds_at_the_end() {
    ContentStore store = open();
    try (Ingest ingest = store.ingest(request("announced", OTHER))) {
      ingest.write(ByteBuffer.wrap(HELLO));
      assertThatThrownBy(() -> ingest.commit(0, Optional.empty(), Map.of()))
          .isInstanceOf(FailedPreconditionException.class);
    }
    assertThat(store.status("announced").expected().orElse(digest(OTHER)))
        .as("forgotten perhaps, but nothing else")
        .isEqualTo(digest(OTHER));
    assertThat(store.find(digest(HELLO))).isEmpty();
    try (Ingest ingest = store.ingest(request("announced", OTHER))) {
      ingest.truncate(0);
      ingest.write(ByteBuffer.wrap(OTHER));
      assertThat(ingest.commit(0, Optional.empty(), Map.of())).isEqualTo(digest(OTHER));
    }
    assertThat(read(store, digest(OTHER))).isEqualTo(OTHER);
  }

  @Test
  void an_unfinished_blob_cannot_be_committed() {
    ContentStore store = open();
    try (Ingest ingest = store.ingest(request("short", HELLO))) {
      ingest.write(ByteBuffer.wrap(HELLO, 0, HELLO.length - 1));
      assertThatThrownBy(() -> ingest.commit(HELLO.length, Optional.of(digest(HELLO)), Map.of()))
          .isInstanceOf(FailedPreconditionException.class);
    }
    try (Ingest ingest = store.ingest(request("short", HELLO))) {
      assertThat(ingest.status().offset()).isEqualTo(HELLO.length - 1);
      ingest.write(ByteBuffer.wrap(HELLO, HELLO.length - 1, 1));
      ingest.commit(HELLO.length, Optional.of(digest(HELLO)), Map.of());
    }
    assertThat(read(store, digest(HELLO))).isEqualTo(HELLO);
  }

  @Test
  void a_ref_may_be_any_text() {
    ContentStore store = open();
    List<String> refs =
        List.of(
            "layer-sha256:" + "0".repeat(64),
            "../../etc/passwd",
            "a b\u00e9\ud83d\ude00,\"c\"==d",
            "r".repeat(2000),
            "UPPER",
            "upper");
    for (String ref : refs) {
      try (Ingest ingest = store.ingest(new IngestRequest(ref))) {
        ingest.write(ByteBuffer.wrap(ref.getBytes(StandardCharsets.UTF_8)));
      }
    }
    assertThat(refs(store, "")).containsExactlyInAnyOrderElementsOf(refs);
    for (String ref : refs) {
      byte[] bytes = ref.getBytes(StandardCharsets.UTF_8);
      assertThat(store.status(ref).offset()).isEqualTo(bytes.length);
      try (Ingest ingest = store.ingest(new IngestRequest(ref))) {
        ingest.commit(bytes.length, Optional.of(digest(bytes)), Map.of());
      }
      assertThat(read(store, digest(bytes))).isEqualTo(bytes);
    }
  }

  @Test
  void one_of_many_gets_a_ref() throws Exception {
    ContentStore store = open();
    var opened = new java.util.concurrent.ConcurrentLinkedQueue<Ingest>();
    Callable<Boolean> attempt =
        () -> {
          try {
            opened.add(store.ingest(new IngestRequest("wanted")));
            return true;
          } catch (UnavailableException e) {
            return false;
          }
        };
    assertThat(Race.of(Collections.nCopies(8, attempt))).containsOnlyOnce(true);
    opened.forEach(Ingest::close);
    store.ingest(new IngestRequest("wanted")).close();
    store.abort("wanted");
  }

  @Test
  void one_of_many_brings_a_blob_and_the_others_learn_that_it_is_there() throws Exception {
    ContentStore store = open();
    var tasks = new ArrayList<Callable<Boolean>>();
    for (int i = 0; i < 8; i++) {
      String ref = "racer-" + i;
      tasks.add(
          () -> {
            try {
              write(store, ref, HELLO);
              return true;
            } catch (AlreadyExistsException e) {
              return false;
            }
          });
    }
    assertThat(Race.of(tasks)).containsOnlyOnce(true);
    assertThat(refs(store, "")).isEmpty();
    assertThat(read(store, digest(HELLO))).isEqualTo(HELLO);
  }

  @Test
  void many_blobs_are_brought_at_once() throws Exception {
    ContentStore store = open();
    var tasks = new ArrayList<Callable<Digest>>();
    for (int i = 0; i < 32; i++) {
      byte[] bytes = ("blob " + i).getBytes(StandardCharsets.UTF_8);
      String ref = "ref-" + i;
      tasks.add(() -> write(store, ref, bytes));
    }
    List<Digest> written = Race.of(tasks);
    assertThat(walk(store, "")).containsExactlyInAnyOrderElementsOf(written).isSorted();
  }

  @Test
  void a_large_blob_is_read_in_any_piece() {
    ContentStore store = open();
    byte[] bytes = new byte[5 * 1024 * 1024 + 17];
    new Random(1).nextBytes(bytes);
    write(store, "large", bytes);
    assertThat(read(store, digest(bytes))).isEqualTo(bytes);
    try (ContentReader reader = store.reader(digest(bytes))) {
      for (int at : List.of(0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, bytes.length - 1)) {
        ByteBuffer piece = ByteBuffer.allocate(Math.min(70_000, bytes.length - at));
        while (piece.hasRemaining()) {
          assertThat(reader.read(piece, at + piece.position())).isPositive();
        }
        assertThat(piece.array()).isEqualTo(Arrays.copyOfRange(bytes, at, at + piece.capacity()));
      }
    }
  }

  @Test
  void a_blob_and_its_labels_are_found_again() {
    Assumptions.assumeFalse(
        leavesOut().contains(Trait.RESUMES_AFTER_REOPEN), "forgets what it had when it is closed");
    ContentStore before = open();
    Map<String, String> labels =
        leavesOut().contains(Trait.LABELS)
            ? Map.of()
            : Map.of("containerd.io/gc.root", "1", "k=\n\\", "v=\n\\");
    try (Ingest ingest = before.ingest(request("kept", HELLO))) {
      ingest.write(ByteBuffer.wrap(HELLO));
      ingest.commit(HELLO.length, Optional.empty(), labels);
    }
    ContentInfo info = before.info(digest(HELLO));
    ContentStore after = open();
    assertThat(after.info(digest(HELLO)).labels()).isEqualTo(labels);
    assertThat(after.info(digest(HELLO))).isEqualTo(info);
    assertThat(read(after, digest(HELLO))).isEqualTo(HELLO);
  }

  @Test
  void labels_that_are_too_long_are_refused_and_the_ingest_is_kept() {
    Assumptions.assumeFalse(leavesOut().contains(Trait.LABELS), "has no labels");
    ContentStore store = open();
    Map<String, String> tooLong = Map.of("k", "v".repeat(4096));
    try (Ingest ingest = store.ingest(request("labelled", HELLO))) {
      ingest.write(ByteBuffer.wrap(HELLO));
      assertThatThrownBy(() -> ingest.commit(HELLO.length, Optional.empty(), tooLong))
          .isInstanceOf(InvalidArgumentException.class);
    }
    assertThat(store.status("labelled").offset()).isEqualTo(HELLO.length);
    try (Ingest ingest = store.ingest(request("labelled", HELLO))) {
      ingest.commit(HELLO.length, Optional.empty(), Map.of("k", "v".repeat(4095)));
    }
    ContentInfo info = store.info(digest(HELLO));
    assertThatThrownBy(() -> store.update(with(info, tooLong), FieldMask.ALL))
        .isInstanceOf(InvalidArgumentException.class);
    assertThat(store.info(digest(HELLO))).isEqualTo(info);
  }

  @Test
  void an_update_moves_the_time_of_change_alone() {
    Assumptions.assumeFalse(leavesOut().contains(Trait.LABELS), "has no labels");
    ContentStore store = open();
    write(store, "updated", HELLO);
    ContentInfo before = store.info(digest(HELLO));
    ContentInfo after = store.update(with(before, Map.of("a", "b")), mask("labels"));
    assertThat(after.createdAt()).isEqualTo(before.createdAt());
    assertThat(after.updatedAt()).isAfterOrEqualTo(before.updatedAt());
    assertThat(after.size()).isEqualTo(HELLO.length);
    assertThat(after.labels()).isEqualTo(Map.of("a", "b"));
    assertThat(store.info(digest(HELLO))).isEqualTo(after);
    ContentInfo missing = new ContentInfo(digest(OTHER), 1, Instant.EPOCH, Instant.EPOCH, Map.of());
    assertThatThrownBy(() -> store.update(missing, FieldMask.ALL))
        .isInstanceOf(NotFoundException.class);
  }

  @Test
  void a_walk_may_ask_for_more_and_ends_with_its_failure() {
    ContentStore store = open();
    write(store, "one", HELLO);
    write(store, "two", OTHER);
    var seen = new ArrayList<ContentInfo>();
    store.walk(
        Filter.ALL,
        info -> {
          assertThat(store.info(info.digest())).isEqualTo(info);
          seen.add(info);
        });
    assertThat(seen).hasSize(2);
    assertThatThrownBy(
            () ->
                store.walk(
                    Filter.ALL,
                    info -> {
                      throw new IllegalStateException("enough");
                    }))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("enough");
    assertThat(walk(store, "digest~=^sha256")).hasSize(2);
    assertThat(walk(store, "digest!=" + digest(HELLO))).containsExactly(digest(OTHER));
  }

  @Test
  void a_longer_hash_is_gone_on_with() {
    Assumptions.assumeFalse(
        leavesOut().contains(Trait.OTHER_ALGORITHMS), "knows one algorithm only");
    ContentStore store = open();
    Digest digest = Digest.of("sha512", Digest.hasher("sha512").digest(HELLO));
    var request = new IngestRequest("long", HELLO.length, Optional.of(digest));
    try (Ingest ingest = store.ingest(request)) {
      ingest.write(ByteBuffer.wrap(HELLO, 0, 4));
    }
    try (Ingest ingest = store.ingest(request)) {
      assertThat(ingest.status().offset()).isEqualTo(4);
      ingest.write(ByteBuffer.wrap(HELLO, 4, HELLO.length - 4));
      assertThat(ingest.commit(HELLO.length, Optional.empty(), Map.of())).isEqualTo(digest);
    }
    assertThat(read(store, digest)).isEqualTo(HELLO);
    assertThat(store.find(digest(HELLO))).isEmpty();
  }

  @Test
  void a_label_without_a_value_is_none() {
    Assumptions.assumeFalse(leavesOut().contains(Trait.LABELS), "has no labels");
    ContentStore store = open();
    try (Ingest ingest = store.ingest(new IngestRequest("labelled"))) {
      ingest.write(ByteBuffer.wrap(HELLO));
      ingest.commit(0, Optional.empty(), Map.of("none", "", "some", "x"));
    }
    ContentInfo info = store.info(digest(HELLO));
    assertThat(info.labels()).isEqualTo(Map.of("some", "x"));
    ContentInfo updated = store.update(with(info, Map.of("none", "")), FieldMask.ALL);
    assertThat(updated.labels()).isEmpty();
    assertThat(store.info(digest(HELLO)).labels()).isEmpty();
  }
}
