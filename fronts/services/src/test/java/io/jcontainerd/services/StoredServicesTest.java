package io.jcontainerd.services;

import static io.jcontainerd.services.GrpcFailures.assertFails;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.google.protobuf.FieldMask;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.stub.ClientCalls;
import io.jcontainerd.api.services.containers.v1.Container;
import io.jcontainerd.api.services.containers.v1.ContainersGrpc;
import io.jcontainerd.api.services.containers.v1.CreateContainerRequest;
import io.jcontainerd.api.services.containers.v1.DeleteContainerRequest;
import io.jcontainerd.api.services.containers.v1.ListContainersRequest;
import io.jcontainerd.api.services.containers.v1.UpdateContainerRequest;
import io.jcontainerd.api.services.content.v1.ContentGrpc;
import io.jcontainerd.api.services.content.v1.DeleteContentRequest;
import io.jcontainerd.api.services.content.v1.InfoRequest;
import io.jcontainerd.api.services.content.v1.WriteAction;
import io.jcontainerd.api.services.content.v1.WriteContentRequest;
import io.jcontainerd.api.services.content.v1.WriteContentResponse;
import io.jcontainerd.api.services.events.v1.EventsGrpc;
import io.jcontainerd.api.services.events.v1.SubscribeRequest;
import io.jcontainerd.api.services.images.v1.CreateImageRequest;
import io.jcontainerd.api.services.images.v1.DeleteImageRequest;
import io.jcontainerd.api.services.images.v1.Image;
import io.jcontainerd.api.services.images.v1.ImagesGrpc;
import io.jcontainerd.api.services.images.v1.UpdateImageRequest;
import io.jcontainerd.api.services.leases.v1.AddResourceRequest;
import io.jcontainerd.api.services.leases.v1.CreateRequest;
import io.jcontainerd.api.services.leases.v1.DeleteRequest;
import io.jcontainerd.api.services.leases.v1.LeasesGrpc;
import io.jcontainerd.api.services.leases.v1.ListResourcesRequest;
import io.jcontainerd.api.services.leases.v1.Resource;
import io.jcontainerd.api.services.namespaces.v1.CreateNamespaceRequest;
import io.jcontainerd.api.services.namespaces.v1.DeleteNamespaceRequest;
import io.jcontainerd.api.services.namespaces.v1.Namespace;
import io.jcontainerd.api.services.namespaces.v1.NamespacesGrpc;
import io.jcontainerd.api.services.namespaces.v1.UpdateNamespaceRequest;
import io.jcontainerd.api.services.snapshots.v1.CommitSnapshotRequest;
import io.jcontainerd.api.services.snapshots.v1.PrepareSnapshotRequest;
import io.jcontainerd.api.services.snapshots.v1.RemoveSnapshotRequest;
import io.jcontainerd.api.services.snapshots.v1.SnapshotsGrpc;
import io.jcontainerd.api.services.snapshots.v1.ViewSnapshotRequest;
import io.jcontainerd.api.types.Descriptor;
import io.jcontainerd.api.types.Envelope;
import io.jcontainerd.content.LocalContentStore;
import io.jcontainerd.core.Call;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.metadata.GcOptions;
import io.jcontainerd.metadata.MetadataOptions;
import io.jcontainerd.store.Store;
import io.jcontainerd.store.StoreOptions;
import io.jcontainerd.testkit.files.InMemoryFiles;
import io.jcontainerd.testkit.memory.InMemorySnapshotter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The services over the daemon's own metadata and content: what the contract says clients see. */
@Timeout(120)
class StoredServicesTest {
  private static final Any SPEC =
      Any.newBuilder().setTypeUrl("s/Spec").setValue(ByteString.copyFromUtf8("{}")).build();
  private static final byte[] LAYER = "a layer".getBytes(StandardCharsets.UTF_8);
  private static final String DIGEST = Digest.sha256(LAYER).toString();
  private static final Descriptor TARGET =
      Descriptor.newBuilder().setMediaType("m/t").setDigest(DIGEST).setSize(7).build();

