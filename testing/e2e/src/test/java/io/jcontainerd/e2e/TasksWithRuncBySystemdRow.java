package io.jcontainerd.e2e;

import io.jcontainerd.testkit.tasks.TaskSubject;

/** Our daemon and shim host, with runc and control groups that systemd makes. */
class TasksWithRuncBySystemdRow extends TaskMatrix {
  TasksWithRuncBySystemdRow() {
    super("", OURS, "runc", TaskSubject.Groups.SYSTEMD);
  }
}
