package io.jcontainerd.core.tasks;

/** Where a process is in its life; names and numbers as in {@code containerd.v1.types.Status}. */
public enum TaskStatus {
  UNKNOWN,
  CREATED,
  RUNNING,
  STOPPED,
  PAUSED,
  PAUSING
}
