package io.jcontainerd.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.TestInstance;

/** A registry that is stopped by SIGSTOP: its connections are open, and nothing comes. */
@Tag("root")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class StoppedRegistryTest {
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  /** For the client to start, and to be told, on a machine that has much else to do. */
  private static final Duration MARGIN = Duration.ofSeconds(50);

  private static final int SOME = 4_000_000;
  private static final int RATE = 3_000_000;

  private Scene scene;
  private CuttingProxy proxy;
  private int files;

  @BeforeAll
  void open() {
    Assumptions.assumeTrue(Daemon.reference() == null, "it is about what only ours promises");
    scene =
        Scene.open(
            "stopped",
            false,
            """
            [plugins."io.containerd.transfer.v1.local"]
              progress_timeout = "%ds"
            """
                .formatted(PATIENCE.toSeconds()));
    proxy = new CuttingProxy(scene.registry.host(), RATE, RATE);
  }

  @AfterAll
  void close() {
    if (scene != null) {
      scene.registry.go();
      proxy.close();
      scene.close();
    }
  }

  private NoiseImage image(String tag, int... megabytes) {
    NoiseImage image = new NoiseImage(scene.folder.resolve("noise-" + tag), tag.hashCode());
    image.push(scene.registry, "noise", tag, megabytes);
    return image;
  }

  private String name(String tag) {
    return proxy.host() + "/noise:" + tag;
  }

  private List<String> pull(Ctr where, String tag) {
    return scene.jctr(where, "pull", "--plain-http", name(tag));
  }

  /** Slows the line down when some of an image has come; how much had come before. */
  private long slowInTheMiddle() {
    long before = proxy.delivered();
    proxy.slowFrom(before + SOME);
    return before;
  }

  /** Stops the registry when some of an image has come. */
  private void stopInTheMiddle(long before) {
    Await.until("some of the image", () -> proxy.delivered() > before + SOME);
    scene.registry.stop();
    proxy.fast();
  }

  /** Nothing of what was given up is still there. */
  private void assertNothingHangs() {
    Await.until("no connection", () -> proxy.open() == 0);
    Await.until("as few files are open as before", () -> scene.daemon.openFiles() <= files);
    Await.until(
        "no thread of a fetch",
        () ->
            Stream.of("\"fetch ", "\"watch sha256", "\"HttpClient-")
                .noneMatch(threads()::contains));
  }

  private String threads() {
    String told = "thread stacks are in ";
    int before = scene.daemon.logText().length();
    Command.run("sh", "-c", "kill -USR1 " + scene.daemon.pid()).ok();
    Await.until("stacks", () -> scene.daemon.logText().indexOf(told, before) >= 0);
    Path file = Path.of("/tmp/containerd." + scene.daemon.pid() + ".stacks.log");
    try {
      String text = Files.readString(file);
      Files.delete(file);
      return text;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Fails in time, and says who was waited for, for what, and how long; then all goes on. */
  private void failsInTime(Background pull, String what) {
    long began = System.nanoTime();
    int status = pull.awaitEnd();
    Duration took = Duration.ofNanos(System.nanoTime() - began);
    scene.registry.go();
    String said =
        pull.text().lines().filter(line -> line.startsWith("jctr: ")).findFirst().orElse("");
    System.out.println(said);
    assertThat(status).as(pull.text()).isNotZero();
    assertThat(took).isLessThan(PATIENCE.plus(MARGIN));
    assertThat(said)
        .contains("registry " + proxy.host(), what)
        .containsPattern("no (answer within|bytes for) 3000 ms");
  }

  /** No more came than the image is, but for what was on its way. */
  private void assertNotFromTheBeginning(long before, NoiseImage image) {
    long came = proxy.delivered() - before;
    System.out.printf("%d bytes came for %d of the image%n", came, image.size());
    assertThat(came).isLessThan(image.size() + SOME / 4);
  }

  @TestFactory
  Stream<DynamicTest> stopped() {
    return new Cases("stopped registry")
            .add(
                "an image for the beginning, so that everything is there that stays",
                () -> {
                  String small = proxy.host() + "/busybox:1";
                  scene.images.push(scene.registry, "busybox", "1", TestImage.Packing.GZIP);
                  Command.run(scene.jctr(scene.ctr.beside("w"), "pull", "--plain-http", small))
                      .ok();
                  Await.until("no connection", () -> proxy.open() == 0);
                  files = scene.daemon.openFiles();
                })
            .add(
                "before the manifest",
                () -> {
                  NoiseImage image = image("a", 10, 4);
                  scene.registry.stop();
                  try (Background pull = Background.start(pull(scene.ctr, "a"))) {
                    failsInTime(pull, "HEAD /v2/noise/manifests/a");
                  }
                  assertNothingHangs();
                  long before = proxy.delivered();
                  Command.run(pull(scene.ctr, "a")).ok();
                  assertNotFromTheBeginning(before, image);
                })
            .add(
                "in the middle of a blob, and the next try goes on",
                () -> {
                  NoiseImage image = image("b", 10, 4);
                  long before = slowInTheMiddle();
                  Ctr other = scene.ctr.beside("b");
                  try (Background pull = Background.start(pull(other, "b"))) {
                    stopInTheMiddle(before);
                    failsInTime(pull, "GET /v2/noise/blobs/sha256:");
                  }
                  assertNothingHangs();
                  Command.run(pull(other, "b")).ok();
                  assertNotFromTheBeginning(before, image);
                  image.assertStored(scene, other, name("b"));
                })
            .add(
                "in the middle of a blob, and ctr goes on",
                () -> {
                  NoiseImage image = image("c", 10, 4);
                  long before = slowInTheMiddle();
                  Ctr other = scene.ctr.beside("c");
                  try (Background pull = Background.start(pull(other, "c"))) {
                    stopInTheMiddle(before);
                    failsInTime(pull, "GET /v2/noise/blobs/sha256:");
                  }
                  other.ok("images", "pull", "--plain-http", name("c"));
                  assertNotFromTheBeginning(before, image);
                  image.assertStored(scene, other, name("c"));
                  assertNothingHangs();
                })
            .add(
                "who joins gets it, also when the first gives up",
                () -> {
                  NoiseImage image = image("d", 30, 4);
                  long before = slowInTheMiddle();
                  Ctr other = scene.ctr.beside("d");
                  try (Background first = Background.start(pull(other, "d"));
                      Background second = Background.start(pull(other, "d"));
                      Background ctr =
                          Background.start(
                              other.line("images", "pull", "--plain-http", name("d")))) {
                    first.awaitText("layer-sha256:");
                    second.awaitText("layer-sha256:");
                    stopInTheMiddle(before);
                    first.interrupt();
                    boolean gaveUp = endsWhileOthersStillWait(first);
                    scene.registry.go();
                    int status = first.awaitEnd();
                    assertThat(status != 0 || !gaveUp).as(first.text()).isTrue();
                    assertThat(second.awaitEnd()).as(second.text()).isZero();
                    assertThat(ctr.awaitEnd()).as(ctr.text()).isZero();
                  }
                  assertNotFromTheBeginning(before, image);
                  image.assertStored(scene, other, name("d"));
                  assertNothingHangs();
                })
            .stream();
  }

  /** Whether it ends in time; on a busy machine a client may take longer than others may wait. */
  private static boolean endsWhileOthersStillWait(Background client) {
    long until = System.nanoTime() + Duration.ofSeconds(4).toNanos();
    while (client.alive() && System.nanoTime() < until) {
      LockSupport.parkNanos(Duration.ofMillis(20).toNanos());
    }
    return !client.alive();
  }
}
