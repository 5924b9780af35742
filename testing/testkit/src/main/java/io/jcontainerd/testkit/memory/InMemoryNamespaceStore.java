package io.jcontainerd.testkit.memory;

import io.jcontainerd.core.FieldMask;
import io.jcontainerd.core.Identifiers;
import io.jcontainerd.core.Labels;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.namespaces.NamespaceStore;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Namespaces in memory, all of them empty. Safe for many threads. */
public final class InMemoryNamespaceStore implements NamespaceStore {
  private final TreeMap<String, Namespace> namespaces = new TreeMap<>();

  /** An empty store. */
  public InMemoryNamespaceStore() {}

  @Override
  public synchronized Namespace get(String name) {
    Namespace there = namespaces.get(name);
    return there == null ? new Namespace(name, Map.of()) : there;
  }

  @Override
  public synchronized List<Namespace> list() {
    return List.copyOf(namespaces.values());
  }

  @Override
  public synchronized Namespace create(Namespace namespace) {
    Identifiers.check(namespace.name());
    Labels.check(namespace.labels());
    if (namespaces.putIfAbsent(namespace.name(), namespace) != null) {
      throw new AlreadyExistsException("namespace \"" + namespace.name() + "\"");
    }
    return namespace;
  }

  @Override
  public synchronized Namespace update(Namespace namespace, FieldMask mask) {
    Map<String, String> labels = get(namespace.name()).labels();
    if (mask.isAll()) {
      labels = namespace.labels();
    }
    for (String path : mask.paths()) {
      if (!path.startsWith("labels.")) {
        throw FieldMask.refused(path, "namespace");
      }
      labels = FieldMask.patch(path, "labels", labels, namespace.labels());
    }
    var updated = new Namespace(namespace.name(), Labels.check(labels));
    namespaces.put(namespace.name(), updated);
    return updated;
  }

  @Override
  public synchronized void delete(String name) {
    if (namespaces.remove(name) == null) {
      throw new NotFoundException("namespace \"" + name + "\"");
    }
  }
}
