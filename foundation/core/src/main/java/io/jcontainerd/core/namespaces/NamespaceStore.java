package io.jcontainerd.core.namespaces;

import io.jcontainerd.core.FieldMask;
import java.util.List;
import java.util.Map;

/**
 * Namespaces and their labels. Namespaces also come into being by the first write into them. Safe
 * for many threads.
 */
public interface NamespaceStore {
  /**
   * A namespace.
   *
   * @param name an identifier
   * @param labels free text by key
   */
  record Namespace(String name, Map<String, String> labels) {
    /** Copies the labels. */
    public Namespace {
      labels = Map.copyOf(labels);
    }
  }

  /** The namespace; one without labels if it does not exist. */
  Namespace get(String name);

  /** All of them, in order of name. */
  List<Namespace> list();

  /**
   * Makes a namespace.
   *
   * @throws io.jcontainerd.core.failure.AlreadyExistsException if it exists
   */
  Namespace create(Namespace namespace);

  /** Changes labels, making the namespace if need be. Paths are {@code labels.KEY} only. */
  Namespace update(Namespace namespace, FieldMask mask);

  /**
   * Removes an empty namespace.
   *
   * @throws io.jcontainerd.core.failure.NotFoundException if it does not exist
   * @throws io.jcontainerd.core.failure.FailedPreconditionException if images, blobs, containers or
   *     snapshots are left, with a list of them
   */
  void delete(String name);
}
