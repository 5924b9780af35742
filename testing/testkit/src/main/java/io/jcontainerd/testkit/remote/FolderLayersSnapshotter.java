package io.jcontainerd.testkit.remote;

import io.jcontainerd.core.FieldMask;
import io.jcontainerd.core.Labels;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.filter.Filter;
import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.core.snapshots.Prepared;
import io.jcontainerd.core.snapshots.SnapshotInfo;
import io.jcontainerd.core.snapshots.Snapshotter;
import io.jcontainerd.core.snapshots.Usage;
import io.jcontainerd.testkit.memory.InMemorySnapshotter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;

/**
 * A snapshotter that fetches layers by itself: those that are in a folder, each a folder named by
 * the layer's diff id ({@code sha256-…}). Asked to prepare a snapshot for one of them, it commits
 * it at once, under the name that the label {@link Labels#SNAPSHOT_REF} has, and says that it is
 * already there, so that nobody downloads or unpacks it. Everything else it lets be unpacked. Its
 * mounts are those folders, seen through. Safe for many threads.
 */
public final class FolderLayersSnapshotter implements Snapshotter {
  private final Path layers;
  private final InMemorySnapshotter records;
  private final boolean rebases;

  /** The labels with which snapshots were prepared, in order. */
  private final List<Map<String, String>> prepared = new CopyOnWriteArrayList<>();

  /**
   * A snapshotter over a folder of layers.
   *
   * @param rebases whether snapshots can be put on a parent when they are committed
   */
  public FolderLayersSnapshotter(Path layers, Time time, boolean rebases) {
    this.layers = layers;
    this.records = new InMemorySnapshotter(time);
    this.rebases = rebases;
  }

  /** Where the layer with that diff id has to be for the snapshotter to have it. */
  public Path folder(String diffId) {
    return layers.resolve(diffId.replace(':', '-'));
  }

  /** The labels with which snapshots were prepared, in order. */
  public List<Map<String, String>> preparedWith() {
    return List.copyOf(prepared);
  }

  @Override
  public Prepared prepare(String key, String parent, Map<String, String> labels) {
    prepared.add(Map.copyOf(labels));
    Prepared usual = records.prepare(key, parent, labels);
    String target = labels.getOrDefault(Labels.SNAPSHOT_REF, "");
    String diffId = labels.getOrDefault(Labels.DIFF_ID, "");
    if (usual instanceof Prepared.AlreadyThere
        || target.isEmpty()
        || diffId.isEmpty()
        || !Files.isDirectory(folder(diffId))) {
      return usual;
    }
    try {
      records.commit(target, key, labels, "");
    } catch (AlreadyExistsException _) {
      records.remove(key); // another was quicker
    } catch (ContainerdException e) {
      records.remove(key);
      throw e;
    }
    return new Prepared.AlreadyThere(target);
  }

  @Override
  public List<Mount> view(String key, String parent, Map<String, String> labels) {
    List<Mount> _ = records.view(key, parent, labels);
    return mounts(key);
  }

  /** The folders of the layers below, nearest first; what was unpacked here has none. */
  @Override
  public List<Mount> mounts(String key) {
    List<Mount> own = records.mounts(key);
    List<String> lowers = new ArrayList<>();
    String at = records.stat(key).parent();
    while (!at.isEmpty()) {
      SnapshotInfo info = records.stat(at);
      lowers.add(folder(info.labels().getOrDefault(Labels.DIFF_ID, "none")).toString());
      at = info.parent();
    }
    return lowers.isEmpty()
        ? own
        : List.of(new Mount("overlay", "overlay", List.of("lowerdir=" + String.join(":", lowers))));
  }

  @Override
  public void commit(String name, String key, Map<String, String> labels, String parent) {
    Map<String, String> kept = new HashMap<>(records.stat(key).labels());
    kept.putAll(labels);
    records.commit(name, key, kept, parent);
  }

  @Override
  public void remove(String key) {
    records.remove(key);
  }

  @Override
  public SnapshotInfo stat(String key) {
    return records.stat(key);
  }

  @Override
  public SnapshotInfo update(SnapshotInfo info, FieldMask mask) {
    return records.update(info, mask);
  }

  @Override
  public void walk(Filter filter, Consumer<SnapshotInfo> each) {
    records.walk(filter, each);
  }

  @Override
  public Usage usage(String key) {
    return records.usage(key);
  }

  @Override
  public void cleanup() {}

  @Override
  public Set<String> capabilities() {
    Set<String> all = new HashSet<>(records.capabilities());
    if (!rebases) {
      all.remove("rebase");
    }
    return Set.copyOf(all);
  }

  @Override
  public Map<String, String> exports() {
    return Map.of("root", layers.toString(), "enable_remote_snapshot_annotations", "true");
  }

  @Override
  public void close() {
    records.close();
  }
}
