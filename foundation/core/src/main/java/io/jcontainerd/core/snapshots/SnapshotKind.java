package io.jcontainerd.core.snapshots;

/** What a snapshot can be used for. */
public enum SnapshotKind {
  /** Mounted read-only; never a parent. */
  VIEW,
  /** Mounted read-write; never a parent. */
  ACTIVE,
  /** Immutable; may be a parent. */
  COMMITTED
}
