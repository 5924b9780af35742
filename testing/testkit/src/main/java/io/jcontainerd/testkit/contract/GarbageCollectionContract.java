package io.jcontainerd.testkit.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.FieldMask;
import io.jcontainerd.core.TypedValue;
import io.jcontainerd.core.containers.Container;
import io.jcontainerd.core.content.ContentInfo;
import io.jcontainerd.core.content.Ingest;
import io.jcontainerd.core.content.IngestRequest;
import io.jcontainerd.core.content.IngestStatus;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.NotImplementedException;
import io.jcontainerd.core.filter.Filter;
import io.jcontainerd.core.images.Image;
import io.jcontainerd.core.leases.Lease;
import io.jcontainerd.core.snapshots.Prepared;
import io.jcontainerd.core.snapshots.SnapshotInfo;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * What is kept and what goes: leases, labels and references, as any client can see them. A
 * collection is asked for by ending a lease and waiting.
 */
@ExtendWith(ContractReport.class)
public abstract class GarbageCollectionContract {
  /** What a daemon may lack. */
  public enum Trait {
    /** Labels {@code containerd.io/gc.bref.*} and {@code containerd.io/gc.ref.image}. */
    BACK_REFERENCES,
    /** Images with {@code containerd.io/gc.expire}. */
    EXPIRING_IMAGES,
    /** Labels {@code containerd.io/gc.cond.*}. */
    CONDITIONS
  }

  private static final AtomicInteger NAMESPACES = new AtomicInteger();
  private static final String GC = "containerd.io/gc.";
  private static final Map<String, String> ROOT = Map.of(GC + "root", "yes");

  private final String namespace =
      "gc-" + ProcessHandle.current().pid() + "-" + NAMESPACES.incrementAndGet();

  /** For subclasses. */
  protected GarbageCollectionContract() {}

  /** The daemon's stores; the tests use namespaces of their own. */
  protected abstract Stores stores();

  /** The daemon's time. */
  protected Instant now() {
    return Instant.now();
  }

  private String past() {
    return inHours(-1);
  }

  private String future() {
    return inHours(24);
  }

  private String inHours(int hours) {
    return now().truncatedTo(ChronoUnit.SECONDS).plus(hours, ChronoUnit.HOURS).toString();
  }

  /** What this daemon lacks. */
  protected Set<Trait> leavesOut() {
    return EnumSet.noneOf(Trait.class);
  }

  private void assumeHas(Trait trait) {
    Assumptions.assumeFalse(leavesOut().contains(trait), () -> "leaves out " + trait);
  }

  // ---- short words ----

  private <T> T in(String space, Callable<T> body) {
    return within(Call.in(space), body);
  }

  private <T> T under(String lease, Callable<T> body) {
    return within(Call.in(namespace).withLease(lease), body);
  }

  private <T> T plain(Callable<T> body) {
    return in(namespace, body);
  }

  private static <T> T within(Call call, Callable<T> body) {
    return call.call(
        () -> {
          try {
            return body.call();
          } catch (RuntimeException e) {
            throw e;
          } catch (Exception e) {
            throw new AssertionError(e);
          }
        });
  }

  private void collect() {
    plain(
        () -> {
          Lease lease = stores().leases().create("", Map.of());
          stores().leases().delete(lease.id(), true);
          return lease;
        });
  }

  private String lease(String id, Map<String, String> labels) {
    return plain(() -> stores().leases().create(id, labels).id());
  }

  private void hold(String lease, String type, String id) {
    plain(
        () -> {
          stores().leases().addResource(lease, new Lease.Resource(id, type));
          return id;
        });
  }

  private void end(String lease) {
    plain(
        () -> {
          stores().leases().delete(lease, true);
          return lease;
        });
  }

