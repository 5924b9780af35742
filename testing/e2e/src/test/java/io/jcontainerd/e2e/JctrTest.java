package io.jcontainerd.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** The command for people, beside the distribution's {@code ctr}. */
@Tag("root")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class JctrTest {
  private Scene scene;
  private String image;

  @BeforeAll
  void open() {
    Assumptions.assumeTrue(Daemon.reference() == null, "containerd has no storage service");
    scene = Scene.open("jctr");
    image = scene.pulled();
  }

  @AfterAll
  void close() {
    if (scene != null) {
      scene.close();
    }
  }

  private Command jctr(String... words) {
    List<String> line = new ArrayList<>();
    line.add(Daemon.launcher("jctr").toString());
    line.addAll(List.of(words));
    line.addAll(List.of("--address", scene.daemon.socket().toString()));
    return Command.run(line);
  }

  private Path blobs() {
    return scene.daemon.root().resolve("io.containerd.content.v1.content/blobs/sha256");
  }

  private Path largestBlob() throws IOException {
    try (Stream<Path> files = Files.list(blobs())) {
      return files.max((a, b) -> Long.compare(size(a), size(b))).orElseThrow();
    }
  }

  private static long size(Path file) {
    try {
      return Files.size(file);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private Path busybox() throws IOException {
    Path snapshots =
        scene.daemon.root().resolve("io.containerd.snapshotter.v1.overlayfs/snapshots");
    try (Stream<Path> tree = Files.walk(snapshots)) {
      return tree.filter(path -> path.endsWith("fs/bin/busybox"))
          .filter(path -> Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS))
          .findFirst()
          .orElseThrow();
    }
  }

  private static void flipBit(Path file) throws IOException {
    FileTime time = Files.getLastModifiedTime(file);
    byte[] bytes = Files.readAllBytes(file);
    bytes[bytes.length / 2] ^= 4;
    Files.write(file, bytes);
    Files.setLastModifiedTime(file, time);
  }

  @Test
  void damage_is_found_named_and_healed_while_a_container_runs() throws IOException {
    assertThat(jctr("fsck", "--deep").ok().out()).contains("all is well");
    scene.ctr.ok("run", "-d", image, "runner", "/bin/sleep", "1000");
    try {
      flipBit(largestBlob());
      flipBit(busybox());
      Files.delete(busybox().resolveSibling("true"));

      Command found = jctr("fsck", "--deep");
      assertThat(found.status()).as(found.out() + found.err()).isEqualTo(1);
      assertThat(found.out())
          .contains("OUTCOME")
          .contains("sha256:" + largestBlob().getFileName())
          .contains("bin/busybox")
          .contains("bin/true")
          .contains("contents differ")
          .contains("missing")
          .contains("next: ");
      assertThat(jctr("fsck", "--deep", "--format", "json").out())
          .contains("\"damage\":\"content\"")
          .contains("\"outcome\":\"found\"");

      assertThat(jctr("fsck", "--deep", "--repair").ok().out()).contains("healed");
      assertThat(jctr("fsck", "--deep").ok().out()).contains("all is well");
      assertThat(scene.ctr.ok("run", "--rm", image, "after", "/bin/true").out()).isEmpty();
      assertThat(scene.ctr.ok("tasks", "ls").out()).contains("RUNNING");
    } finally {
      scene.ctr.run("tasks", "rm", "-f", "runner");
      scene.ctr.run("containers", "rm", "runner");
    }
  }

  @Test
  void what_keeps_a_blob_is_told_from_the_root() throws IOException {
    String layer = largestBlob().getFileName().toString();
    assertThat(jctr("why-kept", layer.substring(0, 12)).ok().out())
        .contains("content sha256:" + layer)
        .contains("image")
        .contains(image)
        .contains("the image's target")
        .contains("containerd.io/gc.ref.content");
    jctr("why-kept", "sha256:0000000000").refused("no content or snapshot", "ctr content ls");
    jctr("why-kept", "ab").refused("too short");
  }

  @Test
  void what_images_and_containers_take_is_told() {
    scene.ctr.ok("containers", "create", image, "idle");
    try {
      assertThat(jctr("du").ok().out())
          .contains("UNIQUE")
          .contains("SHARED")
          .contains(image)
          .contains("idle")
          .contains("all content");
      assertThat(jctr("du", "--format", "json").ok().out())
          .contains("\"name\":\"" + image + "\"")
          .contains("\"uniqueBytes\":");
    } finally {
      scene.ctr.run("containers", "rm", "idle");
    }
  }

  @Test
  void the_scrub_tells_how_far_it_is() {
    assertThat(jctr("scrub").ok().out()).contains("on").contains("never");
  }

  @Test
  void help_shows_examples_and_errors_say_what_to_do_next() {
    Command help = Command.run(Daemon.launcher("jctr").toString(), "fsck", "--help").ok();
    assertThat(help.out()).contains("Examples:").contains("jctr fsck --deep --repair");
    Command nobody =
        Command.run(Daemon.launcher("jctr").toString(), "du", "--address", "/nonexistent.sock");
    assertThat(nobody.status()).isEqualTo(3);
    assertThat(nobody.err()).contains("is the daemon running?").doesNotContain("\tat ");
    Command misused = Command.run(Daemon.launcher("jctr").toString(), "fsck", "--depe");
    assertThat(misused.status()).isEqualTo(2);
    assertThat(misused.err()).contains("--deep");
  }
}
