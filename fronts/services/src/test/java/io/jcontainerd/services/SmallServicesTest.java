package io.jcontainerd.services;

import static io.jcontainerd.services.GrpcFailures.assertFails;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Empty;
import com.google.protobuf.Timestamp;
import io.grpc.CallOptions;
import io.grpc.MethodDescriptor;
import io.grpc.ServerServiceDefinition;
import io.grpc.ServiceDescriptor;
import io.grpc.Status;
import io.grpc.stub.ClientCalls;
import io.jcontainerd.api.services.diff.v1.ApplyRequest;
import io.jcontainerd.api.services.diff.v1.DiffGrpc;
import io.jcontainerd.api.services.diff.v1.DiffRequest;
import io.jcontainerd.api.services.introspection.v1.IntrospectionGrpc;
import io.jcontainerd.api.services.introspection.v1.Plugin;
import io.jcontainerd.api.services.introspection.v1.PluginInfoRequest;
import io.jcontainerd.api.services.introspection.v1.PluginsRequest;
import io.jcontainerd.api.services.mounts.v1.MountsGrpc;
import io.jcontainerd.api.services.sandbox.v1.ControllerGrpc;
import io.jcontainerd.api.services.sandbox.v1.StoreGrpc;
import io.jcontainerd.api.services.streaming.v1.StreamingGrpc;
import io.jcontainerd.api.services.transfer.v1.TransferGrpc;
import io.jcontainerd.api.services.version.v1.VersionGrpc;
import io.jcontainerd.api.types.RuntimeInfo;
import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.Platform;
import io.jcontainerd.core.TypedValue;
import io.jcontainerd.core.diff.Applier;
import io.jcontainerd.core.diff.Comparer;
import io.jcontainerd.core.failure.DataLossException;
import io.jcontainerd.core.failure.NotImplementedException;
import io.jcontainerd.core.introspection.Introspection;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.testkit.memory.InMemoryContainerStore;
import io.jcontainerd.testkit.memory.InMemoryContentStore;
import io.jcontainerd.testkit.memory.InMemoryImageStore;
import io.jcontainerd.testkit.memory.InMemoryLeaseStore;
import io.jcontainerd.testkit.memory.InMemoryNamespaceStore;
import io.jcontainerd.wire.TypedValues;
import io.jcontainerd.wire.Types;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
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

/** Version, introspection, diff, and the services that have no engine. */
@Timeout(120)
class SmallServicesTest {
  private static final Descriptor LAYER =
      new Descriptor("a/b", Digest.sha256("l".getBytes(StandardCharsets.UTF_8)), 1);
  private static final Descriptor RESULT =
      new Descriptor("c/d", Digest.sha256("r".getBytes(StandardCharsets.UTF_8)), 2);

  @TempDir Path folder;
  private final List<Applier.Options> applied = new ArrayList<>();
  private final List<Comparer.Options> compared = new ArrayList<>();
  private List<Applier> appliers = List.of();
  private List<ServerServiceDefinition> services = List.of();
  private SocketServer server;

  @BeforeEach
  void serve() throws Exception {
    appliers =
        List.of(
            (layer, _, _) -> {
              throw new NotImplementedException("media type " + layer.mediaType());
            },
            (_, _, options) -> {
              applied.add(options);
              return RESULT;
            });
    Comparer comparer =
        (_, _, options) -> {
          compared.add(options);
          if (options.mediaType().equals("broken")) {
            throw new DataLossException("tree");
          }
          return RESULT;
        };
    services =
        Services.all(
            new Engines(
                "2.3.4+jcontainerd",
                "abc",
                new Told(),
                new InMemoryNamespaceStore(),
                new InMemoryContainerStore(),
                new InMemoryContentStore(),
                new InMemoryImageStore(),
                new InMemoryLeaseStore(),
                Map.of(),
                appliers,
                List.of(comparer, comparer),
                true,
                new MemoryExchange(),
                new ScriptedRuntime(),
                folder.resolve("temp"),
                Time.SYSTEM));
    server = new SocketServer(folder, services);
  }

