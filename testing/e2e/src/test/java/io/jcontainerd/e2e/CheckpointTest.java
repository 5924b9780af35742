package io.jcontainerd.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.TestInstance;

/** A running program is written to files by CRIU and goes on from there, by {@code ctr}. */
@Tag("root")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class CheckpointTest {
  private static final String COUNT =
      "i=0; while :; do i=$((i+1)); echo tick $i; echo $i > /count; sleep 0.2; done";

  /** Freezes a process and lets it go on, which some kernels and machines do not let CRIU do. */
  private static final String PROBE =
      """
      cd "$1"
      setsid sleep 1000 < /dev/null > /dev/null 2>&1 &
      victim=$!
      sleep 0.5
      timeout -s KILL 10 criu dump -t $victim -D "$1" -v4 -o dump.log --leave-running 2> said
      status=$?
      kill -KILL $victim
      [ $status = 0 ] || { echo "criu dump ended with $status (137: killed after 10 s)"; tail -n 1 dump.log; }
      """;

  private Scene scene;
  private Ctr ctr;
  private Path log;
  private Path logger;
  private String image;

  @BeforeAll
  void open() throws IOException {
    Path probe = Scene.folder("criu");
    try {
      assumeTrue(
          Command.run("sh", "-c", "command -v criu").status() == 0,
          "this machine has no program criu");
      Command check = Command.run("criu", "check");
      assumeTrue(
          check.status() == 0,
          () -> "criu does not fit this kernel: " + inOneLine(check.out() + check.err()));
      Command frozen = Command.run("sh", "-c", PROBE, "probe", probe.toString());
      assumeTrue(
          frozen.text().isBlank(),
          () -> "criu cannot freeze a process here: " + inOneLine(frozen.text()));
    } finally {
      Command.run("rm", "-rf", probe.toString()).ok();
    }
    scene = Scene.open("checkpoint");
    ctr = scene.ctr;
    image = scene.pulled();
    log = scene.folder.resolve("ticks");
    logger = scene.folder.resolve("logger");
    Files.writeString(logger, "#!/bin/sh\nexec 5>&-\nexec cat <&3 >> " + log + "\n");
    Files.createFile(log);
    assertThat(logger.toFile().setExecutable(true)).isTrue();
  }

  private static String inOneLine(String text) {
    return String.join("; ", text.strip().lines().toList());
  }

  @AfterAll
  void close() {
    if (scene != null) {
      scene.close();
    }
  }

  /** How far the program in the container has come. */
  private int count(String id) {
    String text = Scene.read(Path.of("/proc/" + Tasks.pid(ctr, id) + "/root/count")).strip();
    return text.isEmpty() ? 0 : Integer.parseInt(text); // it is writing it
  }

  private void run(String id) {
    ctr.ok(
        "run",
        "-d",
        "--runc-binary",
        "runc",
        "--log-uri",
        "binary://" + logger,
        image,
        id,
        "/bin/sh",
        "-c",
        COUNT);
    Await.until("it counts", () -> Scene.read(log).contains("tick 5\n"));
  }

  @TestFactory
  Stream<DynamicTest> checkpoints() {
    String kept = "checkpoints/counter:1";
    int[] reached = new int[1];
    return new Cases("checkpoint with runc")
            .add("a container whose output goes to a logger runs", () -> run("box"))
            .add(
                "into a folder, and it runs on",
                () -> {
                  Path images = Files.createDirectory(scene.folder.resolve("criu-images"));
                  Path work = Files.createDirectory(scene.folder.resolve("criu-logs"));
                  ctr.ok(
                      "tasks",
                      "checkpoint",
                      "--image-path",
                      images.toString(),
                      "--work-path",
                      work.toString(),
                      "box");
                  assertThat(images.resolve("inventory.img")).exists();
                  assertThat(work.resolve("dump.log")).exists();
                  int then = count("box");
                  Await.until("it counts on", () -> count("box") > then + 2);
                  assertThat(Tasks.status(ctr, "box")).isEqualTo("RUNNING");
                })
            .add(
                "into an image, with its files",
                () -> {
                  ctr.ok("containers", "checkpoint", "--rw", "--image", "--task", "box", kept);
                  assertThat(ctr.ok("images", "ls", "-q").lines()).contains(kept);
                  reached[0] = count("box");
                  assertThat(leftovers()).isEmpty();
                })
            .add(
                "it ends with its checkpoint where that is asked for",
                () -> {
                  ctr.ok("tasks", "checkpoint", "--exit", "box");
                  Tasks.awaitStatus(ctr, "box", "STOPPED");
                  Tasks.remove(ctr, "box");
                })
            .add(
                "it goes on where it was",
                () -> {
                  String printed =
                      ctr.ok("containers", "restore", "--rw", "--live", "box", kept).out();
                  assertThat(count("box")).isGreaterThanOrEqualTo(5);
                  Await.until("it counts on", () -> count("box") > reached[0] + 2);
                  assertThat(printed).doesNotContain("tick 1\n");
                  assertThat(Tasks.status(ctr, "box")).isEqualTo("RUNNING");
                  assertThat(Tasks.pid(ctr, "box")).isPositive();
                  assertThat(leftovers()).isEmpty();
                  ctr.ok("tasks", "kill", "-s", "SIGKILL", "box");
                  Tasks.awaitStatus(ctr, "box", "STOPPED");
                  Tasks.remove(ctr, "box");
                })
            .add(
                "streams that are FIFOs of the host are refused with a reason",
                () -> {
                  ctr.ok("run", "-d", "--runc-binary", "runc", image, "box", "/bin/sleep", "1000");
                  ctr.run("tasks", "checkpoint", "box").refused("--log-uri or --null-io");
                  assertThat(leftovers()).isEmpty();
                  assertThat(Tasks.status(ctr, "box")).isEqualTo("RUNNING");
                  Tasks.remove(ctr, "box");
                })
            .stream();
  }

  /** Folders of checkpoints, of the daemon and of bundles. */
  private List<String> leftovers() {
    return Command.run(
            "find",
            scene.daemon.state().toString(),
            "-path",
            "*/rootfs",
            "-prune",
            "-o",
            "-name",
            "checkpoint*-*",
            "-print",
            "-o",
            "-name",
            "inventory.img",
            "-print")
        .ok()
        .lines();
  }
}
