package io.jcontainerd.services;

import static io.jcontainerd.services.GrpcFailures.assertFails;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.google.protobuf.FieldMask;
import com.google.protobuf.Timestamp;
import io.grpc.Status;
import io.jcontainerd.api.services.containers.v1.Container;
import io.jcontainerd.api.services.containers.v1.ContainersGrpc;
import io.jcontainerd.api.services.containers.v1.CreateContainerRequest;
import io.jcontainerd.api.services.containers.v1.DeleteContainerRequest;
import io.jcontainerd.api.services.containers.v1.GetContainerRequest;
import io.jcontainerd.api.services.containers.v1.ListContainersRequest;
import io.jcontainerd.api.services.containers.v1.UpdateContainerRequest;
import io.jcontainerd.api.services.images.v1.CreateImageRequest;
import io.jcontainerd.api.services.images.v1.DeleteImageRequest;
import io.jcontainerd.api.services.images.v1.GetImageRequest;
import io.jcontainerd.api.services.images.v1.Image;
import io.jcontainerd.api.services.images.v1.ImagesGrpc;
import io.jcontainerd.api.services.images.v1.ListImagesRequest;
import io.jcontainerd.api.services.images.v1.UpdateImageRequest;
import io.jcontainerd.api.services.leases.v1.AddResourceRequest;
import io.jcontainerd.api.services.leases.v1.CreateRequest;
import io.jcontainerd.api.services.leases.v1.DeleteRequest;
import io.jcontainerd.api.services.leases.v1.DeleteResourceRequest;
import io.jcontainerd.api.services.leases.v1.LeasesGrpc;
import io.jcontainerd.api.services.leases.v1.ListRequest;
import io.jcontainerd.api.services.leases.v1.ListResourcesRequest;
import io.jcontainerd.api.services.leases.v1.Resource;
import io.jcontainerd.api.services.namespaces.v1.CreateNamespaceRequest;
import io.jcontainerd.api.services.namespaces.v1.DeleteNamespaceRequest;
import io.jcontainerd.api.services.namespaces.v1.GetNamespaceRequest;
import io.jcontainerd.api.services.namespaces.v1.ListNamespacesRequest;
import io.jcontainerd.api.services.namespaces.v1.Namespace;
import io.jcontainerd.api.services.namespaces.v1.NamespacesGrpc;
import io.jcontainerd.api.services.namespaces.v1.UpdateNamespaceRequest;
import io.jcontainerd.api.services.snapshots.v1.CommitSnapshotRequest;
import io.jcontainerd.api.services.snapshots.v1.Info;
import io.jcontainerd.api.services.snapshots.v1.Kind;
import io.jcontainerd.api.services.snapshots.v1.ListSnapshotsRequest;
import io.jcontainerd.api.services.snapshots.v1.MountsRequest;
import io.jcontainerd.api.services.snapshots.v1.PrepareSnapshotRequest;
import io.jcontainerd.api.services.snapshots.v1.RemoveSnapshotRequest;
import io.jcontainerd.api.services.snapshots.v1.SnapshotsGrpc;
import io.jcontainerd.api.services.snapshots.v1.StatSnapshotRequest;
import io.jcontainerd.api.services.snapshots.v1.UpdateSnapshotRequest;
import io.jcontainerd.api.services.snapshots.v1.UsageRequest;
import io.jcontainerd.api.services.snapshots.v1.ViewSnapshotRequest;
import io.jcontainerd.api.types.Descriptor;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.testkit.memory.InMemoryContainerStore;
import io.jcontainerd.testkit.memory.InMemoryImageStore;
import io.jcontainerd.testkit.memory.InMemoryLeaseStore;
import io.jcontainerd.testkit.memory.InMemoryNamespaceStore;
import io.jcontainerd.testkit.memory.InMemorySnapshotter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The services that keep records: what a client sends arrives, and what is kept comes back. */
@Timeout(120)
class StoreServicesTest {
  private static final Any SPEC =
      Any.newBuilder()
          .setTypeUrl("types.containerd.io/opencontainers/runtime-spec/1/Spec")
          .setValue(ByteString.copyFromUtf8("{\"ociVersion\": \"1.0.2\",  \"x\": 1}"))
          .build();
  private static final Descriptor TARGET =
      Descriptor.newBuilder()
          .setMediaType("application/vnd.oci.image.index.v1+json")
          .setDigest(Digest.sha256("index".getBytes(StandardCharsets.UTF_8)).toString())
          .setSize(5)
          .putAnnotations("k", "v")
          .build();

  @TempDir Path folder;
  private SocketServer server;

