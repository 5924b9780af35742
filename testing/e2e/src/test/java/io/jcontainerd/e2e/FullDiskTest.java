package io.jcontainerd.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.TestInstance;

/** A daemon whose root is on a disk of 64 MiB, which fills up to the last byte. */
@Tag("root")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class FullDiskTest {
  /** By then a collection has begun that something was reason for, and is over. */
  private static final Duration COLLECTED = Duration.ofMillis(1500);

  private static final String NO_SPACE = "no space left on device";
  private static final String REMEDY = "free some space";
  private static final int LARGE = 70 << 20;
  private static final int TRIES = 5;

  private Path folder;
  private Traces before;
  private Registry registry;
  private Daemon daemon;
  private Ctr ctr;
  private String small;
  private String large;

  @BeforeAll
  void open() throws IOException {
    folder = Scene.folder("full");
    before = Traces.now(folder);
    daemon = new Daemon(folder.resolve("d"), false);
    Files.createDirectories(daemon.root());
    String image = folder.resolve("disk.img").toString();
    Command.run("truncate", "-s", "64M", image).ok();
    Command.run("mkfs.ext4", "-q", "-m", "0", "-F", image).ok();
    Command.run("mount", "-o", "loop", image, daemon.root().toString()).ok();
    registry = Registry.start(folder.resolve("registry"));
    TestImage images = new TestImage(folder.resolve("images"));
    images.push(registry, "busybox", "1", TestImage.Packing.GZIP);
    small = registry.host() + "/busybox:1";
    images.pushNoise(registry, "large", "1", LARGE);
    large = registry.host() + "/large:1";
    ctr = daemon.ctr(folder.getFileName().toString());
  }

  @AfterAll
  void close() {
    registry.close();
    daemon.close();
    Command.run("umount", "-l", daemon.root().toString());
    before.assertNothingAdded(folder);
    Command.run("rm", "-rf", folder.toString()).ok();
  }

  private Path filler() {
    return daemon.root().resolve("filler");
  }

  private long free() {
    return Long.parseLong(
        Command.run("df", "-B1", "--output=avail", daemon.root().toString())
            .ok()
            .lines()
            .getLast());
  }

  /** Takes all there is, also what a collection that is still at work gives back. */
  private void fill() {
    Await.until(
        "not a byte is free",
        () -> {
          pour();
          LockSupport.parkNanos(COLLECTED.toNanos());
          return free() == 0;
        });
  }

  /** In ever smaller pieces. */
  private void pour() {
    for (String piece : List.of("1M", "4k", "512")) {
      Command.run(
          "dd", "if=/dev/zero", "of=" + filler(), "bs=" + piece, "oflag=append", "conv=notrunc");
    }
  }

  /** Again if a late collection has given something back since the disk was filled. */
  private Command fullIngest() {
    for (int i = 1; ; i++) {
      fill();
      String piece = (char) ('a' + i) + "x".repeat(1 << 20);
      Command ingest = ctr.input(piece, "content", "ingest", "ref-" + i);
      if (ingest.status() != 0 || i == TRIES) {
        return ingest;
      }
    }
  }

  private Path blob(String digest) {
    return daemon
        .root()
        .resolve("io.containerd.content.v1.content/blobs/" + digest.replace(':', '/'));
  }

  private Path reserve() {
    return daemon.root().resolve("io.jcontainerd.store.v1.sqlite/store.db.reserve");
  }

  private List<String> digests() {
    return ctr.ok("content", "ls", "-q").lines();
  }

  /** All that was there can be asked for, and the bytes of blobs are theirs. */
  private void everythingIsReadable() {
    assertThat(ctr.ok("images", "ls", "-q").lines()).contains(small);
    assertThat(ctr.ok("images", "check").out()).contains(small);
    assertThat(ctr.ok("containers", "ls", "-q").lines()).contains("stays");
    assertThat(Tasks.status(ctr, "stays")).isEqualTo("RUNNING");
    assertThat(ctr.ok("snapshots", "ls").out()).contains("stays");
    assertThat(ctr.ok("leases", "ls").status()).isZero();
    List<String> digests = digests();
    assertThat(digests).hasSizeGreaterThanOrEqualTo(4);
    for (String digest : digests) {
      assertThat(
              Command.run(
                      "sh",
                      "-c",
                      String.join(" ", ctr.line("content", "get", digest)) + " | sha256sum")
                  .ok()
                  .out())
          .startsWith(digest.substring("sha256:".length()));
    }
  }

  @TestFactory
  Stream<DynamicTest> zero_bytes_free() {
    return new Cases("full disk")
            .add(
                "an image and two containers while there is room",
                () -> {
                  daemon.start();
                  ctr.ok("images", "pull", "--plain-http", small);
                  for (String id : List.of("stays", "goes")) {
                    ctr.ok("run", "-d", small, id, "sleep", "1000");
                    Tasks.awaitStatus(ctr, id, "RUNNING");
                  }
                  assertThat(reserve()).exists();
                })
            .add(
                "a pull that fills the disk says so",
                () -> ctr.run("images", "pull", "--plain-http", large).refused(NO_SPACE, REMEDY))
            .add("then not a byte is free", this::fill)
            .add("everything can be read", this::everythingIsReadable)
            .add(
                "what needs room is refused with that reason",
                () -> {
                  fullIngest().refused(NO_SPACE, REMEDY);
                  ctr.run("images", "pull", "--plain-http", large).refused(NO_SPACE, REMEDY);
                })
            .add(
                "a container stops and is removed, snapshot included",
                () -> {
                  Tasks.remove(ctr, "goes");
                  assertThat(ctr.ok("snapshots", "ls").out()).doesNotContain("goes");
                })
            .add(
                "the daemon restarts, in order and after a kill",
                () -> {
                  for (Runnable end : List.<Runnable>of(daemon::stop, daemon::kill)) {
                    fill();
                    end.run();
                    fill();
                    daemon.start();
                    everythingIsReadable();
                  }
                })
            .add(
                "an image that nobody uses goes, and gives its space back",
                () -> {
                  fill();
                  List<String> digests = digests();
                  ctr.ok("images", "rm", "--sync", small);
                  Await.until(
                      "its blobs are gone",
                      () -> digests.stream().map(this::blob).noneMatch(Files::exists));
                  Await.until("bytes are free", () -> free() > 0);
                })
            .add(
                "the other container stops, is removed, and its layers with it",
                () -> {
                  fill();
                  Tasks.remove(ctr, "stays");
                  Await.until(
                      "the snapshots are gone",
                      () -> ctr.ok("snapshots", "ls").lines().size() == 1);
                  Await.until("there is room", () -> free() > 1 << 20);
                })
            .add(
                "with room again a pull works, and the reserve is made anew",
                () -> {
                  Files.delete(filler());
                  ctr.ok("images", "pull", "--plain-http", small);
                  ctr.ok("run", "--rm", small, "again", "true");
                  Await.until(
                      "the reserve is there",
                      () -> {
                        ctr.ok("images", "label", small, "try=" + System.nanoTime());
                        return Files.exists(reserve());
                      });
                })
            .stream();
  }
}
