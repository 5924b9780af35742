package io.jcontainerd.services;

import com.google.protobuf.Empty;
import io.grpc.ServerServiceDefinition;
import io.jcontainerd.api.services.snapshots.v1.CleanupRequest;
import io.jcontainerd.api.services.snapshots.v1.CommitSnapshotRequest;
import io.jcontainerd.api.services.snapshots.v1.Info;
import io.jcontainerd.api.services.snapshots.v1.ListSnapshotsRequest;
import io.jcontainerd.api.services.snapshots.v1.ListSnapshotsResponse;
import io.jcontainerd.api.services.snapshots.v1.MountsRequest;
import io.jcontainerd.api.services.snapshots.v1.MountsResponse;
import io.jcontainerd.api.services.snapshots.v1.PrepareSnapshotRequest;
import io.jcontainerd.api.services.snapshots.v1.PrepareSnapshotResponse;
import io.jcontainerd.api.services.snapshots.v1.RemoveSnapshotRequest;
import io.jcontainerd.api.services.snapshots.v1.SnapshotsGrpc;
import io.jcontainerd.api.services.snapshots.v1.StatSnapshotRequest;
import io.jcontainerd.api.services.snapshots.v1.StatSnapshotResponse;
import io.jcontainerd.api.services.snapshots.v1.UpdateSnapshotRequest;
import io.jcontainerd.api.services.snapshots.v1.UpdateSnapshotResponse;
import io.jcontainerd.api.services.snapshots.v1.UsageRequest;
import io.jcontainerd.api.services.snapshots.v1.UsageResponse;
import io.jcontainerd.api.services.snapshots.v1.ViewSnapshotRequest;
import io.jcontainerd.api.services.snapshots.v1.ViewSnapshotResponse;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.filter.Filter;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.core.snapshots.Prepared;
import io.jcontainerd.core.snapshots.Snapshotter;
import io.jcontainerd.services.rpc.Endpoint;
import io.jcontainerd.services.rpc.Sink;
import io.jcontainerd.wire.Masks;
import io.jcontainerd.wire.Snapshots;
import io.jcontainerd.wire.Types;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** {@code containerd.services.snapshots.v1.Snapshots}, in front of every snapshotter by name. */
final class SnapshotsService {
  private final Map<String, Snapshotter> snapshotters;

  SnapshotsService(Map<String, Snapshotter> snapshotters) {
    this.snapshotters = Map.copyOf(snapshotters);
  }

  ServerServiceDefinition define(Time time) {
    return new Endpoint(SnapshotsGrpc.getServiceDescriptor(), time)
        .unary(SnapshotsGrpc.getPrepareMethod(), this::prepare)
        .unary(SnapshotsGrpc.getViewMethod(), this::view)
        .unary(SnapshotsGrpc.getMountsMethod(), this::mounts)
        .unary(SnapshotsGrpc.getCommitMethod(), this::commit)
        .unary(SnapshotsGrpc.getRemoveMethod(), this::remove)
        .unary(SnapshotsGrpc.getStatMethod(), this::stat)
        .unary(SnapshotsGrpc.getUpdateMethod(), this::update)
        .serverStream(SnapshotsGrpc.getListMethod(), this::list)
        .unary(SnapshotsGrpc.getUsageMethod(), this::usage)
        .unary(SnapshotsGrpc.getCleanupMethod(), this::cleanup)
        .build();
  }

  private PrepareSnapshotResponse prepare(PrepareSnapshotRequest request) {
    Prepared prepared =
        named(request.getSnapshotter())
            .prepare(request.getKey(), request.getParent(), request.getLabelsMap());
    return switch (prepared) {
      case Prepared.Writable(var mounts) ->
          PrepareSnapshotResponse.newBuilder().addAllMounts(Types.mountsToApi(mounts)).build();
      case Prepared.AlreadyThere(var name) ->
          throw new AlreadyExistsException("target snapshot \"" + name + "\"");
    };
  }

  private ViewSnapshotResponse view(ViewSnapshotRequest request) {
    var mounts =
        named(request.getSnapshotter())
            .view(request.getKey(), request.getParent(), request.getLabelsMap());
    return ViewSnapshotResponse.newBuilder().addAllMounts(Types.mountsToApi(mounts)).build();
  }

  private MountsResponse mounts(MountsRequest request) {
    var mounts = named(request.getSnapshotter()).mounts(request.getKey());
    return MountsResponse.newBuilder().addAllMounts(Types.mountsToApi(mounts)).build();
  }

  private Empty commit(CommitSnapshotRequest request) {
    named(request.getSnapshotter())
        .commit(request.getName(), request.getKey(), request.getLabelsMap(), request.getParent());
    return Empty.getDefaultInstance();
  }

  private Empty remove(RemoveSnapshotRequest request) {
    named(request.getSnapshotter()).remove(request.getKey());
    return Empty.getDefaultInstance();
  }

  private StatSnapshotResponse stat(StatSnapshotRequest request) {
    return StatSnapshotResponse.newBuilder()
        .setInfo(Snapshots.toApi(named(request.getSnapshotter()).stat(request.getKey())))
        .build();
  }

  private UpdateSnapshotResponse update(UpdateSnapshotRequest request) {
    var info =
        named(request.getSnapshotter())
            .update(
                Snapshots.updateToCore(request.getInfo()), Masks.toCore(request.getUpdateMask()));
    return UpdateSnapshotResponse.newBuilder().setInfo(Snapshots.toApi(info)).build();
  }

  private void list(ListSnapshotsRequest request, Sink<ListSnapshotsResponse> answers)
      throws InterruptedException {
    List<Info> found = new ArrayList<>();
    named(request.getSnapshotter())
        .walk(Filter.any(request.getFiltersList()), info -> found.add(Snapshots.toApi(info)));
    Blocks.send(
        found, block -> ListSnapshotsResponse.newBuilder().addAllInfo(block).build(), answers);
  }

  private UsageResponse usage(UsageRequest request) {
    return Snapshots.toApi(named(request.getSnapshotter()).usage(request.getKey()));
  }

  private Empty cleanup(CleanupRequest request) {
    named(request.getSnapshotter()).cleanup();
    return Empty.getDefaultInstance();
  }

  private Snapshotter named(String name) {
    if (name.isEmpty()) {
      throw new InvalidArgumentException("snapshotter argument missing");
    }
    Snapshotter snapshotter = snapshotters.get(name);
    if (snapshotter == null) {
      throw new InvalidArgumentException("snapshotter not loaded: " + name);
    }
    return snapshotter;
  }
}