  @BeforeEach
  void serve() throws Exception {
    server =
        new SocketServer(
            folder,
            List.of(
                Services.containers(new InMemoryContainerStore(), Time.SYSTEM),
                Services.images(new InMemoryImageStore(), Time.SYSTEM),
                Services.namespaces(new InMemoryNamespaceStore(), Time.SYSTEM),
                Services.leases(new InMemoryLeaseStore(), Time.SYSTEM),
                Services.snapshots(Map.of("overlayfs", new InMemorySnapshotter()), Time.SYSTEM)));
  }

  @AfterEach
  void close() {
    server.close();
  }

  @Test
  void a_container_is_kept_with_every_byte_of_its_spec() {
    var containers = containers("default");
    Container sent = container("c1");

    Container created = create(containers, sent);

    assertThat(created.toBuilder().clearCreatedAt().clearUpdatedAt().build()).isEqualTo(sent);
    assertThat(created.getCreatedAt().getSeconds()).isPositive();
    assertThat(containers.get(GetContainerRequest.newBuilder().setId("c1").build()).getContainer())
        .isEqualTo(created);
    assertFails(() -> create(containers, sent), Status.Code.ALREADY_EXISTS, ": already exists");
    assertFails(
        () -> containers("other").get(GetContainerRequest.newBuilder().setId("c1").build()),
        Status.Code.NOT_FOUND,
        ": not found");
  }

  @Test
  void containers_are_listed_and_streamed_by_filter() {
    var containers = containers("default");
    create(containers, container("a"));
    create(containers, container("b").toBuilder().putLabels("nerdctl/name", "web").build());
    var filtered =
        ListContainersRequest.newBuilder().addFilters("labels.\"nerdctl/name\"==web").build();

    assertThat(containers.list(ListContainersRequest.getDefaultInstance()).getContainersList())
        .extracting(Container::getId)
        .containsExactly("a", "b");
    assertThat(containers.list(filtered).getContainersList())
        .extracting(Container::getId)
        .containsExactly("b");
    List<String> streamed = new ArrayList<>();
    containers
        .listStream(ListContainersRequest.getDefaultInstance())
        .forEachRemaining(message -> streamed.add(message.getContainer().getId()));
    assertThat(streamed).containsExactly("a", "b");
    assertFails(
        () -> containers.list(ListContainersRequest.newBuilder().addFilters("id==\"").build()),
        Status.Code.INVALID_ARGUMENT,
        ": invalid argument");
  }

  @Test
  void a_container_changes_by_mask_and_goes() {
    var containers = containers("default");
    create(containers, container("c1"));

    Container updated =
        containers
            .update(
                UpdateContainerRequest.newBuilder()
                    .setContainer(
                        Container.newBuilder()
                            .setId("c1")
                            .setImage("ignored")
                            .putLabels("x.y", "1"))
                    .setUpdateMask(FieldMask.newBuilder().addPaths("labels.x.y"))
                    .build())
            .getContainer();

    assertThat(updated.getImage()).isEqualTo("img");
    assertThat(updated.getLabelsMap()).isEqualTo(Map.of("l", "1", "x.y", "1"));
    assertFails(
        () ->
            containers.update(
                UpdateContainerRequest.newBuilder()
                    .setContainer(Container.newBuilder().setId("c1"))
                    .setUpdateMask(FieldMask.newBuilder().addPaths("runtime"))
                    .build()),
        Status.Code.INVALID_ARGUMENT,
        ": invalid argument");
    var deletion = DeleteContainerRequest.newBuilder().setId("c1").build();
    assertThat(containers.delete(deletion)).isNotNull();
    assertFails(() -> containers.delete(deletion), Status.Code.NOT_FOUND, ": not found");
  }

  @Test
  void an_image_keeps_its_annotations_and_takes_a_source_date() {
    var images = images();
    Image sent = Image.newBuilder().setName("n").setTarget(TARGET).putLabels("a", "1").build();

    Image created =
        images
            .create(
                CreateImageRequest.newBuilder()
                    .setImage(sent)
                    .setSourceDateEpoch(Timestamp.newBuilder().setSeconds(1_000))
                    .build())
            .getImage();

    assertThat(created.getTarget()).isEqualTo(TARGET);
    assertThat(created.getCreatedAt().getSeconds()).isEqualTo(1_000);
    assertThat(images.get(GetImageRequest.newBuilder().setName("n").build()).getImage())
        .isEqualTo(created);
    assertThat(
            images
                .list(ListImagesRequest.newBuilder().addFilters("name~=^n$").build())
                .getImagesList())
        .containsExactly(created);
    assertFails(
        () ->
            images.create(
                CreateImageRequest.newBuilder()
                    .setImage(sent.toBuilder().setName("m").clearTarget())
                    .build()),
        Status.Code.INVALID_ARGUMENT,
        ": invalid argument");
  }