  private List<Lease.Resource> held(String lease) {
    return plain(() -> stores().leases().listResources(lease));
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static Digest digest(String text) {
    return Digest.sha256(bytes(text));
  }

  /** Writes a blob in the current call. */
  private Digest blob(String text, Map<String, String> labels) {
    try (Ingest ingest = stores().content().ingest(new IngestRequest("ref-" + text))) {
      ingest.write(ByteBuffer.wrap(bytes(text)));
      return ingest.commit(0, Optional.empty(), labels);
    }
  }

  private Digest blob(String text) {
    return blob(text, Map.of());
  }

  private boolean has(Digest digest) {
    return plain(() -> stores().content().find(digest)).isPresent();
  }

  private String snapshots() {
    return "snapshots/" + stores().snapshotter();
  }

  private String active(String key, String parent, Map<String, String> labels) {
    Prepared _ = stores().snapshots().prepare(key, parent, labels);
    return key;
  }

  private String layer(String name, String parent, Map<String, String> labels) {
    active("extract-" + name, parent, Map.of());
    stores().snapshots().commit(name, "extract-" + name, labels, "");
    return name;
  }

  private List<String> names() {
    return plain(
        () -> {
          var names = new ArrayList<String>();
          stores().snapshots().walk(Filter.ALL, info -> names.add(info.name()));
          return names;
        });
  }

  private Image image(String name, Digest target, Map<String, String> labels) {
    var descriptor = new Descriptor("application/vnd.oci.image.manifest.v1+json", target, 7);
    return stores()
        .images()
        .create(
            new Image(name, descriptor, labels, Instant.EPOCH, Instant.EPOCH), Optional.empty());
  }

  private List<String> images() {
    return plain(() -> stores().images().list(Filter.ALL)).stream().map(Image::name).toList();
  }

  private void deleteImage(String name) {
    plain(
        () -> {
          stores().images().delete(name, Optional.empty(), true);
          return name;
        });
  }

  private Container container(String id, String snapshotKey, Map<String, String> labels) {
    return stores()
        .containers()
        .create(
            new Container(
                id,
                labels,
                "an-image",
                new Container.Runtime("io.containerd.runc.v2", Optional.empty()),
                Optional.of(new TypedValue("types.containerd.io/spec", bytes("{}"))),
                snapshotKey.isEmpty() ? "" : stores().snapshotter(),
                snapshotKey,
                Map.of(),
                "",
                Instant.EPOCH,
                Instant.EPOCH));
  }

  private void label(Digest digest, String key, String value) {
    plain(
        () -> {
          ContentInfo info = stores().content().info(digest);
          return stores()
              .content()
              .update(
                  new ContentInfo(
                      digest, info.size(), info.createdAt(), info.updatedAt(), Map.of(key, value)),
                  new FieldMask(List.of("labels." + key)));
        });
  }

  private void label(String snapshot, String key, String value) {
    plain(
        () -> {
          SnapshotInfo info = stores().snapshots().stat(snapshot);
          return stores()
              .snapshots()
              .update(
                  new SnapshotInfo(
                      info.kind(),
                      snapshot,
                      info.parent(),
                      Map.of(key, value),
                      info.createdAt(),
                      info.updatedAt()),
                  new FieldMask(List.of("labels." + key)));
        });
  }

  private String toSnapshot() {
    return GC + "ref.snapshot." + stores().snapshotter();
  }

  // ---- what goes ----

  @Test
  void what_nothing_refers_to_goes() {
    Digest blob = under(lease("first", Map.of()), () -> blob("alone"));
    under("first", () -> layer("base", "", Map.of()));
    under("first", () -> active("active", "base", Map.of()));
    collect();
    assertThat(has(blob)).isTrue();
    assertThat(names()).containsExactly("active", "base");
    end("first");
    assertThat(has(blob)).isFalse();
    assertThat(names()).isEmpty();
    assertThatThrownBy(() -> plain(() -> stores().content().reader(blob)))
        .isInstanceOf(NotFoundException.class);
  }

  @Test
  void things_that_only_refer_to_each_other_go() {
    String lease = lease("making", Map.of());
    String label = GC + "ref.content.x";
    Digest one = under(lease, () -> blob("one", Map.of(label, digest("two").toString())));
    Digest two = under(lease, () -> blob("two", Map.of(label, digest("one").toString())));
    Digest self = under(lease, () -> blob("self", Map.of(label, digest("self").toString())));
    collect();
    assertThat(List.of(has(one), has(two), has(self))).containsOnly(true);
    end(lease);
    assertThat(List.of(has(one), has(two), has(self))).containsOnly(false);
  }

  @Test
  void what_is_gone_can_come_back() {
    for (int round = 0; round < 3; round++) {
      String lease = lease("round", Map.of());
      Digest blob = under(lease, () -> blob("again"));
      under(lease, () -> layer("base", "", Map.of()));
      end(lease);
      assertThat(has(blob)).isFalse();
      assertThat(names()).isEmpty();
    }
  }

  // ---- labels ----

  @Test
  void a_root_label_keeps_content_and_a_snapshot_with_its_parents() {
    String lease = lease("making", Map.of());
    Digest kept = under(lease, () -> blob("kept", ROOT));
    Digest gone = under(lease, () -> blob("gone", Map.of("example/gc.root", "yes")));
    under(lease, () -> layer("base", "", Map.of()));
    under(lease, () -> layer("middle", "base", Map.of()));
    under(lease, () -> layer("top", "middle", ROOT));
    under(lease, () -> layer("beside", "base", Map.of()));
    end(lease);
    assertThat(has(kept)).isTrue();
    assertThat(has(gone)).isFalse();
    assertThat(names()).containsExactly("base", "middle", "top");
    label(kept, GC + "root", "");
    label("top", GC + "root", "");
    collect();
    assertThat(has(kept)).isFalse();
    assertThat(names()).isEmpty();
  }

  @Test
  void an_image_keeps_all_that_its_labels_lead_to() {
    String lease = lease("pull", Map.of());
    Digest layer = under(lease, () -> blob("layer"));
    Digest other = under(lease, () -> blob("other"));
    Digest referrer = under(lease, () -> blob("referrer"));
    under(lease, () -> layer("chain-1", "", Map.of()));
    under(lease, () -> layer("chain-2", "chain-1", Map.of()));
    Digest config = under(lease, () -> blob("config", Map.of(toSnapshot(), "chain-2")));
    Digest manifest =
        under(
            lease,
            () ->
                blob(
                    "manifest",
                    Map.of(
                        GC + "ref.content.config",
                        config.toString(),
                        GC + "ref.content.l.0",
                        layer.toString(),
                        GC + "ref.content/odd",
                        other.toString(),
                        GC + "ref.content.referrer.sha256.0123456789ab",
                        referrer.toString())));
    Digest index =
        under(lease, () -> blob("index", Map.of(GC + "ref.content.m.0", manifest.toString())));
    Digest lost = under(lease, () -> blob("lost", Map.of("ref.content.0", layer.toString())));
    plain(() -> image("docker.io/library/x:1", index, Map.of()));
    end(lease);
    List<Digest> all = List.of(index, manifest, config, layer, other, referrer);
    assertThat(all).allMatch(this::has);
    assertThat(has(lost)).isFalse();
    assertThat(names()).containsExactly("chain-1", "chain-2");
    deleteImage("docker.io/library/x:1");
    assertThat(all).noneMatch(this::has);
    assertThat(names()).isEmpty();
  }

  @Test
  void a_reference_may_say_no_more_than_content() {
    String lease = lease("making", Map.of());
    Digest child = under(lease, () -> blob("child"));
    Digest root =
        under(
            lease,
            () -> blob("root", Map.of(GC + "root", "x", GC + "ref.content", child.toString())));
    end(lease);
    assertThat(has(root)).isTrue();
    assertThat(has(child)).isTrue();
    label(root, GC + "ref.content", "");
    collect();
    assertThat(has(child)).isFalse();
  }

  @Test
  void several_snapshots_can_be_referred_to() {
    String lease = lease("making", Map.of());
    under(lease, () -> layer("one", "", Map.of()));
    under(lease, () -> layer("two", "", Map.of()));
    under(lease, () -> layer("three", "", Map.of()));
    under(
        lease,
        () ->
            blob(
                "root",
                Map.of(GC + "root", "x", toSnapshot(), "one", toSnapshot() + "/second", "two")));
    end(lease);
    assertThat(names()).containsExactly("one", "two");
  }

  @Test
  void a_snapshot_can_refer_to_content_and_to_other_snapshots() {
    String lease = lease("making", Map.of());
    Digest blob = under(lease, () -> blob("blob"));
    under(lease, () -> layer("beside", "", Map.of()));
    under(
        lease,
        () ->
            layer(
                "top",
                "",
                Map.of(
                    GC + "root", "x",
                    GC + "ref.content.0", blob.toString(),
                    toSnapshot() + "/beside", "beside")));
    end(lease);
    assertThat(has(blob)).isTrue();
    assertThat(names()).containsExactly("beside", "top");
  }

  @Test
  void a_container_keeps_its_snapshot_and_what_its_labels_refer_to() {
    String lease = lease("making", Map.of());
    Digest blob = under(lease, () -> blob("blob"));
    Digest target = under(lease, () -> blob("target"));
    under(lease, () -> layer("base", "", Map.of()));
    under(lease, () -> layer("other", "", Map.of()));
    under(lease, () -> active("root-of-c", "base", Map.of()));
    plain(() -> image("an-image", target, Map.of()));
    plain(
        () ->
            container(
                "c",
                "root-of-c",
                Map.of(GC + "ref.content.0", blob.toString(), toSnapshot(), "other")));
    end(lease);
    assertThat(has(blob)).isTrue();
    assertThat(names()).containsExactly("base", "other", "root-of-c");
    deleteImage("an-image");
    assertThat(has(target)).as("the image of a container is not kept by it").isFalse();
    plain(
        () -> {
          stores().containers().delete("c");
          return "c";
        });
    collect();
    assertThat(has(blob)).isFalse();
    assertThat(names()).isEmpty();
  }

  @Test
  void back_references_keep_a_thing_as_long_as_what_they_name() {
    assumeHas(Trait.BACK_REFERENCES);
    String lease = lease("making", Map.of());
    Digest target = under(lease, () -> blob("target"));
    plain(() -> image("image", target, Map.of()));
    plain(() -> container("box", "", Map.of()));
    under(lease, () -> layer("kept", "", ROOT));
    List<Digest> ofImage =
        List.of(
            under(lease, () -> blob("of image", Map.of(GC + "bref.image", "image"))),
            under(lease, () -> blob("of image 2", Map.of(GC + "bref.image.x", "image"))),
            under(
                lease, () -> blob("of content", Map.of(GC + "bref.content/y", target.toString()))));
    Digest ofBox = under(lease, () -> blob("of box", Map.of(GC + "bref.container", "box")));
    Digest ofSnapshot =
        under(
            lease,
            () ->
                blob(
                    "of snapshot",
                    Map.of(GC + "bref.snapshot." + stores().snapshotter() + "/z", "kept")));
    Digest ofNothing = under(lease, () -> blob("of nothing", Map.of(GC + "bref.image", "missing")));
    under(lease, () -> layer("of-box", "", Map.of(GC + "bref.container.1", "box")));
    end(lease);
    assertThat(ofImage).allMatch(this::has);
    assertThat(has(ofBox)).isTrue();
    assertThat(has(ofSnapshot)).isTrue();
    assertThat(has(ofNothing)).isFalse();
    assertThat(names()).containsExactly("kept", "of-box");
    deleteImage("image");
    assertThat(ofImage).noneMatch(this::has);
    plain(
        () -> {
          stores().containers().delete("box");
          return "box";
        });
    collect();
    assertThat(has(ofBox)).isFalse();
    assertThat(has(ofSnapshot)).isTrue();
    assertThat(names()).containsExactly("kept");
    label("kept", GC + "root", "");
    collect();
    assertThat(has(ofSnapshot)).isFalse();
  }

  @Test
  void an_image_expires_at_its_time_unless_something_refers_to_it() {
    assumeHas(Trait.EXPIRING_IMAGES);
    assumeHas(Trait.BACK_REFERENCES);
    String lease = lease("making", Map.of());
    Digest one = under(lease, () -> blob("one"));
    Digest two = under(lease, () -> blob("two"));
    Digest three = under(lease, () -> blob("three"));
    plain(() -> image("expired", one, Map.of(GC + "expire", past())));
    plain(() -> image("later", two, Map.of(GC + "expire", future())));
    plain(() -> image("unreadable", two, Map.of(GC + "expire", "tomorrow")));
    plain(() -> container("box", "", Map.of(GC + "ref.image.0", "referred")));
    plain(() -> image("referred", three, Map.of(GC + "expire", past())));
    end(lease);
    assertThat(images()).containsExactly("later", "referred", "unreadable");
    assertThat(has(one)).isFalse();
    assertThat(has(two)).isTrue();
    assertThat(has(three)).isTrue();
    plain(
        () -> {
          stores().containers().delete("box");
          return "box";
        });
    collect();
    assertThat(images()).containsExactly("later", "unreadable");
    assertThat(has(three)).isFalse();
  }

  @Test
  void an_expired_image_lives_on_by_its_back_references_and_by_a_lease() {
    assumeHas(Trait.EXPIRING_IMAGES);
    assumeHas(Trait.BACK_REFERENCES);
    String lease = lease("making", Map.of());
    Digest one = under(lease, () -> blob("one"));
    plain(() -> container("box", "", Map.of()));
    plain(
        () ->
            image(
                "by-container", one, Map.of(GC + "expire", past(), GC + "bref.container", "box")));
    String holder = lease("holder", Map.of());
    under(holder, () -> image("by-lease", one, Map.of(GC + "expire", past())));
    assertThat(held(holder)).containsExactly(new Lease.Resource("by-lease", "images"));
    end(lease);
    assertThat(images()).containsExactly("by-container", "by-lease");
    end(holder);
    assertThat(images()).containsExactly("by-container");
    assertThat(has(one)).isTrue();
    plain(
        () -> {
          stores().containers().delete("box");
          return "box";
        });
    collect();
    assertThat(images()).isEmpty();
    assertThat(has(one)).isFalse();
  }

  @Test
  void a_condition_keeps_a_thing_while_the_snapshot_was_used_as_it_says() {
    assumeHas(Trait.CONDITIONS);
    String lease = lease("making", Map.of());
    String used = inHours(-2);
    under(lease, () -> layer("used", "", Map.of(GC + "root", "x", GC + "cond.value-usedat", used)));
    under(lease, () -> layer("never", "", ROOT));
    String label = GC + "cond.snapshot." + stores().snapshotter();
    Map<String, String> holds =
        Map.of(
            "lately", "usedat<3h|used",
            "long ago", "usedat>1h30m|used",
            "either", "usedat<1s,usedat>1h|used");
    Map<String, String> fails =
        Map.of(
            "not so lately", "usedat<1h|used",
            "not so long ago", "usedat>3h|used",
            "without a value", "usedat<100000h|never",
            "of nothing", "usedat>1s|missing",
            "unreadable", "usedat~1h|used",
            "no duration", "usedat<soon|used",
            "no bar", "usedat<3h");
    var kept = new ArrayList<Digest>();
    var gone = new ArrayList<Digest>();
    holds.forEach((text, value) -> kept.add(under(lease, () -> blob(text, Map.of(label, value)))));
    fails.forEach((text, value) -> gone.add(under(lease, () -> blob(text, Map.of(label, value)))));
    kept.add(
        under(
            lease,
            () ->
                blob(
                    "one of two",
                    Map.of(label + "/a", "usedat<1h|used", label + "/b", "usedat<9h|used"))));
    end(lease);
    assertThat(kept).allMatch(this::has);
    assertThat(gone).noneMatch(this::has);
    label("used", GC + "cond.value-usedat", inHours(-24));
    collect();
    assertThat(has(digest("lately"))).isFalse();
    assertThat(has(digest("long ago"))).isTrue();
  }

  @Test
  void references_stay_within_their_namespace() {
    String other = namespace + "-other";
    String lease = lease("making", Map.of());
    Digest shared = under(lease, () -> blob("shared"));
    under(lease, () -> layer("same-name", "", Map.of()));
    in(other, () -> stores().leases().create("there", Map.of()));
    Call there = Call.in(other).withLease("there");
    within(there, () -> layer("same-name", "", Map.of()));
    within(
        there,
        () ->
            blob(
                "refers",
                Map.of(GC + "ref.content.0", shared.toString(), toSnapshot(), "same-name")));
    end(lease);
    assertThat(has(shared)).isFalse();
    assertThat(names()).isEmpty();
    assertThat(in(other, () -> stores().snapshots().stat("same-name")).name())
        .isEqualTo("same-name");
    in(
        other,
        () -> {
          stores().leases().delete("there", true);
          return "there";
        });
    assertThat(in(other, () -> stores().content().find(digest("refers")))).isEmpty();
  }

  // ---- leases ----

  @Test
  void a_lease_gets_all_that_is_made_under_it() {
    String lease = lease("mine", Map.of());
    Digest blob = under(lease, () -> blob("blob"));
    under(lease, () -> active("key", "", Map.of()));
    under(
        lease,
        () -> {
          stores().content().ingest(new IngestRequest("half")).close();
          return "half";
        });
    assertThat(held(lease))
        .containsExactlyInAnyOrder(
            new Lease.Resource(blob.toString(), "content"),
            new Lease.Resource("key", snapshots()),
            new Lease.Resource("half", "ingests"));
    under(
        lease,
        () -> {
          stores().snapshots().commit("name", "key", Map.of(), "");
          return "name";
        });
    assertThat(held(lease))
        .contains(new Lease.Resource("name", snapshots()))
        .doesNotContain(new Lease.Resource("key", snapshots()));
  }

  @Test
  void a_lease_gets_what_was_there_already() {
    String first = lease("first", Map.of());
    String second = lease("second", Map.of());
    Digest blob = under(first, () -> blob("blob"));
    assertThatThrownBy(() -> under(second, () -> blob("blob")))
        .isInstanceOf(io.jcontainerd.core.failure.AlreadyExistsException.class);
    end(first);
    assertThat(has(blob)).isTrue();
    end(second);
    assertThat(has(blob)).isFalse();
  }

  @Test
  void a_lease_that_is_unknown_keeps_nothing_from_being_refused() {
    assertThatThrownBy(() -> under("unknown", () -> blob("blob")))
        .isInstanceOf(NotFoundException.class);
    assertThatThrownBy(() -> under("unknown", () -> active("key", "", Map.of())))
        .isInstanceOf(NotFoundException.class);
    assertThat(names()).isEmpty();
  }

  @Test
  void a_thing_is_kept_until_the_last_of_its_leases_ends() {
    String making = lease("making", Map.of());
    Digest blob = under(making, () -> blob("blob"));
    under(making, () -> layer("base", "", Map.of()));
    lease("one", Map.of());
    lease("two", Map.of());
    for (String lease : List.of("one", "two")) {
      hold(lease, "content", blob.toString());
      hold(lease, snapshots(), "base");
    }
    end(making);
    end("one");
    assertThat(has(blob)).isTrue();
    assertThat(names()).containsExactly("base");
    plain(
        () -> {
          var resource = new Lease.Resource(blob.toString(), "content");
          stores().leases().deleteResource("two", resource);
          stores().leases().deleteResource("two", resource);
          return resource;
        });
    collect();
    assertThat(has(blob)).isFalse();
    assertThat(names()).containsExactly("base");
    end("two");
    assertThat(names()).isEmpty();
  }

  /** A collection may take the lease before it holds anything; then it is made anew. */
  private void holdWithLeaseThatIsOver(String id, Digest blob) {
    for (int i = 1; ; i++) {
      lease(id, Map.of(GC + "expire", past()));
      try {
        hold(id, "content", blob.toString());
        return;
      } catch (NotFoundException e) {
        if (i == 5) {
          throw e;
        }
      }
    }
  }

  @Test
  void a_lease_ends_at_its_time() {
    String making = lease("making", Map.of());
    List<Digest> blobs = new ArrayList<>();
    for (String text : List.of("past", "future", "unreadable")) {
      blobs.add(under(making, () -> blob(text)));
    }
    holdWithLeaseThatIsOver("past", blobs.get(0));
    lease("future", Map.of(GC + "expire", future()));
    lease("unreadable", Map.of(GC + "expire", "2020-01-01"));
    hold("future", "content", blobs.get(1).toString());
    hold("unreadable", "content", blobs.get(2).toString());
    end(making);
    assertThat(blobs.stream().map(this::has)).containsExactly(false, true, true);
    assertThat(plain(() -> stores().leases().list(Filter.ALL)).stream().map(Lease::id))
        .containsExactlyInAnyOrder("future", "unreadable");
  }

  @Test
  void a_flat_lease_keeps_only_the_things_themselves() {
    String making = lease("making", Map.of());
    Digest child = under(making, () -> blob("child"));
    Digest parent =
        under(making, () -> blob("parent", Map.of(GC + "ref.content.0", child.toString())));
    under(making, () -> layer("base", "", Map.of()));
    under(making, () -> layer("beside", "", Map.of()));
    under(making, () -> layer("top", "base", Map.of(toSnapshot(), "beside")));
    lease("flat", Map.of(GC + "flat", future()));
    hold("flat", "content", parent.toString());
    hold("flat", snapshots(), "top");
    end(making);
    assertThat(has(parent)).isTrue();
    assertThat(has(child)).isFalse();
    assertThat(names()).containsExactly("base", "top");
    end("flat");
    assertThat(has(parent)).isFalse();
    assertThat(names()).isEmpty();
  }

  @Test
  void a_flat_lease_keeps_an_image_and_its_target_but_no_more() {
    assumeHas(Trait.EXPIRING_IMAGES);
    String making = lease("making", Map.of());
    Digest child = under(making, () -> blob("child"));
    Digest target =
        under(making, () -> blob("target", Map.of(GC + "ref.content.0", child.toString())));
    lease("flat", Map.of(GC + "flat", "x"));
    under("flat", () -> image("image", target, Map.of(GC + "expire", past())));
    end(making);
    assertThat(images()).containsExactly("image");
    assertThat(has(target)).isTrue();
    assertThat(has(child)).isFalse();
  }

  @Test
  void what_is_held_flat_and_fully_is_held_fully() {
    String making = lease("making", Map.of());
    Digest child = under(making, () -> blob("child"));
    Digest parent =
        under(making, () -> blob("parent", Map.of(GC + "ref.content.0", child.toString())));
    lease("flat", Map.of(GC + "flat", "x"));
    lease("full", Map.of());
    hold("flat", "content", parent.toString());
    hold("full", "content", parent.toString());
    end(making);
    assertThat(has(child)).isTrue();
    end("full");
    assertThat(has(child)).isFalse();
    assertThat(has(parent)).isTrue();
  }

  @Test
  void a_lease_may_hold_what_is_not_there_yet() {
    lease("early", Map.of());
    hold("early", "content", digest("later").toString());
    hold("early", snapshots(), "later");
    collect();
    String making = lease("making", Map.of());
    under(making, () -> blob("later"));
    under(making, () -> layer("later", "", Map.of()));
    end(making);
    assertThat(has(digest("later"))).isTrue();
    assertThat(names()).containsExactly("later");
  }

  @Test
  void resources_are_of_known_types() {
    lease("mine", Map.of());
    assertThatThrownBy(() -> hold("mine", "containers", "c"))
        .isInstanceOf(NotImplementedException.class);
    assertThatThrownBy(() -> hold("mine", "content", "no digest"))
        .isInstanceOf(io.jcontainerd.core.failure.InvalidArgumentException.class);
    assertThat(held("mine")).isEmpty();
  }

  @Test
  void a_lease_of_another_namespace_does_not_count() {
    String other = namespace + "-other";
    in(other, () -> stores().leases().create("mine", Map.of()));
    String making = lease("making", Map.of());
    Digest blob = under(making, () -> blob("blob"));
    in(
        other,
        () -> {
          stores().leases().addResource("mine", new Lease.Resource(blob.toString(), "content"));
          return blob;
        });
    end(making);
    assertThat(has(blob)).isFalse();
  }

  // ---- ingests ----

  private List<String> refs() {
    return plain(() -> stores().content().statuses(Filter.ALL)).stream()
        .map(IngestStatus::ref)
        .toList();
  }

  private void half(Call call, String ref) {
    within(
        call,
        () -> {
          try (Ingest ingest = stores().content().ingest(new IngestRequest(ref))) {
            ingest.write(ByteBuffer.wrap(bytes("half of it")));
          }
          return ref;
        });
  }

  @Test
  void an_ingest_lasts_as_long_as_its_lease_or_a_day() {
    lease("mine", Map.of());
    half(Call.in(namespace).withLease("mine"), "leased");
    half(Call.in(namespace), "free");
    collect();
    assertThat(refs()).containsExactlyInAnyOrder("free", "leased");
    assertThat(plain(() -> stores().content().status("leased")).offset()).isEqualTo(10);
    end("mine");
    assertThat(refs()).containsExactly("free");
  }

  @Test
  void an_ingest_that_is_resumed_under_a_lease_is_held_by_it() {
    half(Call.in(namespace), "free");
    lease("mine", Map.of());
    under(
        "mine",
        () -> {
          stores().content().ingest(new IngestRequest("free")).close();
          return "free";
        });
    assertThat(held("mine")).containsExactly(new Lease.Resource("free", "ingests"));
    collect();
    assertThat(refs()).containsExactly("free");
  }

  @Test
  void an_aborted_ingest_is_held_no_more() {
    lease("mine", Map.of());
    half(Call.in(namespace).withLease("mine"), "aborted");
    under(
        "mine",
        () -> {
          stores().content().abort("aborted");
          return "aborted";
        });
    assertThat(held("mine")).isEmpty();
    assertThat(refs()).isEmpty();
  }
}
