package io.jcontainerd.metadata;

import static io.jcontainerd.metadata.Fixture.NS;
import static io.jcontainerd.metadata.Fixture.SN;
import static io.jcontainerd.metadata.Fixture.bytes;
import static io.jcontainerd.metadata.Fixture.digest;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.InvalidProtocolBufferException;
import io.jcontainerd.api.events.ContainerCreate;
import io.jcontainerd.api.events.ImageUpdate;
import io.jcontainerd.api.events.SnapshotCommit;
import io.jcontainerd.core.Call;
import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.FieldMask;
import io.jcontainerd.core.TypedValue;
import io.jcontainerd.core.containers.Container;
import io.jcontainerd.core.containers.ContainerStore;
import io.jcontainerd.core.events.Event;
import io.jcontainerd.core.events.EventStream;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.NotImplementedException;
import io.jcontainerd.core.failure.OutOfRangeException;
import io.jcontainerd.core.filter.Filter;
import io.jcontainerd.core.images.Image;
import io.jcontainerd.core.images.ImageStore;
import io.jcontainerd.core.leases.Lease;
import io.jcontainerd.core.leases.LeaseStore;
import io.jcontainerd.core.namespaces.NamespaceStore;
import io.jcontainerd.core.namespaces.NamespaceStore.Namespace;
import io.jcontainerd.testkit.contract.InNamespace;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Namespaces, containers, images, leases and events in the store. */
@Timeout(60)
class StoredRecordsTest {
  @TempDir Path folder;
  private Fixture f;
  private NamespaceStore namespaces;
  private ContainerStore containers;
  private ImageStore images;
  private LeaseStore leases;

  @BeforeEach
  void open() {
    f = new Fixture(folder);
    namespaces = f.metadata.namespaces();
    containers = InNamespace.of(NS, ContainerStore.class, f.metadata.containers());
    images = InNamespace.of(NS, ImageStore.class, f.metadata.images());
    leases = InNamespace.of(NS, LeaseStore.class, f.metadata.leases());
  }

  @AfterEach
  void close() {
    f.close();
  }

  private static FieldMask mask(String... paths) {
    return new FieldMask(List.of(paths));
  }

  // ---- namespaces ----

  @Test
  void an_absent_namespace_has_no_labels_and_a_write_makes_it() {
    assertThat(namespaces.get("nobody").labels()).isEmpty();
    assertThat(namespaces.list()).isEmpty();
    leases.create("l", Map.of());
    assertThat(namespaces.list()).extracting(Namespace::name).containsExactly(NS);
    assertThatThrownBy(() -> namespaces.delete("nobody")).isInstanceOf(NotFoundException.class);
    assertThatThrownBy(() -> namespaces.get("not/a name"))
        .isInstanceOf(InvalidArgumentException.class);
  }

  @Test
  void namespaces_are_made_once_and_their_labels_change_by_key() {
    namespaces.create(new Namespace("a", Map.of("x", "1", "y", "2")));
    assertThatThrownBy(() -> namespaces.create(new Namespace("a", Map.of())))
        .isInstanceOf(AlreadyExistsException.class);
    namespaces.update(new Namespace("a", Map.of("x", "", "z", "3")), mask("labels.x", "labels.z"));
    assertThat(namespaces.get("a").labels()).isEqualTo(Map.of("y", "2", "z", "3"));
    namespaces.update(new Namespace("a", Map.of("only", "1")), FieldMask.ALL);
    assertThat(namespaces.get("a").labels()).isEqualTo(Map.of("only", "1"));
    assertThatThrownBy(() -> namespaces.update(new Namespace("a", Map.of()), mask("labels")))
        .isInstanceOf(InvalidArgumentException.class);
    namespaces.update(new Namespace("new", Map.of("a", "b")), FieldMask.ALL);
    assertThat(namespaces.list()).extracting(Namespace::name).containsExactly("a", "new");
  }