  @Test
  void an_image_is_labelled_without_its_target_being_sent() {
    var images = images();
    images.create(
        CreateImageRequest.newBuilder()
            .setImage(Image.newBuilder().setName("n").setTarget(TARGET))
            .build());
    Image bare = Image.newBuilder().setName("n").putLabels("a", "2").build();

    Image updated =
        images
            .update(
                UpdateImageRequest.newBuilder()
                    .setImage(bare)
                    .setUpdateMask(FieldMask.newBuilder().addPaths("labels"))
                    .build())
            .getImage();

    assertThat(updated.getTarget()).isEqualTo(TARGET);
    assertThat(updated.getLabelsMap()).isEqualTo(Map.of("a", "2"));
    assertFails(
        () -> images.update(UpdateImageRequest.newBuilder().setImage(bare).build()),
        Status.Code.INVALID_ARGUMENT,
        ": invalid argument");
    assertFails(
        () ->
            images.update(
                UpdateImageRequest.newBuilder()
                    .setImage(bare.toBuilder().setName("missing"))
                    .setUpdateMask(FieldMask.newBuilder().addPaths("labels"))
                    .build()),
        Status.Code.NOT_FOUND,
        ": not found");
  }

  @Test
  void an_image_goes_only_while_it_names_the_given_target() {
    var images = images();
    images.create(
        CreateImageRequest.newBuilder()
            .setImage(Image.newBuilder().setName("n").setTarget(TARGET))
            .build());
    Descriptor other =
        TARGET.toBuilder()
            .setDigest(Digest.sha256("other".getBytes(StandardCharsets.UTF_8)).toString())
            .build();

    assertFails(
        () -> images.delete(DeleteImageRequest.newBuilder().setName("n").setTarget(other).build()),
        Status.Code.NOT_FOUND,
        ": not found");
    assertThat(
            images.delete(
                DeleteImageRequest.newBuilder()
                    .setName("n")
                    .setSync(true)
                    .setTarget(TARGET)
                    .build()))
        .isNotNull();
  }

  @Test
  void namespaces_need_no_header_and_an_unknown_one_has_no_labels() {
    var namespaces =
        NamespacesGrpc.newBlockingStub(server.bare()).withDeadlineAfter(100, TimeUnit.SECONDS);
    Namespace sent = Namespace.newBuilder().setName("n").putLabels("a", "1").build();

    assertThat(
            namespaces
                .create(CreateNamespaceRequest.newBuilder().setNamespace(sent).build())
                .getNamespace())
        .isEqualTo(sent);
    assertThat(namespaces.get(GetNamespaceRequest.newBuilder().setName("x").build()).getNamespace())
        .isEqualTo(Namespace.newBuilder().setName("x").build());
    assertThat(
            namespaces
                .update(
                    UpdateNamespaceRequest.newBuilder()
                        .setNamespace(sent.toBuilder().putLabels("b", "2"))
                        .setUpdateMask(FieldMask.newBuilder().addPaths("labels.b"))
                        .build())
                .getNamespace()
                .getLabelsMap())
        .isEqualTo(Map.of("a", "1", "b", "2"));
    assertThat(namespaces.list(ListNamespacesRequest.getDefaultInstance()).getNamespacesList())
        .extracting(Namespace::getName)
        .contains("n");
    var deletion = DeleteNamespaceRequest.newBuilder().setName("n").build();
    assertThat(namespaces.delete(deletion)).isNotNull();
    assertFails(() -> namespaces.delete(deletion), Status.Code.NOT_FOUND, ": not found");
  }

  @Test
  void leases_hold_and_let_go() {
    var leases =
        LeasesGrpc.newBlockingStub(server.in("default")).withDeadlineAfter(100, TimeUnit.SECONDS);
    Resource resource = Resource.newBuilder().setId("k").setType("snapshots/overlayfs").build();

    String id =
        leases
            .create(CreateRequest.newBuilder().putLabels("containerd.io/gc.flat", "1").build())
            .getLease()
            .getId();
    leases.addResource(AddResourceRequest.newBuilder().setId(id).setResource(resource).build());

    assertThat(id).isNotEmpty();
    assertThat(
            leases
                .list(ListRequest.newBuilder().addFilters("id==\"" + id + "\"").build())
                .getLeasesList())
        .hasSize(1);
    var held = ListResourcesRequest.newBuilder().setId(id).build();
    assertThat(leases.listResources(held).getResourcesList()).containsExactly(resource);
    leases.deleteResource(
        DeleteResourceRequest.newBuilder().setId(id).setResource(resource).build());
    assertThat(leases.listResources(held).getResourcesList()).isEmpty();
    leases.delete(DeleteRequest.newBuilder().setId(id).setSync(true).build());
    assertFails(() -> leases.listResources(held), Status.Code.NOT_FOUND, ": not found");
  }

