package io.jcontainerd.shim;

/** Where a process is in its life, in the words of {@code containerd.v1.types.Status}. */
enum Phase {
  /** Made but not begun; an exec has no process at all yet. */
  CREATED,
  /** Begun. */
  RUNNING,
  /** Being frozen. */
  PAUSING,
  /** Frozen. */
  PAUSED,
  /** Ended, its exit status kept. */
  STOPPED
}
