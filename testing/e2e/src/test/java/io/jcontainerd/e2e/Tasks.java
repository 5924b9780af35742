package io.jcontainerd.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Tasks as {@code ctr} shows them. */
final class Tasks {
  private Tasks() {}

  static long pid(Ctr ctr, String id) {
    Matcher line = line(ctr, id);
    assertThat(line.find()).as("task %s is listed", id).isTrue();
    return Long.parseLong(line.group(1));
  }

  /** Whether it runs, and not as the process of that number. */
  static boolean runsAnew(Ctr ctr, String id, long before) {
    Matcher line = line(ctr, id);
    return line.find()
        && line.group(2).equals("RUNNING")
        && Long.parseLong(line.group(1)) != before;
  }

  /** {@code RUNNING}, {@code STOPPED} and so on; empty if there is no such task. */
  static String status(Ctr ctr, String id) {
    Matcher line = line(ctr, id);
    return line.find() ? line.group(2) : "";
  }

  private static Matcher line(Ctr ctr, String id) {
    return Pattern.compile("(?m)^" + Pattern.quote(id) + " +(\\d+) +([A-Z]+)")
        .matcher(ctr.ok("tasks", "ls").out());
  }

  static void awaitStatus(Ctr ctr, String id, String status) {
    Await.until(id + " is " + status, () -> status(ctr, id).equals(status));
  }

  /** Kills the task if it runs, and removes it and its container. */
  static void remove(Ctr ctr, String id) {
    if (!status(ctr, id).equals("STOPPED")) {
      ctr.ok("tasks", "kill", "-s", "SIGKILL", id);
      awaitStatus(ctr, id, "STOPPED");
    }
    ctr.run("tasks", "rm", id);
    assertThat(status(ctr, id)).as("%s after rm", id).isEmpty();
    ctr.ok("containers", "rm", id);
  }
}