  @Test
  void a_snapshot_goes_through_its_life() {
    var snapshots = snapshots();
    snapshots.prepare(
        PrepareSnapshotRequest.newBuilder().setSnapshotter("overlayfs").setKey("k").build());
    assertThat(
            snapshots
                .mounts(MountsRequest.newBuilder().setSnapshotter("overlayfs").setKey("k").build())
                .getMountsList())
        .isNotEmpty();
    snapshots.commit(
        CommitSnapshotRequest.newBuilder()
            .setSnapshotter("overlayfs")
            .setKey("k")
            .setName("n")
            .putLabels("a", "1")
            .build());

    Info info =
        snapshots
            .stat(StatSnapshotRequest.newBuilder().setSnapshotter("overlayfs").setKey("n").build())
            .getInfo();
    assertThat(info.getKind()).isEqualTo(Kind.COMMITTED);
    assertThat(
            snapshots
                .view(
                    ViewSnapshotRequest.newBuilder()
                        .setSnapshotter("overlayfs")
                        .setKey("v")
                        .setParent("n")
                        .build())
                .getMountsList())
        .isNotEmpty();
    assertThat(
            snapshots
                .update(
                    UpdateSnapshotRequest.newBuilder()
                        .setSnapshotter("overlayfs")
                        .setInfo(Info.newBuilder().setName("n").putLabels("b", "2"))
                        .setUpdateMask(FieldMask.newBuilder().addPaths("labels.b"))
                        .build())
                .getInfo()
                .getLabelsMap())
        .containsEntry("b", "2");
    assertThat(
            snapshots.usage(
                UsageRequest.newBuilder().setSnapshotter("overlayfs").setKey("n").build()))
        .isNotNull();
    var removal =
        RemoveSnapshotRequest.newBuilder().setSnapshotter("overlayfs").setKey("n").build();
    assertFails(
        () -> snapshots.remove(removal), Status.Code.FAILED_PRECONDITION, ": failed precondition");
  }

  @Test
  void snapshots_come_in_blocks_of_one_hundred() {
    var snapshots = snapshots();
    for (int i = 0; i < 101; i++) {
      snapshots.prepare(
          PrepareSnapshotRequest.newBuilder().setSnapshotter("overlayfs").setKey("k" + i).build());
    }

    List<Integer> sizes = new ArrayList<>();
    snapshots
        .list(ListSnapshotsRequest.newBuilder().setSnapshotter("overlayfs").build())
        .forEachRemaining(block -> sizes.add(block.getInfoCount()));

    assertThat(sizes).containsExactly(100, 1);
  }

  @Test
  void a_snapshotter_must_be_named_and_known() {
    for (String name : List.of("", "zfs")) {
      assertFails(
          () ->
              snapshots()
                  .prepare(
                      PrepareSnapshotRequest.newBuilder().setSnapshotter(name).setKey("k").build()),
          Status.Code.INVALID_ARGUMENT,
          ": invalid argument");
    }
  }

  private static Container create(
      ContainersGrpc.ContainersBlockingStub containers, Container container) {
    return containers
        .create(CreateContainerRequest.newBuilder().setContainer(container).build())
        .getContainer();
  }

  private static Container container(String id) {
    return Container.newBuilder()
        .setId(id)
        .setImage("img")
        .putLabels("l", "1")
        .setRuntime(
            Container.Runtime.newBuilder().setName("io.containerd.runc.v2").setOptions(SPEC))
        .setSpec(SPEC)
        .setSnapshotter("overlayfs")
        .setSnapshotKey(id)
        .putExtensions("e", SPEC)
        .build();
  }

  private ContainersGrpc.ContainersBlockingStub containers(String namespace) {
    return ContainersGrpc.newBlockingStub(server.in(namespace))
        .withDeadlineAfter(100, TimeUnit.SECONDS);
  }

  private ImagesGrpc.ImagesBlockingStub images() {
    return ImagesGrpc.newBlockingStub(server.in("default"))
        .withDeadlineAfter(100, TimeUnit.SECONDS);
  }

  private SnapshotsGrpc.SnapshotsBlockingStub snapshots() {
    return SnapshotsGrpc.newBlockingStub(server.in("default"))
        .withDeadlineAfter(100, TimeUnit.SECONDS);
  }
}