  @AfterEach
  void close() {
    server.close();
  }

  @Test
  void every_service_of_the_daemon_is_registered() {
    assertThat(services)
        .extracting(service -> service.getServiceDescriptor().getName())
        .containsExactlyInAnyOrder(
            "containerd.services.version.v1.Version",
            "containerd.services.introspection.v1.Introspection",
            "containerd.services.namespaces.v1.Namespaces",
            "containerd.services.containers.v1.Containers",
            "containerd.services.content.v1.Content",
            "containerd.services.images.v1.Images",
            "containerd.services.leases.v1.Leases",
            "containerd.services.snapshots.v1.Snapshots",
            "containerd.services.diff.v1.Diff",
            "containerd.services.events.v1.Events",
            "containerd.services.tasks.v1.Tasks",
            "containerd.services.transfer.v1.Transfer",
            "containerd.services.streaming.v1.Streaming",
            "containerd.services.sandbox.v1.Store",
            "containerd.services.sandbox.v1.Controller",
            "containerd.services.mounts.v1.Mounts");
  }

  @Test
  void a_service_without_engine_answers_unimplemented_to_every_method() {
    int methods = 0;
    for (ServiceDescriptor service :
        List.of(
            TransferGrpc.getServiceDescriptor(),
            StreamingGrpc.getServiceDescriptor(),
            StoreGrpc.getServiceDescriptor(),
            ControllerGrpc.getServiceDescriptor(),
            MountsGrpc.getServiceDescriptor())) {
      for (MethodDescriptor<?, ?> method : service.getMethods()) {
        assertFails(() -> callEmpty(method), Status.Code.UNIMPLEMENTED, ": not implemented");
        methods++;
      }
    }
    assertThat(methods).isEqualTo(21);
  }

  @Test
  void the_version_is_told() {
    var version = VersionGrpc.newBlockingStub(server.bare()).version(Empty.getDefaultInstance());

    assertThat(version.getVersion()).isEqualTo("2.3.4+jcontainerd");
    assertThat(version.getRevision()).isEqualTo("abc");
  }

  @Test
  void plugins_are_told_in_order_and_by_filter() {
    assertThat(plugins()).containsExactly("overlayfs", "task", "zfs");
    assertThat(plugins("type==io.containerd.runtime.v1", "type==io.containerd.runtime.v2"))
        .containsExactly("task");
    assertThat(plugins("type~=^io.containerd.snapshotter")).containsExactly("overlayfs", "zfs");
    assertThat(plugins("id==restart")).isEmpty();
  }

  @Test
  void the_server_and_a_plugin_tell_more() {
    var introspection = IntrospectionGrpc.newBlockingStub(server.bare());

    var told = introspection.server(Empty.getDefaultInstance());
    assertThat(told.getUuid()).isEqualTo("u-u");
    assertThat(told.getPid()).isEqualTo(7);
    assertThat(told.getPidns()).isEqualTo(8);
    assertThat(told.getDeprecationsList()).hasSize(1);

    var info =
        introspection.pluginInfo(
            PluginInfoRequest.newBuilder()
                .setType("io.containerd.runtime.v2")
                .setId("task")
                .build());
    assertThat(info.getPlugin().getId()).isEqualTo("task");
    assertThat(info.getExtra().getTypeUrl()).isEqualTo("containerd.types.RuntimeInfo");
    assertFails(
        () ->
            introspection.pluginInfo(
                PluginInfoRequest.newBuilder().setType("t").setId("none").build()),
        Status.Code.NOT_FOUND,
        "plugin t.none: not found");
    assertFails(
        () ->
            introspection.pluginInfo(
                PluginInfoRequest.newBuilder()
                    .setType("io.containerd.snapshotter.v1")
                    .setId("zfs")
                    .build()),
        Status.Code.UNIMPLEMENTED,
        ": not implemented");
  }