  @Test
  void only_an_empty_namespace_goes_and_what_is_left_is_told() {
    f.in(NS, () -> f.blob("blob"));
    f.in(NS, () -> f.image("image", digest("blob"), Map.of()));
    f.in(NS, () -> f.layer("layer", "", Map.of()));
    f.in(NS, () -> f.container("c", "layer", Map.of()));
    leases.create("l", Map.of());
    assertThatThrownBy(() -> namespaces.delete(NS))
        .isInstanceOf(FailedPreconditionException.class)
        .hasMessage(
            "namespace \"ns\" must be empty, but it still has images, blobs, containers, snapshots"
                + " on \"overlayfs\" snapshotter");
    containers.delete("c");
    images.delete("image", Optional.empty(), true);
    namespaces.delete(NS);
    assertThat(namespaces.list()).isEmpty();
    namespaces.create(new Namespace(NS, Map.of()));
    assertThat(leases.list(Filter.ALL)).isEmpty();
  }

  // ---- containers ----

  @Test
  void a_container_comes_back_as_it_was_stored() {
    Container given =
        new Container(
            "c1",
            Map.of("k", "v=\\\n", "a=b", "c"),
            "image",
            new Container.Runtime(
                "io.containerd.runc.v2", Optional.of(new TypedValue("t", bytes("o")))),
            Optional.of(new TypedValue("spec", bytes("{\"unknown\":1}"))),
            SN,
            "key",
            Map.of("ext", new TypedValue("e", bytes("x"))),
            "sandbox",
            Instant.EPOCH,
            Instant.EPOCH);
    Container stored = containers.create(given);
    assertThat(stored.createdAt()).isEqualTo(f.time.now());
    assertThat(containers.get("c1")).isEqualTo(stored);
    assertThat(containers.list(Filter.parse("labels.k"))).containsExactly(stored);
    assertThat(stored.labels()).isEqualTo(given.labels());
    assertThat(stored.extensions()).isEqualTo(given.extensions());
    assertThat(stored.spec()).isEqualTo(given.spec());
    assertThatThrownBy(() -> containers.create(given)).isInstanceOf(AlreadyExistsException.class);
    containers.delete("c1");
    assertThatThrownBy(() -> containers.get("c1")).isInstanceOf(NotFoundException.class);
    assertThatThrownBy(() -> containers.delete("c1")).isInstanceOf(NotFoundException.class);
  }

  @Test
  void containers_that_cannot_run_are_refused() {
    Container good = Fixture.containerOf("c", "", Map.of());
    assertThatThrownBy(() -> containers.create(Fixture.containerOf("-", "", Map.of())))
        .isInstanceOf(InvalidArgumentException.class);
    assertThatThrownBy(() -> containers.create(with(good, "", "", good.spec())))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessageContaining("runtime");
    assertThatThrownBy(() -> containers.create(with(good, "r", "", Optional.empty())))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessageContaining("spec");
    assertThatThrownBy(() -> containers.create(with(good, "r", "key", good.spec())))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessageContaining("snapshotter");
    assertThatThrownBy(
            () -> containers.create(Fixture.containerOf("c", "", Map.of("k", "v".repeat(5000)))))
        .isInstanceOf(InvalidArgumentException.class);
  }

  private static Container with(
      Container container, String runtime, String snapshotKey, Optional<TypedValue> spec) {
    return new Container(
        container.id(),
        container.labels(),
        container.image(),
        new Container.Runtime(runtime, Optional.empty()),
        spec,
        "",
        snapshotKey,
        container.extensions(),
        "",
        Instant.EPOCH,
        Instant.EPOCH);
  }