  /** The collector would take the unleased snapshots of these tests. */
  private static final GcOptions NOT_BY_ITSELF =
      new GcOptions(0.02, 0, 1_000_000, Duration.ZERO, Duration.ofHours(1));

  @TempDir Path folder;
  private Store store;
  private io.jcontainerd.metadata.Metadata metadata;
  private SocketServer server;

  @BeforeEach
  void serve() throws Exception {
    store =
        Store.open(
            folder.resolve("meta.db"),
            StoreOptions.DEFAULTS,
            List.of(io.jcontainerd.metadata.Metadata.SCHEMA));
    var blobs =
        LocalContentStore.open(Path.of("/content"), new InMemoryFiles(), Time.SYSTEM, "boot");
    metadata =
        io.jcontainerd.metadata.Metadata.open(
            store,
            blobs,
            Map.of("overlayfs", new InMemorySnapshotter()),
            MetadataOptions.DEFAULTS.withGc(NOT_BY_ITSELF));
    server =
        new SocketServer(
            folder,
            List.of(
                Services.namespaces(metadata.namespaces(), Time.SYSTEM),
                Services.containers(metadata.containers(), Time.SYSTEM),
                Services.images(metadata.images(), Time.SYSTEM),
                Services.content(metadata.content(), Time.SYSTEM),
                Services.leases(metadata.leases(), Time.SYSTEM),
                Services.snapshots(metadata.snapshotters(), Time.SYSTEM),
                Services.events(metadata.events(), Time.SYSTEM)));
  }

  @AfterEach
  void close() {
    server.close();
    metadata.close();
    store.close();
  }

  @Test
  void a_container_must_say_what_it_needs() {
    List<UnaryOperator<Container.Builder>> bad =
        List.of(
            c -> c.setId(""),
            c -> c.setId("-x"),
            c -> c.setId("x".repeat(77)),
            Container.Builder::clearRuntime,
            Container.Builder::clearSpec,
            c -> c.setSnapshotKey("k").setSnapshotter(""),
            c -> c.putExtensions("", SPEC),
            c -> c.putLabels("k", "v".repeat(4096)));
    for (UnaryOperator<Container.Builder> change : bad) {
      assertFails(
          () -> create(change.apply(container("c1").toBuilder()).build()),
          Status.Code.INVALID_ARGUMENT,
          "");
    }
    create(container("c1"));
    assertFails(() -> create(container("c1")), Status.Code.ALREADY_EXISTS, ": already exists");
  }

  @Test
  void a_container_changes_only_where_it_may() {
    create(container("c1").toBuilder().setSnapshotter("overlayfs").build());
    for (String path : List.of("id", "created_at", "runtime", "snapshotter", "sandbox", "x")) {
      assertFails(
          () -> update(container("c1"), path), Status.Code.INVALID_ARGUMENT, "invalid argument");
    }
    Container changed =
        update(
            container("c1").toBuilder().setImage("i2").setSnapshotKey("k2").build(),
            "image",
            "snapshotkey");
    assertThat(changed.getImage() + changed.getSnapshotKey()).isEqualTo("i2k2");
    assertThat(changed.getUpdatedAt()).isNotEqualTo(changed.getCreatedAt());
    assertFails(
        () ->
            update(
                container("c1").toBuilder()
                    .setSnapshotter("overlayfs")
                    .setRuntime(Container.Runtime.newBuilder().setName("other"))
                    .build()),
        Status.Code.INVALID_ARGUMENT,
        ": invalid argument");
    assertFails(() -> update(container("missing"), "image"), Status.Code.NOT_FOUND, ": not found");
  }

