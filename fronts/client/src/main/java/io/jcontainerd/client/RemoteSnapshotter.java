package io.jcontainerd.client;

import io.jcontainerd.api.services.snapshots.v1.CleanupRequest;
import io.jcontainerd.api.services.snapshots.v1.CommitSnapshotRequest;
import io.jcontainerd.api.services.snapshots.v1.ListSnapshotsRequest;
import io.jcontainerd.api.services.snapshots.v1.MountsRequest;
import io.jcontainerd.api.services.snapshots.v1.PrepareSnapshotRequest;
import io.jcontainerd.api.services.snapshots.v1.RemoveSnapshotRequest;
import io.jcontainerd.api.services.snapshots.v1.SnapshotsGrpc;
import io.jcontainerd.api.services.snapshots.v1.SnapshotsGrpc.SnapshotsBlockingV2Stub;
import io.jcontainerd.api.services.snapshots.v1.StatSnapshotRequest;
import io.jcontainerd.api.services.snapshots.v1.UpdateSnapshotRequest;
import io.jcontainerd.api.services.snapshots.v1.UsageRequest;
import io.jcontainerd.api.services.snapshots.v1.ViewSnapshotRequest;
import io.jcontainerd.core.FieldMask;
import io.jcontainerd.core.Labels;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.filter.Filter;
import io.jcontainerd.core.introspection.Introspection;
import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.core.snapshots.Prepared;
import io.jcontainerd.core.snapshots.SnapshotInfo;
import io.jcontainerd.core.snapshots.SnapshotKind;
import io.jcontainerd.core.snapshots.Snapshotter;
import io.jcontainerd.core.snapshots.Usage;
import io.jcontainerd.wire.Masks;
import io.jcontainerd.wire.Snapshots;
import io.jcontainerd.wire.Types;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/** One of the daemon's snapshotters. Safe for many threads; closing does nothing. */
public final class RemoteSnapshotter implements Snapshotter {
  private static final String TYPE = "io.containerd.snapshotter.v1";

  private final Connection connection;
  private final String name;
  private final SnapshotsBlockingV2Stub stub;
  private final Duration stall;
  private final RemoteIntrospection introspection;
  private final Optional<Told> told;

  /** What is known of the snapshotter without asking. */
  private record Told(Set<String> capabilities, Map<String, String> exports) {}

  RemoteSnapshotter(Connection connection, String name) {
    this(connection, name, Optional.empty());
  }

  private RemoteSnapshotter(Connection connection, String name, Optional<Told> told) {
    this.connection = connection;
    this.told = told;
    this.name = name;
    this.stub = SnapshotsGrpc.newBlockingV2Stub(connection.channel());
    this.stall = connection.stall();
    this.introspection = new RemoteIntrospection(connection);
  }

  /** The same snapshotter, of which these facts are told without asking it. */
  public RemoteSnapshotter telling(Set<String> capabilities, Map<String, String> exports) {
    var facts = new Told(Set.copyOf(capabilities), Map.copyOf(exports));
    return new RemoteSnapshotter(connection, name, Optional.of(facts));
  }

  /** The snapshotter's name, such as {@code overlayfs}. */
  public String name() {
    return name;
  }

  @Override
  public Prepared prepare(String key, String parent, Map<String, String> labels) {
    PrepareSnapshotRequest request =
        PrepareSnapshotRequest.newBuilder()
            .setSnapshotter(name)
            .setKey(key)
            .setParent(parent)
            .putAllLabels(labels)
            .build();
    try {
      return new Prepared.Writable(
          Types.mountsToCore(Connection.send(() -> stub.prepare(request)).getMountsList()));
    } catch (AlreadyExistsException e) {
      String target = labels.getOrDefault(Labels.SNAPSHOT_REF, "");
      if (!target.isEmpty() && find(target).isPresent()) {
        return new Prepared.AlreadyThere(target);
      }
      throw e;
    }
  }

