package io.jcontainerd.testkit.memory;

import io.jcontainerd.core.FieldMask;
import io.jcontainerd.core.Labels;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.filter.Fields;
import io.jcontainerd.core.filter.Filter;
import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.core.snapshots.Prepared;
import io.jcontainerd.core.snapshots.SnapshotInfo;
import io.jcontainerd.core.snapshots.SnapshotKind;
import io.jcontainerd.core.snapshots.Snapshotter;
import io.jcontainerd.core.snapshots.Usage;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;

/** The records of snapshots in memory; the mounts name folders that do not exist. */
public final class InMemorySnapshotter implements Snapshotter {
  private final Spaces<String, SnapshotInfo> spaces = new Spaces<>();
  private final Time time;

  /** An empty snapshotter that reads this clock. */
  public InMemorySnapshotter(Time time) {
    this.time = time;
  }

  /** An empty snapshotter. */
  public InMemorySnapshotter() {
    this(Time.SYSTEM);
  }

  @Override
  public synchronized Prepared prepare(String key, String parent, Map<String, String> labels) {
    String target = labels.getOrDefault(Labels.SNAPSHOT_REF, "");
    SnapshotInfo there = spaces.current().get(target);
    if (there != null && there.kind() == SnapshotKind.COMMITTED) {
      return new Prepared.AlreadyThere(target);
    }
    return new Prepared.Writable(create(SnapshotKind.ACTIVE, key, parent, labels));
  }

  @Override
  public synchronized List<Mount> view(String key, String parent, Map<String, String> labels) {
    return create(SnapshotKind.VIEW, key, parent, labels);
  }

  private List<Mount> create(
      SnapshotKind kind, String key, String parent, Map<String, String> labels) {
    if (key.isEmpty()) {
      throw new InvalidArgumentException("snapshot key must not be empty");
    }
    checkFree(key);
    checkParent(parent);
    Instant now = time.now();
    Map<String, String> kept = Labels.stored(labels);
    spaces.current().put(key, new SnapshotInfo(kind, key, parent, kept, now, now));
    return mounts(key);
  }

  private void checkFree(String key) {
    if (spaces.current().containsKey(key)) {
      throw new AlreadyExistsException("snapshot " + key);
    }
  }

  private void checkParent(String parent) {
    if (!parent.isEmpty() && stat(parent).kind() != SnapshotKind.COMMITTED) {
      throw new FailedPreconditionException("parent snapshot " + parent + " is not committed");
    }
  }

  @Override
  public synchronized List<Mount> mounts(String key) {
    SnapshotInfo info = stat(key);
    String mode =
        switch (info.kind()) {
          case ACTIVE -> "rw";
          case VIEW -> "ro";
          case COMMITTED ->
              throw new FailedPreconditionException("snapshot " + key + " is committed");
        };
    return List.of(new Mount("bind", "/in-memory/" + key, List.of(mode, "rbind")));
  }

  @Override
  public synchronized void commit(
      String name, String key, Map<String, String> labels, String parent) {
    if (name.isEmpty()) {
      throw new InvalidArgumentException("snapshot name must not be empty");
    }
    Labels.check(labels);
    SnapshotInfo info = stat(key);
    if (info.kind() != SnapshotKind.ACTIVE) {
      throw new FailedPreconditionException("snapshot " + key + " is not active");
    }
    checkFree(name);
    checkParent(parent);
    if (!parent.isEmpty() && !info.parent().isEmpty() && !info.parent().equals(parent)) {
      throw new FailedPreconditionException(
          "snapshot %s stands on %s, not on %s".formatted(key, info.parent(), parent));
    }
    var merged = new HashMap<>(info.labels());
    merged.putAll(Labels.stored(labels));
    spaces.current().remove(key);
    Instant now = time.now();
    spaces
        .current()
        .put(
            name,
            new SnapshotInfo(
                SnapshotKind.COMMITTED,
                name,
                parent.isEmpty() ? info.parent() : parent,
                merged,
                now,
                now));
  }

  @Override
  public synchronized void remove(String key) {
    stat(key);
    if (spaces.current().values().stream().anyMatch(info -> info.parent().equals(key))) {
      throw new FailedPreconditionException("snapshot " + key + " has children");
    }
    spaces.current().remove(key);
  }

  @Override
  public synchronized SnapshotInfo stat(String key) {
    SnapshotInfo info = spaces.current().get(key);
    if (info == null) {
      throw new NotFoundException("snapshot " + key);
    }
    return info;
  }

  @Override
  public synchronized SnapshotInfo update(SnapshotInfo info, FieldMask mask) {
    SnapshotInfo old = stat(info.name());
    var labels = Masks.labels(mask, "snapshot", old.labels(), info.labels());
    var updated =
        new SnapshotInfo(old.kind(), old.name(), old.parent(), labels, old.createdAt(), time.now());
    spaces.current().put(old.name(), updated);
    return updated;
  }

  @Override
  public void walk(Filter filter, Consumer<SnapshotInfo> each) {
    List<SnapshotInfo> all;
    synchronized (this) {
      all = List.copyOf(new TreeMap<>(spaces.current()).values());
    }
    all.stream().filter(info -> filter.matches(fields(info))).forEach(each);
  }

  private static Fields fields(SnapshotInfo info) {
    return path ->
        switch (path.getFirst()) {
          case "kind" -> Optional.of(info.kind().name().toLowerCase(java.util.Locale.ROOT));
          case "name" -> Optional.of(info.name());
          case "parent" -> Optional.of(info.parent());
          case "labels" -> Fields.entry(info.labels(), path);
          default -> Optional.empty();
        };
  }

  @Override
  public synchronized Usage usage(String key) {
    stat(key);
    return new Usage(0, 1);
  }

  @Override
  public void cleanup() {}

  @Override
  public Set<String> capabilities() {
    return Set.of("rebase");
  }

  @Override
  public Map<String, String> exports() {
    return Map.of("root", "/in-memory");
  }

  @Override
  public void close() {}
}
