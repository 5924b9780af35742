package io.jcontainerd.metadata;

import static io.jcontainerd.metadata.Fixture.NS;
import static io.jcontainerd.metadata.Fixture.SN;
import static io.jcontainerd.metadata.Fixture.digest;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.content.ContentStore;
import io.jcontainerd.core.content.Ingest;
import io.jcontainerd.core.content.IngestRequest;
import io.jcontainerd.core.events.EventStream;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.filter.Filter;
import io.jcontainerd.core.leases.Lease;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.store.WriteTransaction;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class GarbageCollectionTest {
  private static final String GC = "containerd.io/gc.";
  private static final Map<String, String> ROOT = Map.of(GC + "root", "yes");
  private static final Patience ALL_HERE =
      new Patience(MetadataOptions.Outside.NOTHING, Time.SYSTEM);

  @TempDir Path folder;
  private Fixture f;

  @BeforeEach
  void open() {
    f = new Fixture(folder);
  }

  @AfterEach
  void close() {
    f.close();
  }

  private Digest blob(String text, Map<String, String> labels) {
    return f.in(NS, () -> f.blob(text, labels));
  }

  private Digest blob(String text) {
    return blob(text, Map.of());
  }

  private String layer(String name, String parent, Map<String, String> labels) {
    return f.in(NS, () -> f.layer(name, parent, labels));
  }

  private void image(String name, Digest target, Map<String, String> labels) {
    f.in(NS, () -> f.image(name, target, labels));
  }

  private void container(String id, String snapshotKey, Map<String, String> labels) {
    f.in(NS, () -> f.container(id, snapshotKey, labels));
  }

  private List<String> images() {
    return f.in(NS, () -> f.metadata.images().list(Filter.ALL)).stream()
        .map(image -> image.name())
        .toList();
  }

  private void lease(String id, Map<String, String> labels, String... typesAndIds) {
    f.in(NS, () -> f.metadata.leases().create(id, labels));
    for (int i = 0; i < typesAndIds.length; i += 2) {
      Lease.Resource resource = new Lease.Resource(typesAndIds[i + 1], typesAndIds[i]);
      Call.in(NS).run(() -> f.metadata.leases().addResource(id, resource));
    }
  }

  private String ago(Duration age) {
    return f.time.now().minus(age).toString();
  }

  @Test
  void what_nothing_refers_to_goes_from_the_tables_and_from_the_backends() {
    Digest lost = blob("lost");
    layer("lost", "", Map.of());
    f.collect();
    assertThat(f.has(lost)).isFalse();
    assertThat(f.backendBlobs()).isEmpty();
    assertThat(f.snapshotNames()).isEmpty();
    assertThat(f.backendSnapshots()).isEmpty();
  }

  @Test
  void a_root_label_keeps_content_and_a_snapshot_with_its_parents() {
    blob("kept", ROOT);
    layer("base", "", Map.of());
    layer("top", "base", ROOT);
    layer("other", "base", Map.of());
    f.collect();
    assertThat(f.has(digest("kept"))).isTrue();
    assertThat(f.snapshotNames()).containsExactly("base", "top");
    assertThat(f.backendSnapshots()).containsExactlyInAnyOrder("base", "top");
  }

  @Test
  void an_image_keeps_its_tree_of_content_and_the_snapshots_unpacked_from_it() {
    Digest layer1 = blob("layer1");
    Digest layer2 = blob("layer2");
    layer("chain1", "", Map.of());
    layer("chain2", "chain1", Map.of());
    Digest config = blob("config", Map.of(GC + "ref.snapshot." + SN, "chain2"));
    Digest manifest =
        blob(
            "manifest",
            Map.of(
                GC + "ref.content.config", config.toString(),
                GC + "ref.content.l.0", layer1.toString(),
                GC + "ref.content/l.1", layer2.toString()));
    Digest index = blob("index", Map.of(GC + "ref.content", manifest.toString()));
    image("image", index, Map.of());
    f.collect();
    assertThat(f.backendBlobs()).containsExactlyInAnyOrder(layer1, layer2, config, manifest, index);
    assertThat(f.snapshotNames()).containsExactly("chain1", "chain2");

    Call.in(NS).run(() -> f.metadata.images().delete("image", Optional.empty(), true));
    assertThat(f.backendBlobs()).isEmpty();
    assertThat(f.backendSnapshots()).isEmpty();
  }

  @Test
  void names_that_only_begin_like_a_reference_are_none() {
    Digest a = blob("a");
    blob("holder", Map.of(GC + "root", "x", GC + "ref.contents", a.toString()));
    f.collect();
    assertThat(f.has(a)).isFalse();
  }

  @Test
  void a_container_keeps_its_snapshot_and_what_its_labels_refer_to_but_not_its_image() {
    layer("base", "", Map.of());
    f.in(NS, () -> f.snapshots().prepare("root", "base", Map.of()));
    Digest referred = blob("referred");
    Digest target = blob("target");
    image("an-image", target, Map.of(GC + "expire", ago(Duration.ofHours(1))));
    container("c", "root", Map.of(GC + "ref.content.x", referred.toString()));
    f.collect();
    assertThat(f.snapshotNames()).containsExactly("base", "root");
    assertThat(f.has(referred)).isTrue();
    assertThat(f.has(target)).isFalse();
    assertThat(images()).isEmpty();
    Call.in(NS).run(() -> f.metadata.containers().delete("c"));
    f.collect();
    assertThat(f.snapshotNames()).isEmpty();
    assertThat(f.backendBlobs()).isEmpty();
  }

  @Test
  void references_to_images_keep_them_past_their_time() {
    Digest target = blob("target");
    Map<String, String> expired = Map.of(GC + "expire", ago(Duration.ofSeconds(1)));
    image("plain", target, expired);
    image("dotted", target, expired);
    image("slashed", target, expired);
    image("unreferred", target, expired);
    blob("a", Map.of(GC + "root", "x", GC + "ref.image", "plain"));
    blob("b", Map.of(GC + "root", "x", GC + "ref.image.x", "dotted"));
    blob("c", Map.of(GC + "root", "x", GC + "ref.image/x", "slashed"));
    f.collect();
    assertThat(images()).containsExactly("dotted", "plain", "slashed");
    assertThat(f.has(target)).isTrue();
  }

  @Test
  void times_are_read_as_go_reads_them() {
    Digest target = blob("target");
    List<String> read =
        List.of(
            "2001-02-03T04:05:06Z",
            "2001-02-03T4:05:06Z",
            "2001-02-03T04:05:06,5+01:00",
            "2001-02-03T04:05:06.1234567891Z");
    List<String> unread =
        List.of(
            "2001-02-03 04:05:06Z",
            "2001-02-03T04:05Z",
            "2001-02-03T04:05:06",
            "2001-02-03T04:05:06.Z",
            "2001-02-30T04:05:06Z");
    for (String time : read) {
      image("read-" + read.indexOf(time), target, Map.of(GC + "expire", time));
    }
    for (String time : unread) {
      image("unread-" + unread.indexOf(time), target, Map.of(GC + "expire", time));
    }
    f.collect();
    assertThat(images()).hasSize(unread.size()).allMatch(name -> name.startsWith("unread-"));
  }

  @Test
  void any_label_that_begins_as_the_root_label_keeps() {
    Digest kept = blob("kept", Map.of(GC + "root.of-somebody", "yes"));
    Digest other = blob("other", Map.of(GC + "rout", "yes"));
    f.collect();
    assertThat(f.has(kept)).isTrue();
    assertThat(f.has(other)).isFalse();
  }

  @Test
  void an_image_expires_at_its_time_and_an_event_tells_it() throws Exception {
    Digest target = blob("target");
    image("soon", target, Map.of(GC + "expire", f.time.now().plusSeconds(60).toString()));
    image("never", target, Map.of(GC + "expire", "no time at all"));
    f.collect();
    assertThat(images()).containsExactly("never", "soon");
    f.time.advance(Duration.ofSeconds(61));
    try (EventStream events = f.metadata.events().subscribe(_ -> true)) {
      f.collect();
      assertThat(images()).containsExactly("never");
      assertThat(events.next(Duration.ofSeconds(50)).orElseThrow().event().topic())
          .isEqualTo("/images/delete");
    }
  }

  @Test
  void back_references_keep_a_thing_as_long_as_what_they_name() {
    layer("parent", "", ROOT);
    Digest content = blob("content", ROOT);
    Digest imageTarget = blob("image-target");
    image("image", imageTarget, Map.of());
    container("box", "", Map.of());
    Digest byContainer = blob("1", Map.of(GC + "bref.container", "box"));
    Digest byContent = blob("2", Map.of(GC + "bref.content.x", content.toString()));
    Digest byImage = blob("3", Map.of(GC + "bref.image/x", "image"));
    Digest bySnapshot = blob("4", Map.of(GC + "bref.snapshot." + SN + "/x", "parent"));
    layer("child", "", Map.of(GC + "bref.container.y", "box"));
    image(
        "expired",
        imageTarget,
        Map.of(GC + "expire", ago(Duration.ofDays(1)), GC + "bref.content", content.toString()));
    Digest byNothing = blob("5", Map.of(GC + "bref.container", "nobody"));
    f.collect();
    assertThat(List.of(f.has(byContainer), f.has(byContent), f.has(byImage), f.has(bySnapshot)))
        .containsOnly(true);
    assertThat(f.has(byNothing)).isFalse();
    assertThat(f.snapshotNames()).containsExactly("child", "parent");
    assertThat(images()).containsExactly("expired", "image");

    Call.in(NS).run(() -> f.metadata.containers().delete("box"));
    f.collect();
    assertThat(f.has(byContainer)).isFalse();
    assertThat(f.snapshotNames()).containsExactly("parent");
  }

  @Test
  void a_lease_keeps_what_it_holds_until_it_ends_or_expires() {
    lease("timed", Map.of(GC + "expire", f.time.now().plusSeconds(60).toString()));
    lease("plain", Map.of());
    Digest timed = f.with("timed", () -> f.blob("timed"));
    Digest plain = f.with("plain", () -> f.blob("plain"));
    f.with("plain", () -> f.layer("layer", "", Map.of()));
    f.collect();
    assertThat(f.has(timed)).isTrue();
    assertThat(f.has(plain)).isTrue();
    assertThat(f.snapshotNames()).containsExactly("layer");

    f.time.advance(Duration.ofSeconds(61));
    f.collect();
    assertThat(f.has(timed)).isFalse();
    assertThat(f.has(plain)).isTrue();
    assertThat(f.in(NS, () -> f.metadata.leases().list(Filter.ALL)))
        .extracting(Lease::id)
        .containsExactly("plain");

    Call.in(NS).run(() -> f.metadata.leases().delete("plain", true));
    assertThat(f.backendBlobs()).isEmpty();
    assertThat(f.backendSnapshots()).isEmpty();
  }

  @Test
  void a_lease_whose_time_cannot_be_read_does_not_expire() {
    lease("odd", Map.of(GC + "expire", "tomorrow"));
    Digest kept = f.with("odd", () -> f.blob("kept"));
    f.collect();
    assertThat(f.has(kept)).isTrue();
  }

  @Test
  void a_flat_lease_keeps_only_the_things_themselves() {
    Digest layer = blob("layer");
    Digest manifest = blob("manifest", Map.of(GC + "ref.content.l.0", layer.toString()));
    Digest target = blob("target", Map.of(GC + "ref.content", layer.toString()));
    layer("base", "", Map.of(GC + "ref.content.z", layer.toString()));
    layer("top", "base", Map.of());
    image("expired", target, Map.of(GC + "expire", ago(Duration.ofDays(1))));
    lease(
        "flat",
        Map.of(GC + "flat", "x"),
        "content",
        manifest.toString(),
        "snapshots/" + SN,
        "top",
        "images",
        "expired");
    f.collect();
    assertThat(f.has(manifest)).isTrue();
    assertThat(f.has(target)).isTrue();
    assertThat(f.has(layer)).isFalse();
    assertThat(f.snapshotNames()).containsExactly("base", "top");
    assertThat(images()).containsExactly("expired");
  }

  @Test
  void what_is_held_flat_and_fully_is_held_fully() {
    Digest layer = blob("layer");
    Digest manifest = blob("manifest", Map.of(GC + "ref.content.l.0", layer.toString()));
    lease("flat", Map.of(GC + "flat", "x"), "content", manifest.toString());
    image("image", manifest, Map.of());
    f.collect();
    assertThat(f.has(layer)).isTrue();
  }

  @Test
  void ingests_without_a_lease_last_a_day_and_with_one_as_long_as_it() {
    lease("plain", Map.of());
    Call.in(NS).run(() -> f.metadata.content().ingest(new IngestRequest("day")).close());
    Call.in(NS)
        .withLease("plain")
        .run(() -> f.metadata.content().ingest(new IngestRequest("leased")).close());
    f.time.advance(Duration.ofHours(23));
    f.collect();
    assertThat(refs()).containsExactly("day", "leased");
    f.time.advance(Duration.ofHours(2));
    f.collect();
    assertThat(refs()).containsExactly("leased");
    Call.in(NS).run(() -> f.metadata.leases().delete("plain", true));
    assertThat(refs()).isEmpty();
    assertThat(f.blobs.statuses(Filter.ALL)).isEmpty();
  }

  private List<String> refs() {
    return f.in(NS, () -> f.metadata.content().statuses(Filter.ALL)).stream()
        .map(status -> status.ref())
        .toList();
  }

  @Test
  void an_ingest_keeps_the_blob_that_it_expects() {
    Digest digest = f.in("other", () -> f.blob("shared", ROOT));
    blob("shared", Map.of());
    IngestRequest request = new IngestRequest("again", 0, Optional.of(digest("elsewhere")));
    Call.in(NS).run(() -> f.metadata.content().ingest(request).close());
    Digest elsewhere = f.in(NS, () -> f.blob("elsewhere"));
    f.collect();
    assertThat(f.has(elsewhere)).isTrue();
    assertThat(f.has(digest)).isFalse();
  }

  @Test
  void a_condition_keeps_a_thing_while_the_snapshot_was_used_lately() {
    String cond = GC + "cond.snapshot." + SN;
    layer(
        "fresh",
        "",
        Map.of(GC + "root", "x", GC + "cond.value-usedat", ago(Duration.ofMinutes(10))));
    layer(
        "stale", "", Map.of(GC + "root", "x", GC + "cond.value-usedat", ago(Duration.ofHours(10))));
    Digest fresh = blob("1", Map.of(cond, "usedat<1h|fresh"));
    Digest stale = blob("2", Map.of(cond, "usedat<1h|stale"));
    Digest older = blob("3", Map.of(cond + "/name", "usedat>1h30m|stale"));
    Digest either = blob("4", Map.of(cond, "usedat<1ms,usedat>9h|stale"));
    Digest nonsense = blob("5", Map.of(cond, "usedat=1h|fresh"));
    Digest unread = blob("6", Map.of(cond, "usedat<soon|fresh"));
    Digest noKey = blob("7", Map.of(cond, "usedat<1h"));
    Digest target = blob("target");
    image(
        "expired", target, Map.of(GC + "expire", ago(Duration.ofDays(1)), cond, "usedat<1h|fresh"));
    f.collect();
    assertThat(List.of(f.has(fresh), f.has(older), f.has(either), f.has(target)))
        .containsOnly(true);
    assertThat(List.of(f.has(stale), f.has(nonsense), f.has(unread), f.has(noKey)))
        .containsOnly(false);
    f.time.advance(Duration.ofHours(1));
    f.collect();
    assertThat(f.has(fresh)).isFalse();
    assertThat(images()).isEmpty();
  }

  @Test
  void sandboxes_keep_what_their_labels_refer_to() {
    Digest referred = blob("referred");
    f.store.change(
        tx ->
            tx.update(
                "INSERT INTO sandboxes(namespace, id, sandboxer, runtime, labels, created_at,"
                    + " updated_at) VALUES (?, 's', '', '', ?, 0, 0)",
                NS,
                LabelText.write(Map.of(GC + "ref.content.x", referred.toString()))));
    f.collect();
    assertThat(f.has(referred)).isTrue();
  }

  @Test
  void references_do_not_cross_namespaces() {
    Digest mine = blob("mine");
    f.in("other", () -> f.image("image", mine, Map.of()));
    f.collect();
    assertThat(f.has(mine)).isFalse();
  }

  @Test
  void a_removed_snapshot_goes_with_the_next_collection_and_children_before_parents() {
    for (int i = 0; i < 200; i++) {
      layer("l" + i, i == 0 ? "" : "l" + (i - 1), i == 199 ? ROOT : Map.of());
    }
    f.collect();
    assertThat(f.backendSnapshots()).hasSize(200);
    Call.in(NS).run(() -> f.snapshots().remove("l199"));
    assertThat(f.backendSnapshots()).hasSize(200);
    f.collect();
    assertThat(f.backendSnapshots()).isEmpty();
    long condemned = f.store.read(tx -> tx.number("SELECT count(*) FROM condemned"));
    assertThat(condemned).isZero();
  }

  @Test
  void a_killed_daemons_sweep_is_gone_on_with() {
    Digest lost = blob("lost");
    f.store.change(
        tx -> {
          tx.update("DELETE FROM blobs");
          Condemned.content(tx, lost.toString());
        });
    f.reopen();
    assertThat(f.backendBlobs()).isEmpty();
  }

  @Test
  void what_a_killed_daemon_left_only_in_the_backends_is_found_after_the_start() {
    try (Ingest ingest = f.blobs.ingest(new IngestRequest("ns/9999/ref"))) {
      ingest.write(ByteBuffer.wrap(Fixture.bytes("orphan")));
      ingest.commit(0, Optional.empty(), Map.of());
    }
    f.blobs.ingest(new IngestRequest("ns/9998/half")).close();
    f.trees.prepare("ns/9997/a", "", Map.of());
    f.trees.commit("ns/9998/b", "ns/9997/a", Map.of(), "");
    f.trees.view("ns/9999/c", "ns/9998/b", Map.of());
    Digest kept = blob("kept", ROOT);
    layer("kept", "", ROOT);
    f.reopen();
    assertThat(f.backendBlobs()).containsExactly(kept);
    assertThat(f.backendSnapshots()).containsExactly("kept");
    assertThat(f.blobs.statuses(Filter.ALL)).isEmpty();
  }

  @Test
  void a_sweep_that_is_stopped_leaves_the_rest_for_the_next_start() {
    Digest lost = blob("lost");
    f.store.change(
        tx -> {
          tx.update("DELETE FROM blobs");
          Condemned.content(tx, lost.toString());
        });
    Sweeper sweeper =
        new Sweeper(
            new Database(f.store, f.time),
            f.blobs,
            Map.of(SN, f.trees),
            java.util.Optional.empty(),
            new Guards(),
            ALL_HERE);
    sweeper.stop();
    sweeper.sweep();
    assertThat(f.backendBlobs()).containsExactly(lost);
    f.reopen();
    assertThat(f.backendBlobs()).isEmpty();
  }

  @Test
  void of_many_blobs_those_in_use_or_in_making_stay_and_those_that_are_gone_are_no_matter() {
    List<Digest> all = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      all.add(blob("blob " + i));
    }
    Digest used = all.get(7);
    Digest held = all.get(70);
    f.blobs.delete(all.get(150));
    f.store.change(
        tx -> {
          tx.update("DELETE FROM blobs WHERE digest != ?", used.toString());
          all.forEach(digest -> Condemned.content(tx, digest.toString()));
          // it was condemned when it was not in use yet
          tx.update(
              "INSERT INTO condemned(kind, owner, key, sequence) VALUES ('content', '', ?, 0)",
              used.toString());
        });
    Guards guards = new Guards();
    Sweeper sweeper =
        new Sweeper(
            new Database(f.store, f.time),
            f.blobs,
            Map.of(SN, f.trees),
            java.util.Optional.empty(),
            guards,
            ALL_HERE);
    try (Guards.Hold _ = guards.hold(Guards.content(held.toString()))) {
      assertThat(sweeper.sweep()).isTrue();
      assertThat(f.backendBlobs()).containsExactlyInAnyOrder(used, held);
    }
    assertThat(sweeper.sweep()).isFalse();
    assertThat(f.backendBlobs()).containsExactly(used);
    boolean condemned = f.store.exists("SELECT 1 FROM condemned");
    assertThat(condemned).isFalse();
    try (Guards.Sweep free = guards.trySweep(Guards.content(used.toString()))) {
      assertThat(free).isNotNull();
    }
  }

  @Test
  void a_blob_that_is_being_committed_is_left_alone_however_it_looks() throws Exception {
    Guards guards = new Guards();
    Sweeper sweeper =
        new Sweeper(
            new Database(f.store, f.time),
            f.blobs,
            Map.of(SN, f.trees),
            java.util.Optional.empty(),
            guards,
            ALL_HERE);
    try (Ingest ingest = f.blobs.ingest(new IngestRequest("ns/9999/ref"));
        Guards.Hold _ = guards.hold(Guards.content(digest("new").toString()))) {
      ingest.write(ByteBuffer.wrap(Fixture.bytes("new")));
      ingest.commit(0, Optional.empty(), Map.of());
      sweeper.sweep(); // in the backend, in no table, but held
      assertThat(f.backendBlobs()).containsExactly(digest("new"));
    }
    sweeper.orphansPossible();
    sweeper.sweep();
    assertThat(f.backendBlobs()).isEmpty();
  }

  @Test
  void what_is_brought_again_is_left_alone_until_it_is_there() {
    Guards guards = new Guards();
    Database database = new Database(f.store, f.time);
    Sweeper sweeper =
        new Sweeper(
            database, f.blobs, Map.of(SN, f.trees), java.util.Optional.empty(), guards, ALL_HERE);
    f.blobs.ingest(new IngestRequest("selfcheck/of-a-dead-process")).close();
    try (Ingest ingest = f.blobs.ingest(new IngestRequest("selfcheck/open"));
        var _ = new StorageFacts(database, guards).holding(digest("new"), "selfcheck/open")) {
      ingest.write(ByteBuffer.wrap(Fixture.bytes("new")));
      sweeper.sweep();
      assertThat(f.blobs.statuses(Filter.ALL))
          .extracting(status -> status.ref())
          .containsExactly("selfcheck/open");
      ingest.commit(0, Optional.empty(), Map.of());
    }
    sweeper.orphansPossible();
    sweeper.sweep();
    assertThat(f.backendBlobs()).isEmpty();
  }

  @Test
  void numbers_of_backend_keys_are_never_given_out_twice() {
    layer("a", "", ROOT);
    f.reopen();
    f.reopen();
    layer("b", "", ROOT);
    List<String> keys = new ArrayList<>();
    f.trees.walk(Filter.ALL, info -> keys.add(info.name().split("/", -1)[1]));
    assertThat(keys).doesNotHaveDuplicates().hasSize(2);
  }

  @Test
  void nothing_leased_or_referred_is_ever_lost_to_a_collection_that_runs_meanwhile()
      throws Exception {
    int writers = 4;
    int rounds = 60;
    AtomicBoolean done = new AtomicBoolean();
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<Integer> collecting =
          threads.submit(
              () -> {
                int runs = 0;
                do {
                  f.collect();
                  runs++;
                } while (!done.get());
                return runs;
              });
      List<Future<?>> writing = new ArrayList<>();
      for (int w = 0; w < writers; w++) {
        int writer = w;
        writing.add(threads.submit(() -> writeImages(writer, rounds)));
      }
      for (Future<?> future : writing) {
        future.get();
      }
      done.set(true);
      assertThat(collecting.get()).isPositive();
    }
    f.collect();
    for (int w = 0; w < writers; w++) {
      for (int i = 0; i < rounds; i++) {
        assertThat(f.has(digest("shared" + i % 7))).isTrue();
        assertThat(f.has(digest("manifest" + w + "-" + i))).isTrue();
      }
    }
    assertThat(f.backendBlobs()).hasSize(7 + writers * rounds);
    assertThat(f.backendSnapshots()).hasSize(writers * rounds);
  }

  /** Pulls as clients do: under a lease, layers and snapshots first, the image last. */
  private void writeImages(int writer, int rounds) {
    for (int i = 0; i < rounds; i++) {
      String name = writer + "-" + i;
      lease("lease-" + name, Map.of());
      int round = i;
      f.with(
          "lease-" + name,
          () -> {
            Digest layer = sharedBlob("shared" + round % 7, name);
            f.layer("chain" + name, "", Map.of());
            Digest manifest =
                f.blob(
                    "manifest" + name,
                    Map.of(
                        GC + "ref.content.l.0",
                        layer.toString(),
                        GC + "ref.snapshot." + SN,
                        "chain" + name));
            return f.image("image" + name, manifest, Map.of());
          });
      Call.in(NS).run(() -> f.metadata.leases().delete("lease-" + name, false));
      // What this brings is garbage at once, and must not take the shared blob with it.
      f.in("rubbish", () -> sharedBlob("shared" + round % 7, name + "r"));
    }
  }

  private Digest sharedBlob(String text, String ref) {
    IngestRequest request = new IngestRequest("ref-" + ref, 0, Optional.of(digest(text)));
    try (Ingest ingest = f.metadata.content().ingest(request)) {
      if (ingest.status().offset() == 0) {
        ingest.write(ByteBuffer.wrap(Fixture.bytes(text)));
      }
      return ingest.commit(0, Optional.of(digest(text)), Map.of());
    } catch (AlreadyExistsException e) {
      return digest(text);
    }
  }

  @Test
  void ten_thousand_objects_are_marked_in_a_moment() {
    int images = 1000;
    f.store.change(
        tx -> {
          for (int i = 0; i < images; i++) {
            for (int l = 0; l < 8; l++) {
              insertBlob(tx, digest("layer" + i + "." + l), Map.of());
            }
            Map<String, String> labels = new HashMap<>();
            for (int l = 0; l < 8; l++) {
              labels.put(GC + "ref.content.l." + l, digest("layer" + i + "." + l).toString());
            }
            insertBlob(tx, digest("manifest" + i), labels);
            if (i % 10 != 0) {
              tx.update(
                  "INSERT INTO images VALUES ('ns', ?, 't', ?, 1, '', '', 0, 0)",
                  "image" + i,
                  digest("manifest" + i).toString());
            }
          }
        });
    f.collect(); // a tenth is garbage
    long left = f.store.read(tx -> tx.number("SELECT count(*) FROM blobs"));
    assertThat(left).isEqualTo(900L * 9);
    long marking = Long.MAX_VALUE;
    for (int i = 0; i < 3; i++) { // the machine may be busy with something else in one of them
      long began = System.nanoTime();
      List<GcNode> garbage = f.store.read(tx -> Marking.look(tx, Instant.now()).garbage().nodes());
      marking = Math.min(marking, System.nanoTime() - began);
      assertThat(garbage).isEmpty();
    }
    System.out.printf(
        "marking 9000 objects %d ms; removing 900 held writers up %d ms%n",
        marking / 1_000_000, f.metadata.collectorStats().lastHeld().toMillis());
    assertThat(Duration.ofNanos(marking)).isLessThan(Duration.ofSeconds(5));
  }

  private static void insertBlob(WriteTransaction tx, Digest digest, Map<String, String> labels) {
    tx.update(
        "INSERT INTO blobs VALUES ('ns', ?, 1, ?, 0, 0)",
        digest.toString(),
        LabelText.write(labels));
  }

  @Test
  void a_failed_collection_fails_those_that_wait_for_it() {
    f.store.close();
    assertThatThrownBy(() -> f.collect()).hasMessageContaining("gc failed");
    assertThat(f.metadata.collectorStats().failed()).isPositive();
  }

  @Test
  void what_is_condemned_is_swept_although_the_rest_cannot_be_removed() {
    Digest first = blob("first");
    f.store.change(
        tx -> {
          for (int i = 0; i < 4000; i++) {
            insertBlob(tx, digest("many" + i), Map.of());
          }
          insertBlob(tx, digest("last"), Map.of());
          tx.update(
              "CREATE TRIGGER no BEFORE DELETE ON blobs WHEN OLD.digest = '%s'"
                      .formatted(digest("last"))
                  + " BEGIN SELECT RAISE(ABORT, 'no'); END");
        });
    assertThatThrownBy(() -> f.collect()).hasMessageContaining("gc failed");
    assertThat(f.has(first)).isFalse();
    assertThat(f.backendBlobs()).isEmpty();
    f.store.change(tx -> tx.update("DROP TRIGGER no"));
    f.collect();
    assertThat(f.<Long>in(NS, () -> f.store.read(tx -> tx.number("SELECT count(*) FROM blobs"))))
        .isZero();
  }

  @Test
  void a_snapshot_removed_by_a_collection_is_told() throws Exception {
    layer("lost", "", Map.of());
    try (EventStream events = f.metadata.events().subscribe(e -> e.topic().contains("remove"))) {
      f.collect();
      assertThat(events.next(Duration.ofSeconds(50)).orElseThrow().event().topic())
          .isEqualTo("/snapshot/remove");
    }
    assertThatThrownBy(() -> f.in(NS, () -> f.snapshots().stat("lost")))
        .isInstanceOf(NotFoundException.class);
  }

  @Test
  void a_blob_deleted_again_while_its_first_sentence_is_executed_goes_too() {
    Digest again = digest("again");
    Digest other = digest("other");
    AtomicBoolean once = new AtomicBoolean();
    f.beforeBlobs =
        real ->
            (ContentStore)
                Proxy.newProxyInstance(
                    ContentStore.class.getClassLoader(),
                    new Class<?>[] {ContentStore.class},
                    (_, method, arguments) -> {
                      if (method.getName().equals("delete")
                          && arguments[0].equals(other)
                          && once.compareAndSet(false, true)) {
                        // The other one of the batch was executed and is not forgotten yet.
                        blob("again", ROOT);
                        delete(again);
                      }
                      try {
                        return method.invoke(real, arguments);
                      } catch (InvocationTargetException e) {
                        throw e.getTargetException();
                      }
                    });
    f.reopen();
    blob("again", ROOT);
    blob("other", ROOT);
    delete(other);
    delete(again);
    f.collect();
    assertThat(once).isTrue();
    f.collect();
    assertThat(f.backendBlobs()).isEmpty();
  }

  private void delete(Digest digest) {
    Call.in(NS).run(() -> f.metadata.content().delete(digest));
  }

  @Test
  void an_ingest_resumed_without_a_lease_lasts_a_day_from_then() {
    lease("plain", Map.of());
    Call.in(NS)
        .withLease("plain")
        .run(() -> f.metadata.content().ingest(new IngestRequest("leased")).close());
    Call.in(NS).run(() -> f.metadata.content().ingest(new IngestRequest("day")).close());
    f.time.advance(Duration.ofHours(23));
    Call.in(NS).run(() -> f.metadata.leases().delete("plain", false));
    for (String ref : List.of("leased", "day")) {
      Call.in(NS).run(() -> f.metadata.content().ingest(new IngestRequest(ref)).close());
    }
    f.time.advance(Duration.ofHours(2));
    f.collect();
    assertThat(refs()).containsExactly("day", "leased");
    f.time.advance(Duration.ofHours(23));
    f.collect();
    assertThat(refs()).isEmpty();
  }

  @Test
  void what_is_deleted_under_a_lease_is_let_go_by_it() {
    lease("l", Map.of());
    Digest digest = f.with("l", () -> f.blob("leased"));
    Map<String, String> expiring = Map.of(GC + "expire", f.time.now().plusSeconds(60).toString());
    f.with("l", () -> f.image("image", digest, expiring));
    assertThat(f.in(NS, () -> f.metadata.leases().listResources("l"))).hasSize(2);
    Call.in(NS)
        .withLease("l")
        .run(
            () -> {
              f.metadata.images().delete("image", Optional.empty(), false);
              f.metadata.content().delete(digest);
            });
    assertThat(f.in(NS, () -> f.metadata.leases().listResources("l"))).isEmpty();
  }

  @Test
  void a_look_tells_when_the_next_one_finds_more() {
    Instant now = f.time.now();
    assertThat(next()).isEmpty();
    lease("late", Map.of(GC + "expire", now.plusSeconds(900).toString()));
    assertThat(next()).contains(now.plusSeconds(900));
    lease("over", Map.of(GC + "expire", now.minusSeconds(900).toString()));
    lease("unreadable", Map.of(GC + "expire", "soon"));
    assertThat(next()).contains(now.plusSeconds(900));
    f.in(NS, () -> f.image("image", digest("x"), Map.of(GC + "expire", now.plusSeconds(800) + "")));
    assertThat(next()).contains(now.plusSeconds(800));
    String used = now.minusSeconds(1000).toString();
    f.in(NS, () -> f.layer("used", "", Map.of(GC + "cond.value-usedat", used)));
    f.in(NS, () -> f.blob("b", Map.of(GC + "cond.snapshot." + SN, "usedat<1700s|used")));
    assertThat(next()).contains(now.plusSeconds(700));
    f.in(NS, () -> f.blob("c", Map.of(GC + "cond.snapshot." + SN, "usedat>5s|used")));
    assertThat(next()).contains(now.plusSeconds(700));
  }

  private Optional<Instant> next() {
    return f.store.read(tx -> Marking.look(tx, f.time.now()).next());
  }

  @Test
  void an_ingest_without_a_lease_is_looked_at_when_its_day_is_over() {
    f.in(
        NS,
        () -> {
          f.metadata.content().ingest(new IngestRequest("free")).close();
          return "free";
        });
    assertThat(next()).contains(f.time.now().plus(Duration.ofDays(1)));
  }
}
