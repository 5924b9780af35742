package io.jcontainerd.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * A large image over a line that is cut again and again, into a daemon that is killed again and
 * again, by a client that only tries again: it comes, it is right, and next to nothing comes twice.
 */
@Tag("root")
class ChaosPullTest {
  /** Whether both clients have to bring the large image, as {@code ./dev chaos} wants it. */
  private static final boolean FULL = Boolean.getBoolean("chaos.full");

  private static final Duration LIMIT = Duration.ofMinutes(FULL ? 30 : 15);

  /** Megabytes of the layers of the large image. */
  private static final int[] LARGE = {310, 60, 60, 50, 20};

  /** Bytes per second, so that it takes long enough for three kills, and not much longer. */
  private static final int FAST = 11_000_000;

  private static final Trouble OFTEN = new Trouble(45, 40, 180);
  private static final long SECOND = 1_000_000_000L;
  private static final long MEGABYTE = 1_000_000L;

  private Scene scene;

  /**
   * What happens on the way, by megabytes that have come: then a slow machine has as much of it as
   * a fast one.
   *
   * @param cut after how many all connections are cut, each time, in one way and the other
   * @param firstKill when the daemon is killed first
   * @param kill after how many it is killed again, each time
   */
  private record Trouble(long cut, long firstKill, long kill) {}

  /** What came of it. */
  private record Outcome(int tries, int kills, int cuts, double seconds) {}

  @BeforeEach
  void open() {
    Assumptions.assumeTrue(Daemon.reference() == null, "it is about what only ours promises");
    scene = Scene.open("chaos");
  }

  @AfterEach
  void close() {
    if (scene != null) {
      scene.close();
    }
  }

  private NoiseImage image(int... megabytes) {
    NoiseImage image = new NoiseImage(scene.folder.resolve("noise"), 4);
    image.push(scene.registry, "noise", "1", megabytes);
    return image;
  }

  private CuttingProxy line(int bytesPerSecond) {
    return new CuttingProxy(scene.registry.host(), bytesPerSecond, bytesPerSecond * 2 / 5);
  }

  @Test
  void half_a_gigabyte_by_the_daemon() throws Exception {
    NoiseImage image = image(LARGE);
    assertThat(image.size()).isGreaterThan(500_000_000);
    try (CuttingProxy proxy = line(FAST)) {
      String name = proxy.host() + "/noise:1";
      List<String> pull = scene.jctr(scene.ctr, "pull", "--plain-http", name);
      Outcome outcome = endure(pull, proxy, OFTEN);
      double ratio = told("jctr", outcome, image, proxy);
      assertThat(outcome.kills()).isGreaterThanOrEqualTo(3);
      assertThat(outcome.cuts()).isGreaterThanOrEqualTo(9);
      assertThat(ratio).as("bytes that came, by those of the image").isBetween(1.0, 1.05);
      image.assertStored(scene, scene.ctr, name);
      assertNothingElse(image);
      assertThat(scene.ctr.ok("leases", "ls", "-q").lines()).as("leases").isEmpty();
    }
  }

  /** How much comes twice is the client's own affair. */
  @Test
  void an_image_by_a_client_that_writes_it_itself() throws Exception {
    NoiseImage image = FULL ? image(LARGE) : image(40, 10, 6, 4);
    try (CuttingProxy proxy = line(FULL ? FAST : FAST / 2)) {
      String name = proxy.host() + "/noise:1";
      List<String> pull = scene.ctr.line("images", "pull", "--plain-http", name);
      Outcome outcome = endure(pull, proxy, FULL ? OFTEN : new Trouble(20, 25, 80));
      double _ = told("ctr", outcome, image, proxy);
      assertThat(outcome.kills()).isPositive();
      image.assertStored(scene, scene.ctr, name);
      assertNothingElse(image);
    }
  }

  /** Of all tries nothing is left but the image. */
  private void assertNothingElse(NoiseImage image) {
    Path root = scene.daemon.root();
    assertThat(scene.ctr.ok("content", "ls", "-q").lines())
        .containsExactlyInAnyOrderElementsOf(image.digests());
    assertThat(below(root.resolve("io.containerd.content.v1.content/ingest"))).isEmpty();
    assertThat(below(root.resolve("io.containerd.content.v1.content/blobs/sha256")))
        .hasSize(image.digests().size());
    Path snapshots = root.resolve("io.containerd.snapshotter.v1.overlayfs/snapshots");
    Await.until( // removed after the daemon has told that they are gone
        "folders of layers only",
        () -> below(snapshots).size() == image.digests().size() - NoiseImage.DOCUMENTS);
  }

  private static List<Path> below(Path folder) {
    try (Stream<Path> names = Files.list(folder)) {
      return names.toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static double told(String who, Outcome outcome, NoiseImage image, CuttingProxy proxy) {
    double ratio = (double) proxy.delivered() / image.size();
    System.out.printf(
        "%s: %d bytes for %d of the image, %.3f times; %s, %d connections%n",
        who, proxy.delivered(), image.size(), ratio, outcome, proxy.connections());
    return ratio;
  }

  /** Lets the client try until it succeeds, while everything else goes wrong. */
  private Outcome endure(List<String> client, CuttingProxy proxy, Trouble trouble)
      throws InterruptedException, ExecutionException {
    long began = System.nanoTime();
    FutureTask<Integer> pulling = new FutureTask<>(() -> tries(client, began));
    Thread _ = Thread.ofVirtual().start(pulling);
    int cuts = 0;
    int kills = 0;
    while (!pulling.isDone()) {
      double now = (double) (System.nanoTime() - began) / SECOND;
      long came = proxy.delivered() / MEGABYTE;
      if (came >= trouble.cut() * (cuts + 1)) {
        proxy.cut(cuts % 2 == 0);
        cuts++;
      }
      if (came >= trouble.firstKill() + trouble.kill() * kills) {
        System.out.printf("%.1f s: kill at %d bytes%n", now, proxy.delivered());
        scene.daemon.kill();
        kills++;
        Process _ = scene.daemon.launch();
      }
      LockSupport.parkNanos(SECOND / 50);
    }
    int tries = pulling.get();
    return new Outcome(tries, kills, cuts, (double) (System.nanoTime() - began) / SECOND);
  }

  private static int tries(List<String> client, long began) {
    int tries = 1;
    while (true) {
      Command pull = Command.run(client, "", LIMIT);
      if (pull.status() == 0) {
        return tries;
      }
      if (System.nanoTime() - began > LIMIT.toNanos()) {
        throw new AssertionError("it does not come, after " + tries + " tries: " + pull);
      }
      tries++;
      LockSupport.parkNanos(SECOND / 5);
    }
  }
}