  @Test
  void an_image_must_be_complete_and_its_labels_are_patched() {
    Image good = Image.newBuilder().setName("n").setTarget(TARGET).putLabels("a", "1").build();
    for (Image bad :
        List.of(
            good.toBuilder().setName("").build(),
            good.toBuilder().setTarget(TARGET.toBuilder().setDigest("sha256:x")).build(),
            good.toBuilder().setTarget(TARGET.toBuilder().setMediaType("")).build(),
            good.toBuilder().setTarget(TARGET.toBuilder().setSize(0)).build())) {
      assertFails(() -> create(bad), Status.Code.INVALID_ARGUMENT, ": invalid argument");
    }
    create(good);
    assertFails(() -> create(good), Status.Code.ALREADY_EXISTS, ": already exists");

    Image emptied =
        images()
            .update(
                UpdateImageRequest.newBuilder()
                    .setImage(
                        Image.newBuilder().setName("n").putLabels("a", "").putLabels("b", "2"))
                    .setUpdateMask(mask("labels.a", "labels.b"))
                    .build())
            .getImage();
    assertThat(emptied.getLabelsMap()).isEqualTo(Map.of("b", "2"));
    assertThat(emptied.getTarget()).isEqualTo(TARGET);
  }

  @Test
  void a_blob_of_one_namespace_needs_no_bytes_in_another() throws Exception {
    ingest("n1", "r1");

    ClientCall<WriteContentRequest, WriteContentResponse> call =
        server.in("n2").newCall(ContentGrpc.getWriteMethod(), SocketServer.patience());
    Queue<WriteContentResponse> answers = new Queue<>();
    call.start(answers, new Metadata());
    call.request(10);
    call.sendMessage(
        WriteContentRequest.newBuilder()
            .setAction(WriteAction.STAT)
            .setRef("r2")
            .setTotal(LAYER.length)
            .setExpected(DIGEST)
            .build());
    assertThat(answers.next().getOffset()).isEqualTo(LAYER.length);
    assertFails(() -> info("n2"), Status.Code.NOT_FOUND, ": not found");
    call.sendMessage(
        WriteContentRequest.newBuilder()
            .setAction(WriteAction.COMMIT)
            .setOffset(LAYER.length)
            .setTotal(LAYER.length)
            .setExpected(DIGEST)
            .build());
    assertThat(answers.next().getDigest()).isEqualTo(DIGEST);
    call.halfClose();

    assertThat(info("n2")).isEqualTo(LAYER.length);
    content("n1").delete(DeleteContentRequest.newBuilder().setDigest(DIGEST).build());
    assertThat(info("n2")).isEqualTo(LAYER.length);
    assertFails(() -> info("n1"), Status.Code.NOT_FOUND, ": not found");
  }

  @Test
  void a_lease_holds_what_is_made_under_it_and_an_unknown_one_fails_the_call() {
    var leases = LeasesGrpc.newBlockingStub(server.in("n1"));
    leases.create(CreateRequest.newBuilder().setId("l1").build());
    SnapshotsGrpc.newBlockingStub(server.as(Call.in("n1").withLease("l1"))).prepare(prepare("k1"));

    assertThat(
            leases
                .listResources(ListResourcesRequest.newBuilder().setId("l1").build())
                .getResourcesList())
        .containsExactly(resource("k1", "snapshots/overlayfs"));
    assertFails(
        () ->
            SnapshotsGrpc.newBlockingStub(server.as(Call.in("n1").withLease("none")))
                .prepare(prepare("k2")),
        Status.Code.NOT_FOUND,
        ": not found");
    assertFails(
        () -> leases.addResource(adding("l1", resource("x", "sockets"))),
        Status.Code.UNIMPLEMENTED,
        ": not implemented");
    assertFails(
        () -> leases.addResource(adding("l1", resource("sha256:x", "content"))),
        Status.Code.INVALID_ARGUMENT,
        ": invalid argument");
    assertFails(
        () -> leases.addResource(adding("none", resource("n", "images"))),
        Status.Code.NOT_FOUND,
        ": not found");
    assertThat(leases.delete(DeleteRequest.newBuilder().setId("l1").setSync(true).build()))
        .isNotNull();
  }

