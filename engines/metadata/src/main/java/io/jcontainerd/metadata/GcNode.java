package io.jcontainerd.metadata;

/**
 * A thing in the graph of the garbage collector, which may not exist.
 *
 * @param kind what it is
 * @param namespace whose it is
 * @param key a digest, name, id or ref; for a snapshot {@code SNAPSHOTTER/KEY}
 */
record GcNode(GcNode.Kind kind, String namespace, String key) {
  /** What a node is; the flat kinds are kept without what their labels refer to. */
  enum Kind {
    CONTENT,
    SNAPSHOT,
    IMAGE,
    CONTAINER,
    LEASE,
    INGEST,
    MOUNT,
    FLAT_CONTENT,
    FLAT_SNAPSHOT,
    FLAT_IMAGE
  }

  static GcNode snapshot(String namespace, String snapshotter, String key) {
    return new GcNode(Kind.SNAPSHOT, namespace, snapshotter + "/" + key);
  }

  /** Whether the kind tells flat from full. */
  boolean hasFlat() {
    return switch (kind) {
      case CONTENT, SNAPSHOT, IMAGE -> true;
      case CONTAINER, LEASE, INGEST, MOUNT, FLAT_CONTENT, FLAT_SNAPSHOT, FLAT_IMAGE -> false;
    };
  }

  /** There are very many, and few that share a key. */
  @Override
  public int hashCode() {
    return key.hashCode();
  }

  GcNode flat() {
    return switch (kind) {
      case CONTENT -> new GcNode(Kind.FLAT_CONTENT, namespace, key);
      case SNAPSHOT -> new GcNode(Kind.FLAT_SNAPSHOT, namespace, key);
      case IMAGE -> new GcNode(Kind.FLAT_IMAGE, namespace, key);
      case CONTAINER, LEASE, INGEST, MOUNT, FLAT_CONTENT, FLAT_SNAPSHOT, FLAT_IMAGE -> this;
    };
  }

  /** The same, reached with all that its labels refer to. */
  GcNode full() {
    return switch (kind) {
      case FLAT_CONTENT -> new GcNode(Kind.CONTENT, namespace, key);
      case FLAT_SNAPSHOT -> new GcNode(Kind.SNAPSHOT, namespace, key);
      case FLAT_IMAGE -> new GcNode(Kind.IMAGE, namespace, key);
      case CONTENT, SNAPSHOT, IMAGE, CONTAINER, LEASE, INGEST, MOUNT -> this;
    };
  }

  /** Of a snapshot: whose it is. */
  String snapshotter() {
    return key.substring(0, key.indexOf('/'));
  }

  /** Of a snapshot: its own key. */
  String snapshotKey() {
    return key.substring(key.indexOf('/') + 1);
  }
}