  @Test
  void a_containers_fields_change_by_mask_and_the_rest_stays() {
    containers.create(Fixture.containerOf("c", "key", Map.of("a", "1")));
    Container changed =
        new Container(
            "c",
            Map.of("a", "", "b", "2"),
            "other-image",
            new Container.Runtime("io.containerd.runc.v2", Optional.empty()),
            Optional.of(new TypedValue("spec2", bytes("{}"))),
            SN,
            "key2",
            Map.of("ext", new TypedValue("e", bytes("x"))),
            "",
            Instant.EPOCH,
            Instant.EPOCH);
    f.time.advance(Duration.ofSeconds(5));
    Container updated =
        containers.update(changed, mask("labels.a", "labels.b", "extensions.ext", "snapshotkey"));
    assertThat(updated.labels()).isEqualTo(Map.of("b", "2"));
    assertThat(updated.image()).isEqualTo("an-image");
    assertThat(updated.snapshotKey()).isEqualTo("key2");
    assertThat(updated.extensions()).containsOnlyKeys("ext");
    assertThat(updated.updatedAt()).isEqualTo(f.time.now());
    assertThat(updated.createdAt()).isBefore(updated.updatedAt());
    assertThat(containers.get("c")).isEqualTo(updated);
    Container whole = containers.update(changed, FieldMask.ALL);
    assertThat(whole.image()).isEqualTo("other-image");
    assertThat(whole.labels()).isEqualTo(Map.of("b", "2"));
    assertThat(whole.extensions()).containsOnlyKeys("ext");
    assertThatThrownBy(() -> containers.update(changed, mask("runtime")))
        .isInstanceOf(InvalidArgumentException.class);
    assertThatThrownBy(
            () -> containers.update(Fixture.containerOf("c", "", Map.of()), FieldMask.ALL))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessageContaining("snapshotter");
    assertThatThrownBy(
            () -> containers.update(Fixture.containerOf("no", "", Map.of()), mask("image")))
        .isInstanceOf(NotFoundException.class);
  }

  @Test
  void containers_are_listed_by_id_and_by_filter() {
    for (String id : List.of("b", "c", "a")) {
      containers.create(Fixture.containerOf(id, "", Map.of("is", id)));
    }
    assertThat(containers.list(Filter.ALL))
        .extracting(Container::id)
        .containsExactly("a", "b", "c");
    assertThat(containers.list(Filter.parse("labels.is==b,runtime.name~=runc")))
        .extracting(Container::id)
        .containsExactly("b");
    assertThat(f.in("other", () -> f.metadata.containers().list(Filter.ALL))).isEmpty();
  }

  // ---- images ----

  private static Image image(String name, String media, long size, Map<String, String> labels) {
    Descriptor target = new Descriptor(media, digest("target"), size, Map.of("note", "1"));
    return new Image(name, target, labels, Instant.EPOCH, Instant.EPOCH);
  }

  @Test
  void an_image_comes_back_as_it_was_stored() {
    Image stored =
        images.create(image("docker.io/x:1", "m", 5, Map.of("a", "b")), Optional.empty());
    assertThat(images.get("docker.io/x:1")).isEqualTo(stored);
    assertThat(stored.createdAt()).isEqualTo(f.time.now());
    Image dated =
        images.create(image("y", "m", 5, Map.of()), Optional.of(Instant.ofEpochSecond(77)));
    assertThat(images.get("y").createdAt()).isEqualTo(Instant.ofEpochSecond(77));
    assertThat(images.list(Filter.ALL)).containsExactly(stored, dated);
    assertThat(images.list(Filter.parse("annotations.note==1,name==y"))).containsExactly(dated);
    assertThat(images.list(Filter.parse("target.digest==" + digest("target")))).hasSize(2);
    assertThatThrownBy(() -> images.create(image("y", "m", 5, Map.of()), Optional.empty()))
        .isInstanceOf(AlreadyExistsException.class);
  }

  @Test
  void images_without_name_type_or_size_are_refused() {
    for (Image bad :
        List.of(
            image("", "m", 1, Map.of()),
            image("n", "", 1, Map.of()),
            image("n", "m", 0, Map.of()),
            image("n", "m", 1, Map.of("k", "v".repeat(4096))))) {
      assertThatThrownBy(() -> images.create(bad, Optional.empty()))
          .isInstanceOf(InvalidArgumentException.class);
    }
  }

