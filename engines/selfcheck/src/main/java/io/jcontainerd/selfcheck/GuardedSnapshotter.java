package io.jcontainerd.selfcheck;

import io.jcontainerd.core.FieldMask;
import io.jcontainerd.core.filter.Filter;
import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.core.snapshots.Prepared;
import io.jcontainerd.core.snapshots.SnapshotInfo;
import io.jcontainerd.core.snapshots.Snapshotter;
import io.jcontainerd.core.snapshots.Usage;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/** A snapshotter behind a {@link MountGate}. */
final class GuardedSnapshotter implements Snapshotter {
  private final String name;
  private final Snapshotter snapshotter;
  private final MountGate gate;

  GuardedSnapshotter(String name, Snapshotter snapshotter, MountGate gate) {
    this.name = name;
    this.snapshotter = snapshotter;
    this.gate = gate;
  }

  @Override
  public Prepared prepare(String key, String parent, Map<String, String> labels) {
    gate.pass(name, snapshotter, parent);
    return snapshotter.prepare(key, parent, labels);
  }

  @Override
  public List<Mount> view(String key, String parent, Map<String, String> labels) {
    gate.pass(name, snapshotter, parent);
    return snapshotter.view(key, parent, labels);
  }

  @Override
  public List<Mount> mounts(String key) {
    gate.pass(name, snapshotter, key);
    return snapshotter.mounts(key);
  }

  @Override
  public void commit(String newName, String key, Map<String, String> labels, String parent) {
    snapshotter.commit(newName, key, labels, parent);
  }

  @Override
  public void remove(String key) {
    snapshotter.remove(key);
    gate.states().clear(new LayerName(name, key));
  }

  @Override
  public SnapshotInfo stat(String key) {
    return snapshotter.stat(key);
  }

  @Override
  public SnapshotInfo update(SnapshotInfo info, FieldMask mask) {
    return snapshotter.update(info, mask);
  }

  @Override
  public void walk(Filter filter, Consumer<SnapshotInfo> each) {
    snapshotter.walk(filter, each);
  }

  @Override
  public Usage usage(String key) {
    return snapshotter.usage(key);
  }

  @Override
  public void cleanup() {
    snapshotter.cleanup();
  }

  @Override
  public void makeDurable() {
    snapshotter.makeDurable();
  }

  @Override
  public Set<String> lost() {
    return snapshotter.lost();
  }

  @Override
  public void forgetLost(Set<String> names) {
    snapshotter.forgetLost(names);
  }

  @Override
  public Set<String> capabilities() {
    return snapshotter.capabilities();
  }

  @Override
  public Map<String, String> exports() {
    return snapshotter.exports();
  }

  @Override
  public void close() {
    snapshotter.close();
  }
}
