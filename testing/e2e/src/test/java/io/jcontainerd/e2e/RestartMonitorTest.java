package io.jcontainerd.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** Containers run again as their labels ask. */
@Tag("root")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class RestartMonitorTest {
  private static final String CONFIG =
      """
      [plugins."io.containerd.monitor.container.v1.restart"]
      interval = "1s"
      """;

  private static final Pattern COUNT =
      Pattern.compile("\"containerd.io/restart.count\": \"(\\d+)\"");

  private Scene scene;
  private Ctr ctr;
  private String image;

  @BeforeAll
  void open() {
    scene = Scene.open("restarts", false, CONFIG);
    ctr = scene.ctr;
    image = scene.pulled();
  }

  @AfterAll
  void close() {
    scene.close();
  }

  /**
   * Labels it once its task is there: a client that is slow to make the task would find one of the
   * monitor's.
   */
  private void run(String id, String policy, List<String> flags, String... command) {
    List<String> line = Command.line(List.of("run", "-d"), flags.toArray(String[]::new));
    ctr.run(Command.line(Command.line(line, image, id), command)).ok();
    ctr.ok(
        "containers",
        "label",
        id,
        "containerd.io/restart.policy=" + policy,
        "containerd.io/restart.status=running");
  }

  private String info(String id) {
    return ctr.ok("containers", "info", id).out();
  }

  private int restarts(String id) {
    Matcher count = COUNT.matcher(info(id));
    return count.find() ? Integer.parseInt(count.group(1)) : 0;
  }

  @Test
  void what_was_killed_runs_again_until_it_shall_be_stopped() {
    run("web", "always", List.of(), "sleep", "100000");
    long first = Tasks.pid(ctr, "web");
    ctr.ok("tasks", "kill", "-s", "SIGKILL", "web");
    Await.until("web runs again", () -> Tasks.runsAnew(ctr, "web", first));
    assertThat(restarts("web")).isOne();

    scene.daemon.kill();
    scene.daemon.start();
    long second = Tasks.pid(ctr, "web");
    ctr.ok("tasks", "kill", "-s", "SIGKILL", "web");
    Await.until("web runs again under a new daemon", () -> Tasks.runsAnew(ctr, "web", second));

    ctr.ok("containers", "label", "web", "containerd.io/restart.status=stopped");
    Await.until("web is stopped", () -> Tasks.status(ctr, "web").isEmpty());
    ctr.ok("containers", "rm", "web");
  }

  @Test
  void a_job_that_fails_is_repeated_as_often_as_it_may() throws IOException {
    Path runs =
        Files.createFile(Files.createDirectory(scene.folder.resolve("job")).resolve("runs"));
    run(
        "job",
        "on-failure:2",
        List.of("--mount", "type=bind,src=" + runs.getParent() + ",dst=/job,options=rbind:rw"),
        "sh",
        "-c",
        "echo run >> /job/runs; exit 3");
    Await.until("the job was repeated twice", () -> Scene.read(runs).equals("run\n".repeat(3)));
    Tasks.awaitStatus(ctr, "job", "STOPPED");
    assertThat(restarts("job")).isEqualTo(2);
    ctr.ok("containers", "label", "job", "containerd.io/restart.status=");
    Tasks.remove(ctr, "job");
  }
}
