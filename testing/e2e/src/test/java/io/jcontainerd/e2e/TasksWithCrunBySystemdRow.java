package io.jcontainerd.e2e;

import io.jcontainerd.testkit.tasks.TaskSubject;

/** Our daemon and shim host, with crun and control groups that systemd makes. */
class TasksWithCrunBySystemdRow extends TaskMatrix {
  TasksWithCrunBySystemdRow() {
    super("", OURS, "crun", TaskSubject.Groups.SYSTEMD);
  }
}
