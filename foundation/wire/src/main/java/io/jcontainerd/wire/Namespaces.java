package io.jcontainerd.wire;

import io.jcontainerd.core.namespaces.NamespaceStore;

/** Namespaces and their message. */
public final class Namespaces {
  private Namespaces() {}

  /** A namespace as a message. */
  public static io.jcontainerd.api.services.namespaces.v1.Namespace toApi(
      NamespaceStore.Namespace namespace) {
    return io.jcontainerd.api.services.namespaces.v1.Namespace.newBuilder()
        .setName(namespace.name())
        .putAllLabels(namespace.labels())
        .build();
  }

  /** A message as a namespace. */
  public static NamespaceStore.Namespace toCore(
      io.jcontainerd.api.services.namespaces.v1.Namespace message) {
    return new NamespaceStore.Namespace(message.getName(), message.getLabelsMap());
  }
}