  @Test
  void an_images_fields_change_by_mask() {
    images.create(image("x", "m", 5, Map.of("a", "1")), Optional.empty());
    Descriptor target = new Descriptor("m2", digest("other"), 6, Map.of("note", "2"));
    Image change = new Image("x", target, Map.of("b", "2"), Instant.EPOCH, Instant.EPOCH);
    assertThat(images.update(change, mask("labels.b"), Optional.empty()).labels())
        .isEqualTo(Map.of("a", "1", "b", "2"));
    Image noted = images.update(change, mask("annotations.note"), Optional.empty());
    assertThat(noted.target().annotations()).isEqualTo(Map.of("note", "2"));
    assertThat(noted.target().mediaType()).isEqualTo("m");
    assertThat(images.update(change, mask("target"), Optional.empty()).target()).isEqualTo(target);
    assertThat(images.update(change, FieldMask.ALL, Optional.empty()).labels())
        .isEqualTo(Map.of("b", "2"));
    assertThatThrownBy(() -> images.update(change, mask("name"), Optional.empty()))
        .isInstanceOf(InvalidArgumentException.class);
    assertThatThrownBy(
            () -> images.update(image("no", "m", 1, Map.of()), FieldMask.ALL, Optional.empty()))
        .isInstanceOf(NotFoundException.class);
  }

  @Test
  void an_image_is_deleted_only_while_it_names_the_target() {
    images.create(image("x", "m", 5, Map.of()), Optional.empty());
    Optional<Digest> other = Optional.of(digest("other"));
    assertThatThrownBy(() -> images.delete("x", other, false))
        .isInstanceOf(NotFoundException.class);
    images.delete("x", Optional.of(digest("target")), false);
    assertThatThrownBy(() -> images.delete("x", Optional.empty(), false))
        .isInstanceOf(NotFoundException.class);
  }

  // ---- leases ----

  @Test
  void leases_are_granted_listed_and_ended() {
    Lease named = leases.create("mine", Map.of("a", "b"));
    Lease invented = leases.create("", Map.of());
    assertThat(invented.id()).matches("[0-9]+-[A-Za-z0-9_-]{4}");
    assertThat(leases.list(Filter.parse("id==mine"))).containsExactly(named);
    assertThat(leases.list(Filter.ALL)).hasSize(2);
    assertThatThrownBy(() -> leases.create("mine", Map.of()))
        .isInstanceOf(AlreadyExistsException.class);
    leases.delete("mine", false);
    assertThatThrownBy(() -> leases.delete("mine", false)).isInstanceOf(NotFoundException.class);
  }

  @Test
  void resources_come_and_go_by_type() {
    leases.create("l", Map.of());
    Lease.Resource content = new Lease.Resource(digest("x").toString(), "content");
    Lease.Resource snapshot = new Lease.Resource("key", "snapshots/overlayfs");
    leases.addResource("l", content);
    leases.addResource("l", content);
    leases.addResource("l", snapshot);
    assertThat(leases.listResources("l")).containsExactly(content, snapshot);
    leases.deleteResource("l", content);
    leases.deleteResource("l", content);
    assertThat(leases.listResources("l")).containsExactly(snapshot);
    assertThatThrownBy(() -> leases.addResource("l", new Lease.Resource("x", "content")))
        .isInstanceOf(InvalidArgumentException.class);
    for (String type : List.of("containers", "snapshots", "snapshots/", "snapshots/a/b")) {
      assertThatThrownBy(() -> leases.addResource("l", new Lease.Resource("x", type)))
          .isInstanceOf(NotImplementedException.class);
    }
    assertThatThrownBy(() -> leases.addResource("no", snapshot))
        .isInstanceOf(NotFoundException.class);
    assertThatThrownBy(() -> leases.listResources("no")).isInstanceOf(NotFoundException.class);
  }

  // ---- events ----

