package io.jcontainerd.e2e;

import static org.assertj.core.api.Assertions.assertThat;

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

/** What a service manager and whoever sends signals get of the daemon. */
@Tag("root")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ServiceTest {
  /** Prints what arrives on a datagram socket, one message a line. */
  private static final String MANAGER =
      "import socket, sys\n"
          + "s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n"
          + "s.bind(sys.argv[1])\n"
          + "print('listening', flush=True)\n"
          + "while True: print(s.recv(4096).decode(), flush=True)\n";

  private Path folder;
  private Traces before;
  private Background manager;
  private Daemon daemon;

  @BeforeAll
  void open() {
    folder = Scene.folder("service");
    before = Traces.now(folder);
    Path notify = folder.resolve("notify");
    manager = Background.start(List.of("python3", "-c", MANAGER, notify.toString()));
    manager.awaitText("listening");
    daemon =
        new Daemon(folder.resolve("d"), false).withEnvironment("NOTIFY_SOCKET", notify.toString());
  }

  @AfterAll
  void close() {
    daemon.close();
    manager.close();
    before.assertNothingAdded(folder);
    Command.run("rm", "-rf", folder.toString()).ok();
  }

  @TestFactory
  Stream<DynamicTest> life() {
    return new Cases("service")
            .add(
                "READY is told once clients are answered",
                () -> {
                  daemon.start();
                  manager.awaitText("READY=1");
                  assertThat(manager.text()).doesNotContain("STOPPING");
                })
            .add("SIGUSR1 writes the stacks of all threads", this::stacks)
            .add(
                "SIGTERM ends it in order, and STOPPING is told",
                () -> {
                  daemon.stop();
                  manager.awaitText("STOPPING=1");
                  assertThat(daemon.socket()).doesNotExist();
                })
            .stream();
  }

  private void stacks() throws Exception {
    if (Daemon.reference() != null) {
      return; // its stacks are of another kind
    }
    Path file = Path.of("/tmp/containerd." + daemon.pid() + ".stacks.log");
    try {
      Command.run("kill", "-USR1", "" + daemon.pid()).ok();
      Await.until("the log tells", () -> daemon.logText().contains("thread stacks are in " + file));
      assertThat(Files.readString(file)).contains("\"main\"", "Signals.await");
    } finally {
      Files.deleteIfExists(file);
    }
  }
}