  @Override
  public List<Mount> view(String key, String parent, Map<String, String> labels) {
    ViewSnapshotRequest request =
        ViewSnapshotRequest.newBuilder()
            .setSnapshotter(name)
            .setKey(key)
            .setParent(parent)
            .putAllLabels(labels)
            .build();
    return Types.mountsToCore(Connection.send(() -> stub.view(request)).getMountsList());
  }

  @Override
  public List<Mount> mounts(String key) {
    MountsRequest request = MountsRequest.newBuilder().setSnapshotter(name).setKey(key).build();
    return Types.mountsToCore(Connection.send(() -> stub.mounts(request)).getMountsList());
  }

  @Override
  public void commit(String committed, String key, Map<String, String> labels, String parent) {
    CommitSnapshotRequest request =
        CommitSnapshotRequest.newBuilder()
            .setSnapshotter(name)
            .setName(committed)
            .setKey(key)
            .setParent(parent)
            .putAllLabels(labels)
            .build();
    Connection.send(() -> stub.commit(request));
  }

  @Override
  public void remove(String key) {
    RemoveSnapshotRequest request =
        RemoveSnapshotRequest.newBuilder().setSnapshotter(name).setKey(key).build();
    Connection.send(() -> stub.remove(request));
  }

  /** The snapshot, if there is one of that key or name. */
  public Optional<SnapshotInfo> find(String key) {
    try {
      return Optional.of(stat(key));
    } catch (NotFoundException _) {
      return Optional.empty();
    }
  }

  @Override
  public SnapshotInfo stat(String key) {
    StatSnapshotRequest request =
        StatSnapshotRequest.newBuilder().setSnapshotter(name).setKey(key).build();
    return Snapshots.toCore(Connection.send(() -> stub.stat(request)).getInfo());
  }

  @Override
  public SnapshotInfo update(SnapshotInfo info, FieldMask mask) {
    UpdateSnapshotRequest.Builder request =
        UpdateSnapshotRequest.newBuilder().setSnapshotter(name).setInfo(Snapshots.toApi(info));
    if (!mask.isAll()) {
      request.setUpdateMask(Masks.toApi(mask));
    }
    return Snapshots.toCore(Connection.send(() -> stub.update(request.build())).getInfo());
  }

  @Override
  public void walk(Filter filter, Consumer<SnapshotInfo> each) {
    list(
        List.of(),
        info -> {
          if (filter.matches(RecordFields.of(info))) {
            each.accept(info);
          }
        });
  }

  /** Shows every snapshot that one of the filters matches; the daemon filters. */
  public void list(List<String> filters, Consumer<SnapshotInfo> each) {
    ListSnapshotsRequest request =
        ListSnapshotsRequest.newBuilder().setSnapshotter(name).addAllFilters(filters).build();
    new Replies<>(stub.list(request), stall)
        .each(reply -> reply.getInfoList().forEach(i -> each.accept(Snapshots.toCore(i))));
  }

  @Override
  public Usage usage(String key) {
    UsageRequest request = UsageRequest.newBuilder().setSnapshotter(name).setKey(key).build();
    return Snapshots.toCore(Connection.send(() -> stub.usage(request)));
  }

  @Override
  public void cleanup() {
    CleanupRequest request = CleanupRequest.newBuilder().setSnapshotter(name).build();
    Connection.send(() -> stub.cleanup(request));
  }

  @Override
  public Set<String> capabilities() {
    return told.map(Told::capabilities).orElseGet(() -> Set.copyOf(plugin().capabilities()));
  }

  @Override
  public Map<String, String> exports() {
    return told.map(Told::exports).orElseGet(() -> plugin().exports());
  }

  private Introspection.Plugin plugin() {
    return introspection.plugins(List.of("type==" + TYPE + ",id==" + name)).stream()
        .findFirst()
        .orElseThrow(() -> new NotFoundException("snapshotter " + name));
  }

  /** Whether the snapshot is committed under the name. */
  boolean isCommitted(String committed) {
    return find(committed).filter(i -> i.kind() == SnapshotKind.COMMITTED).isPresent();
  }

  @Override
  public void close() {}
}