  @Test
  void a_namespace_that_holds_something_stays() {
    var namespaces = NamespacesGrpc.newBlockingStub(server.bare());
    create(Image.newBuilder().setName("n").setTarget(TARGET).build());
    var deletion = DeleteNamespaceRequest.newBuilder().setName("n1").build();

    assertFails(
        () -> namespaces.delete(deletion),
        Status.Code.FAILED_PRECONDITION,
        ": failed precondition");
    images().delete(DeleteImageRequest.newBuilder().setName("n").build());
    assertThat(namespaces.delete(deletion)).isNotNull();
    assertFails(
        () ->
            namespaces.update(
                UpdateNamespaceRequest.newBuilder()
                    .setNamespace(Namespace.newBuilder().setName("n1").putLabels("a", "b"))
                    .setUpdateMask(mask("labels"))
                    .build()),
        Status.Code.INVALID_ARGUMENT,
        ": invalid argument");
  }

  @Test
  void without_a_namespace_nothing_is_found_but_an_error() {
    Channel bare = server.bare();
    assertFails(
        () -> ContainersGrpc.newBlockingStub(bare).list(ListContainersRequest.getDefaultInstance()),
        Status.Code.FAILED_PRECONDITION,
        "namespace is required: failed precondition");
    assertFails(
        () ->
            ContentGrpc.newBlockingStub(bare)
                .info(InfoRequest.newBuilder().setDigest(DIGEST).build()),
        Status.Code.FAILED_PRECONDITION,
        "namespace is required: failed precondition");
    assertFails(
        () -> SnapshotsGrpc.newBlockingStub(bare).prepare(prepare("k")),
        Status.Code.FAILED_PRECONDITION,
        "namespace is required: failed precondition");
    assertFails(
        () ->
            ContainersGrpc.newBlockingStub(server.in("a/b"))
                .list(ListContainersRequest.getDefaultInstance()),
        Status.Code.INVALID_ARGUMENT,
        ": invalid argument");
    assertThat(
            ContainersGrpc.newBlockingStub(server.in("unheard-of"))
                .list(ListContainersRequest.getDefaultInstance())
                .getContainersList())
        .isEmpty();
  }

  @Test
  void every_change_is_told_in_order_with_its_type() throws Exception {
    Queue<Envelope> events = new Queue<>();
    ClientCall<SubscribeRequest, Envelope> subscription =
        server.bare().newCall(EventsGrpc.getSubscribeMethod(), SocketServer.patience());
    subscription.start(events, new Metadata());
    subscription.request(100);
    subscription.sendMessage(SubscribeRequest.newBuilder().addFilters("namespace==n1").build());
    subscription.halfClose();
    assertThat(events.opened.await(60, TimeUnit.SECONDS)).isTrue();

    NamespacesGrpc.newBlockingStub(server.bare())
        .create(
            CreateNamespaceRequest.newBuilder()
                .setNamespace(Namespace.newBuilder().setName("n1"))
                .build());
    ingest("n1", "r");
    create(Image.newBuilder().setName("n").setTarget(TARGET).build());
    var snapshots = SnapshotsGrpc.newBlockingStub(server.in("n1"));
    snapshots.prepare(prepare("k"));
    snapshots.commit(
        CommitSnapshotRequest.newBuilder()
            .setSnapshotter("overlayfs")
            .setKey("k")
            .setName("s")
            .build());
    snapshots.view(
        ViewSnapshotRequest.newBuilder()
            .setSnapshotter("overlayfs")
            .setKey("v")
            .setParent("s")
            .build());
    create(container("c1"));
    update(container("c1"), "labels");
    containers().delete(DeleteContainerRequest.newBuilder().setId("c1").build());
    snapshots.remove(
        RemoveSnapshotRequest.newBuilder().setSnapshotter("overlayfs").setKey("v").build());
    images().delete(DeleteImageRequest.newBuilder().setName("n").build());
    content("n1").delete(DeleteContentRequest.newBuilder().setDigest(DIGEST).build());

    List<String> seen = new ArrayList<>();
    for (int i = 0; i < 11; i++) {
      Envelope envelope = events.next();
      assertThat(envelope.getNamespace()).isEqualTo("n1");
      seen.add(envelope.getTopic() + " " + envelope.getEvent().getTypeUrl());
    }
    assertThat(seen)
        .containsExactly(
            "/namespaces/create containerd.events.NamespaceCreate",
            "/content/create containerd.events.ContentCreate",
            "/images/create containerd.services.images.v1.ImageCreate",
            "/snapshot/prepare containerd.events.SnapshotPrepare",
            "/snapshot/commit containerd.events.SnapshotCommit",
            "/containers/create containerd.events.ContainerCreate",
            "/containers/update containerd.events.ContainerUpdate",
            "/containers/delete containerd.events.ContainerDelete",
            "/snapshot/remove containerd.events.SnapshotRemove",
            "/images/delete containerd.services.images.v1.ImageDelete",
            "/content/delete containerd.events.ContentDelete");
    subscription.cancel("seen enough", null);
  }

