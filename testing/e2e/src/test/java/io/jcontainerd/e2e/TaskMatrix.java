package io.jcontainerd.e2e;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.jcontainerd.client.Containerd;
import io.jcontainerd.testkit.contract.TaskContract;
import io.jcontainerd.testkit.tasks.BusyboxRoot;
import io.jcontainerd.testkit.tasks.TaskSubject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestInstance;

/**
 * The contract about tasks for one row of a matrix: a daemon, a shim and an OCI runtime. Rows whose
 * names end with {@code Test} are run with all tests; {@code ./dev contracts tasks} runs all rows.
 */
@Tag("root")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class TaskMatrix extends TaskContract {
  static final String OURS = "io.containerd.runc.v2";
  static final String STOCK = "/usr/bin/containerd-shim-runc-v2";
  static final String REFERENCE = "/usr/bin/containerd";

  /** There if systemd runs the machine; see sd_booted(3). */
  private static final Path SYSTEMD = Path.of("/run/systemd/system");

  private static final Path LAUNCHERS = Daemon.launcher("containerd-shim-jrunc-v2").getParent();

  private final String program;
  private final String runtime;
  private final String ociRuntime;
  private final TaskSubject.Groups groups;
  private Path folder;
  private BusyboxRoot root;
  private Daemon daemon;
  private Containerd client;
  private TaskEventFeed feed;

  /**
   * @param program another daemon; empty for ours
   * @param runtime the shim: a runtime's name or a path
   * @param ociRuntime crun is run without the second cgroup hierarchy, which it refuses
   */
  TaskMatrix(String program, String runtime, String ociRuntime) {
    this(program, runtime, ociRuntime, TaskSubject.Groups.FILES);
  }

  /**
   * @param groups who makes control groups; where systemd should and is not there, no case is
   *     applicable
   */
  TaskMatrix(String program, String runtime, String ociRuntime, TaskSubject.Groups groups) {
    this.program = program;
    this.runtime = runtime;
    this.ociRuntime = ociRuntime;
    this.groups = groups;
  }

  private boolean applicable() {
    return groups == TaskSubject.Groups.FILES || Files.isDirectory(SYSTEMD);
  }

  @BeforeAll
  void start() throws Exception {
    if (!applicable()) {
      return;
    }
    folder = Scene.folder("tasks");
    root = BusyboxRoot.make(folder.resolve("tree"));
    daemon =
        new Daemon(folder.resolve("d"), ociRuntime.equals("crun"))
            .withEnvironment("JCONTAINERD_SHIM_LINGER", "1")
            .withEnvironment("PATH", LAUNCHERS + ":" + System.getenv("PATH"));
    if (!program.isEmpty()) {
      daemon.withProgram(program);
    }
    daemon.start();
    client = Containerd.connect(daemon.socket().toString());
    feed = TaskEventFeed.open(client);
  }

  @AfterAll
  void stop() throws Exception {
    if (!applicable()) {
      return;
    }
    feed.close();
    client.close();
    if (!program.isEmpty() && runtime.equals(JruncTest.RUNTIME)) {
      Await.until("the host leaves with its state", () -> JruncTest.states(folder).isEmpty());
    }
    daemon.close();
    Traces.processes(folder).forEach(ProcessHandle::destroyForcibly);
    Await.until("no process", () -> Traces.processes(folder).isEmpty());
    Command.run(
        "find", "/sys/fs/cgroup", "-depth", "-path", "*/jc-tasks*", "-type", "d", "-delete");
    Command.run("rm", "-rf", folder.toString()).ok();
    if (Files.exists(folder)) {
      throw new IOException(folder + " is left");
    }
  }

  @Override
  protected TaskSubject subject() {
    assumeTrue(applicable(), "groups by systemd: this machine does not run it");
    return new TaskSubject(client.tasks(), client.containers(), feed, runtime, ociRuntime, groups);
  }

  @Override
  protected BusyboxRoot root() {
    return root;
  }

  @Override
  protected Map<String, String> deviations() {
    Map<String, String> all = new HashMap<>();
    if (program.equals(REFERENCE)) {
      all.putAll(DAEMON_1_6);
    }
    if (runtime.equals(STOCK)) {
      all.putAll(SHIM_1_6);
    }
    return all;
  }

  /** Where the daemon of release 1.6 is not yet what containerd is today. */
  private static final Map<String, String> DAEMON_1_6 =
      Map.of(
          "of_two_creations_one_succeeds",
          "of two creations the daemon of 1.6 refuses one as unknown, for it meets the bundle",
          "of_two_deletions_one_succeeds_with_the_status",
          "of two deletions the daemon of 1.6 may cut off one by the other's end of the connection");

  /** Where the shim of release 1.6 is not yet what containerd's is today. */
  private static final Map<String, String> SHIM_1_6 =
      Map.of(
          "what_has_ended_is_not_found",
          "the shim of 1.6 takes a signal for all processes of what has ended",
          "one_that_was_added_before_the_task_stopped_does_not_start",
          "the shim of 1.6 passes on the runtime's refusal, as unknown",
          "one_stream_may_be_missing",
          "the shim of 1.6 wants both outputs or none");
}