  @Test
  void the_next_differ_is_asked_only_when_one_does_not_know_how() {
    var diff = DiffGrpc.newBlockingStub(server.in("default"));

    var response = diff.apply(ApplyRequest.newBuilder().setDiff(Types.toApi(LAYER)).build());

    assertThat(Types.toCore(response.getApplied())).isEqualTo(RESULT);
    assertThat(applied).hasSize(1);
    assertThat(applied.getFirst().syncFs()).as("the daemon's setting").isTrue();
    assertFails(
        () -> diff.diff(DiffRequest.newBuilder().setMediaType("broken").build()),
        Status.Code.DATA_LOSS,
        "tree: data loss");
    assertThat(compared).as("a real failure is not tried again").hasSize(1);
    diff.diff(
        DiffRequest.newBuilder()
            .setRef("r")
            .putLabels("a", "b")
            .setSourceDateEpoch(Timestamp.newBuilder().setSeconds(9))
            .build());
    assertThat(compared.getLast())
        .isEqualTo(
            new Comparer.Options("", "r", Map.of("a", "b"), Optional.of(Instant.ofEpochSecond(9))));
  }

  @Test
  void no_differ_at_all_is_unimplemented_and_a_bad_digest_invalid() throws Exception {
    Path other = folder.resolve("o");
    Files.createDirectory(other);
    try (SocketServer bare =
        new SocketServer(
            other,
            List.of(Services.diff(List.of(appliers.getFirst()), List.of(), false, Time.SYSTEM)))) {
      var diff = DiffGrpc.newBlockingStub(bare.in("default"));
      assertFails(
          () -> diff.apply(ApplyRequest.newBuilder().setDiff(Types.toApi(LAYER)).build()),
          Status.Code.UNIMPLEMENTED,
          ": not implemented");
      assertFails(
          () -> diff.diff(DiffRequest.getDefaultInstance()),
          Status.Code.UNIMPLEMENTED,
          ": not implemented");
      assertFails(
          () -> diff.apply(ApplyRequest.getDefaultInstance()),
          Status.Code.INVALID_ARGUMENT,
          ": invalid argument");
    }
  }

  private List<String> plugins(String... filters) {
    return IntrospectionGrpc.newBlockingStub(server.bare())
        .plugins(PluginsRequest.newBuilder().addAllFilters(List.of(filters)).build())
        .getPluginsList()
        .stream()
        .map(Plugin::getId)
        .toList();
  }

  private <Q, A> void callEmpty(MethodDescriptor<Q, A> method) {
    Q request = method.parseRequest(InputStream.nullInputStream());
    CallOptions options = SocketServer.patience();
    if (method.getType() == MethodDescriptor.MethodType.UNARY) {
      ClientCalls.blockingUnaryCall(server.in("default"), method, options, request);
    } else {
      var _ =
          ClientCalls.blockingServerStreamingCall(
                  server.in("default").newCall(method, options), request)
              .hasNext();
    }
  }

  /** Three plug-ins, of which one failed and one has something to tell. */
  private static final class Told implements Introspection {
    @Override
    public List<Introspection.Plugin> plugins() {
      return List.of(
          plugin("io.containerd.snapshotter.v1", "overlayfs", Optional.empty()),
          plugin("io.containerd.runtime.v2", "task", Optional.empty()),
          plugin(
              "io.containerd.snapshotter.v1",
              "zfs",
              Optional.of(new Failure(12, "skip plugin: no pool"))));
    }

    private static Introspection.Plugin plugin(String type, String id, Optional<Failure> failure) {
      return new Introspection.Plugin(
          type,
          id,
          List.of(),
          List.of(new Platform("linux", "amd64", "")),
          Map.of(),
          List.of(),
          failure);
    }

    @Override
    public Server server() {
      return new Server("u-u", 7, 8, List.of(new Deprecation("d", "m", Instant.EPOCH)));
    }

    @Override
    public TypedValue info(String type, String id, Optional<TypedValue> options) {
      if (!id.equals("task")) {
        throw new NotImplementedException("information of " + type + "." + id);
      }
      return TypedValues.pack(RuntimeInfo.getDefaultInstance());
    }
  }
}