  @Test
  void every_change_is_told_in_order_with_containerds_payloads() throws Exception {
    long before = f.store.lastEvent();
    namespaces.create(new Namespace(NS, Map.of()));
    namespaces.update(new Namespace(NS, Map.of("a", "b")), FieldMask.ALL);
    f.in(NS, () -> f.blob("blob"));
    images.create(image("x", "m", 5, Map.of("a", "b")), Optional.empty());
    images.update(image("x", "m", 5, Map.of("c", "d")), FieldMask.ALL, Optional.empty());
    f.in(NS, () -> f.layer("layer", "", Map.of()));
    f.in(NS, () -> f.snapshots().view("view", "layer", Map.of()));
    containers.create(Fixture.containerOf("c", "view", Map.of()));
    containers.update(Fixture.containerOf("c", "view", Map.of()), mask("labels"));
    containers.delete("c");
    Call.in(NS).run(() -> f.snapshots().remove("view"));
    Call.in(NS).run(() -> f.metadata.content().delete(digest("blob")));
    images.delete("x", Optional.empty(), false);
    List<Event.Numbered> told = new ArrayList<>();
    try (EventStream events = f.metadata.events().subscribeAfter(before, _ -> true)) {
      while (told.size() < 13) {
        told.add(events.next(Duration.ofSeconds(50)).orElseThrow());
      }
      assertThat(events.next(Duration.ofMillis(1))).isEmpty();
    }
    assertThat(told)
        .extracting(numbered -> numbered.event().topic())
        .containsExactly(
            "/namespaces/create",
            "/namespaces/update",
            "/content/create",
            "/images/create",
            "/images/update",
            "/snapshot/prepare",
            "/snapshot/commit",
            "/containers/create",
            "/containers/update",
            "/containers/delete",
            "/snapshot/remove",
            "/content/delete",
            "/images/delete");
  }

  @Test
  void payloads_are_messages_of_the_event_api() throws Exception {
    try (EventStream events = f.metadata.events().subscribe(_ -> true)) {
      f.in(NS, () -> f.layer("layer", "", Map.of()));
      images.create(image("x", "m", 5, Map.of()), Optional.empty());
      images.update(image("x", "m", 5, Map.of("c", "d")), FieldMask.ALL, Optional.empty());
      containers.create(Fixture.containerOf("c", "layer", Map.of()));
      TypedValue commit = payload(events, "/snapshot/commit");
      assertThat(commit.typeUrl()).isEqualTo("containerd.events.SnapshotCommit");
      SnapshotCommit committed = SnapshotCommit.parseFrom(commit.value());
      assertThat(committed.getKey()).isEqualTo("extract-layer");
      assertThat(committed.getName()).isEqualTo("layer");
      assertThat(committed.getSnapshotter()).isEqualTo(SN);
      TypedValue update = payload(events, "/images/update");
      assertThat(update.typeUrl()).isEqualTo("containerd.services.images.v1.ImageUpdate");
      assertThat(ImageUpdate.parseFrom(update.value()).getLabelsMap()).isEqualTo(Map.of("c", "d"));
      ContainerCreate created =
          ContainerCreate.parseFrom(payload(events, "/containers/create").value());
      assertThat(created.getId()).isEqualTo("c");
      assertThat(created.getRuntime().getName()).isEqualTo("io.containerd.runc.v2");
    }
  }

  private static TypedValue payload(EventStream events, String topic)
      throws InterruptedException, InvalidProtocolBufferException {
    while (true) {
      Event event = events.next(Duration.ofSeconds(50)).orElseThrow().event();
      if (event.topic().equals(topic)) {
        assertThat(event.namespace()).isEqualTo(NS);
        return event.payload();
      }
    }
  }

  @Test
  void published_events_are_numbered_with_the_others_and_can_be_filtered() throws Exception {
    Event event =
        new Event(f.time.now(), "ns", "/tasks/exit", new TypedValue("t", new byte[] {1, 2}));
    try (EventStream exits = f.metadata.events().subscribe(e -> e.topic().equals("/tasks/exit"))) {
      images.create(image("x", "m", 5, Map.of()), Optional.empty());
      long number = f.metadata.events().publish(event);
      assertThat(exits.next(Duration.ofSeconds(50))).contains(new Event.Numbered(number, event));
    }
    long beyond = f.store.lastEvent() + 10;
    assertThatThrownBy(() -> f.metadata.events().subscribeAfter(beyond, _ -> true))
        .isInstanceOf(OutOfRangeException.class);
  }

  @Test
  void a_failed_change_tells_nothing() {
    images.create(image("x", "m", 5, Map.of()), Optional.empty());
    long before = f.store.lastEvent();
    assertThatThrownBy(() -> images.create(image("x", "m", 5, Map.of()), Optional.empty()))
        .isInstanceOf(AlreadyExistsException.class);
    assertThat(f.store.lastEvent()).isEqualTo(before);
  }
}
