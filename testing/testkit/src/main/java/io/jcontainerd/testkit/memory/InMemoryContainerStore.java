package io.jcontainerd.testkit.memory;

import io.jcontainerd.core.FieldMask;
import io.jcontainerd.core.Identifiers;
import io.jcontainerd.core.Labels;
import io.jcontainerd.core.TypedValue;
import io.jcontainerd.core.containers.Container;
import io.jcontainerd.core.containers.ContainerStore;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.filter.Fields;
import io.jcontainerd.core.filter.Filter;
import io.jcontainerd.core.ports.Time;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Containers in memory. Safe for many threads. */
public final class InMemoryContainerStore implements ContainerStore {
  private final Spaces<String, Container> containers = new Spaces<>();
  private final Time time;

  /** An empty store that reads this clock. */
  public InMemoryContainerStore(Time time) {
    this.time = time;
  }

  /** An empty store. */
  public InMemoryContainerStore() {
    this(Time.SYSTEM);
  }

  @Override
  public synchronized Container get(String id) {
    Container container = containers.current().get(id);
    if (container == null) {
      throw new NotFoundException("container \"" + id + "\"");
    }
    return container;
  }

  @Override
  public synchronized List<Container> list(Filter filter) {
    return containers.current().values().stream()
        .filter(container -> filter.matches(fields(container)))
        .toList();
  }

  private static Fields fields(Container container) {
    return path ->
        switch (path.getFirst()) {
          case "id" -> Fields.nonEmpty(container.id());
          case "image" -> Fields.nonEmpty(container.image());
          case "runtime" ->
              path.size() > 1 && path.get(1).equals("name")
                  ? Fields.nonEmpty(container.runtime().name())
                  : Optional.empty();
          case "labels" -> Fields.entry(container.labels(), path);
          default -> Optional.empty();
        };
  }

  @Override
  public synchronized Container create(Container container) {
    Identifiers.check(container.id());
    check(container);
    Instant now = time.now();
    Container stored =
        with(container, Labels.stored(container.labels()), container.extensions(), now, now);
    if (containers.current().putIfAbsent(container.id(), stored) != null) {
      throw new AlreadyExistsException("container \"" + container.id() + "\"");
    }
    return stored;
  }

  private static void check(Container container) {
    if (container.runtime().name().isEmpty()
        || container.spec().isEmpty()
        || container.extensions().containsKey("")
        || (!container.snapshotKey().isEmpty() && container.snapshotter().isEmpty())) {
      throw new InvalidArgumentException(
          "container \"" + container.id() + "\": incomplete or with an empty extension key");
    }
    Labels.check(container.labels());
  }

  @Override
  public synchronized Container update(Container container, FieldMask mask) {
    Container old = get(container.id());
    Map<String, String> labels = old.labels();
    Map<String, TypedValue> extensions = new HashMap<>(old.extensions());
    String image = old.image();
    String snapshotKey = old.snapshotKey();
    Optional<TypedValue> spec = old.spec();
    if (mask.isAll()) {
      if (!container.snapshotter().equals(old.snapshotter())
          || !container.runtime().name().equals(old.runtime().name())) {
        throw new InvalidArgumentException(
            "container \"" + container.id() + "\": snapshotter and runtime cannot change");
      }
      labels = container.labels();
      extensions.putAll(container.extensions());
      image = container.image();
      snapshotKey = container.snapshotKey();
      spec = container.spec();
    }
    for (String path : mask.paths()) {
      if (FieldMask.selects(path, "labels")) {
        labels = FieldMask.patch(path, "labels", labels, container.labels());
      } else if (path.equals("extensions")) {
        extensions.putAll(container.extensions());
      } else if (path.startsWith("extensions.")) {
        String key = path.substring("extensions.".length());
        TypedValue value = container.extensions().get(key);
        if (value != null) {
          extensions.put(key, value);
        }
      } else {
        switch (path) {
          case "spec" -> spec = container.spec();
          case "image" -> image = container.image();
          case "snapshotkey" -> snapshotKey = container.snapshotKey();
          default -> throw FieldMask.refused(path, "container");
        }
      }
    }
    var updated =
        new Container(
            old.id(),
            Labels.stored(labels),
            image,
            old.runtime(),
            spec,
            old.snapshotter(),
            snapshotKey,
            extensions,
            old.sandbox(),
            old.createdAt(),
            time.now());
    check(updated);
    containers.current().put(old.id(), updated);
    return updated;
  }

  private static Container with(
      Container container,
      Map<String, String> labels,
      Map<String, TypedValue> extensions,
      Instant createdAt,
      Instant updatedAt) {
    return new Container(
        container.id(),
        labels,
        container.image(),
        container.runtime(),
        container.spec(),
        container.snapshotter(),
        container.snapshotKey(),
        extensions,
        container.sandbox(),
        createdAt,
        updatedAt);
  }

  @Override
  public synchronized void delete(String id) {
    get(id);
    containers.current().remove(id);
  }
}