  private void ingest(String namespace, String ref) {
    var answers =
        ClientCalls.blockingServerStreamingCall(
            server.in(namespace).newCall(ContentGrpc.getWriteMethod(), SocketServer.patience()),
            WriteContentRequest.newBuilder()
                .setAction(WriteAction.COMMIT)
                .setRef(ref)
                .setData(ByteString.copyFrom(LAYER))
                .setExpected(DIGEST)
                .build());
    assertThat(answers.next().getDigest()).isEqualTo(DIGEST);
    answers.forEachRemaining(again -> assertThat(again.getDigest()).isEqualTo(DIGEST));
  }

  private long info(String namespace) {
    return content(namespace)
        .info(InfoRequest.newBuilder().setDigest(DIGEST).build())
        .getInfo()
        .getSize();
  }

  private ContentGrpc.ContentBlockingStub content(String namespace) {
    return ContentGrpc.newBlockingStub(server.in(namespace));
  }

  private ContainersGrpc.ContainersBlockingStub containers() {
    return ContainersGrpc.newBlockingStub(server.in("n1"));
  }

  private ImagesGrpc.ImagesBlockingStub images() {
    return ImagesGrpc.newBlockingStub(server.in("n1"));
  }

  private Container create(Container container) {
    return containers()
        .create(CreateContainerRequest.newBuilder().setContainer(container).build())
        .getContainer();
  }

  private Container update(Container container, String... paths) {
    return containers()
        .update(
            UpdateContainerRequest.newBuilder()
                .setContainer(container)
                .setUpdateMask(mask(paths))
                .build())
        .getContainer();
  }

  private Image create(Image image) {
    return images().create(CreateImageRequest.newBuilder().setImage(image).build()).getImage();
  }

  private static Container container(String id) {
    return Container.newBuilder()
        .setId(id)
        .setRuntime(Container.Runtime.newBuilder().setName("io.containerd.runc.v2"))
        .setSpec(SPEC)
        .build();
  }

  private static PrepareSnapshotRequest prepare(String key) {
    return PrepareSnapshotRequest.newBuilder().setSnapshotter("overlayfs").setKey(key).build();
  }

  private static Resource resource(String id, String type) {
    return Resource.newBuilder().setId(id).setType(type).build();
  }

  private static AddResourceRequest adding(String lease, Resource resource) {
    return AddResourceRequest.newBuilder().setId(lease).setResource(resource).build();
  }

  private static FieldMask mask(String... paths) {
    return FieldMask.newBuilder().addAllPaths(List.of(paths)).build();
  }

  /** What a stream brings. */
  private static final class Queue<A> extends ClientCall.Listener<A> {
    final CountDownLatch opened = new CountDownLatch(1);
    private final LinkedBlockingQueue<A> messages = new LinkedBlockingQueue<>();

    A next() throws InterruptedException {
      return Optional.ofNullable(messages.poll(60, TimeUnit.SECONDS)).orElseThrow();
    }

    @Override
    public void onHeaders(Metadata headers) {
      opened.countDown();
    }

    @Override
    public void onMessage(A message) {
      messages.add(message);
    }
  }
}
