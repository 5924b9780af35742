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

/** Images and containers on the snapshotters that need a disk of their own. */
@Tag("root")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class SnapshottersTest {
  private Path folder;
  private Scene scene;
  private String image;

  @BeforeAll
  void open() throws IOException {
    folder = Scene.folder("disks");
    disk("btrfs", 256 << 20);
    Path scratch = folder.resolve("scratch.img");
    make(scratch, "ext4", 64 << 20);
    scene =
        Scene.open(
            "snapshotters",
            false,
            """
            [plugins."io.containerd.snapshotter.v1.btrfs"]
              root_path = "%s/btrfs/root"
            [plugins."io.containerd.snapshotter.v1.blockfile"]
              scratch_file = "%s"
            [plugins."io.containerd.snapshotter.v1.devmapper"]
              pool_name = "no-such-pool"
              base_image_size = "64MB"
            [plugins."io.containerd.service.v1.diff-service"]
              default = ["erofs", "walking"]
            """
                .formatted(folder, scratch));
    image = scene.pulled();
  }

  private void disk(String type, long bytes) throws IOException {
    Path file = folder.resolve(type + ".img");
    Path place = Files.createDirectory(folder.resolve(type));
    make(file, type, bytes);
    Command.run("mount", "-t", type, "-o", "loop", file.toString(), place.toString()).ok();
  }

  private static void make(Path file, String type, long bytes) {
    Command.run("truncate", "-s", Long.toString(bytes), file.toString()).ok();
    Command.run("mkfs." + type, "-q", file.toString()).ok();
  }

  @AfterAll
  void close() {
    try {
      if (scene != null) {
        scene.close();
      }
    } finally {
      Await.until("the disk is unmounted", this::isUnmounted);
      Command.run("rm", "-rf", folder.toString()).ok();
    }
  }

  private boolean isUnmounted() {
    String place = folder.resolve("btrfs").toString();
    return Command.run("umount", place).status() == 0
        || Command.run("mountpoint", "-q", place).status() != 0;
  }

  private boolean started(String snapshotter) {
    return scene
        .ctr
        .ok("plugins", "ls", "id==" + snapshotter)
        .out()
        .matches("(?s).*snapshotter\\.v1 +" + snapshotter + " .* ok.*");
  }

  @TestFactory
  Stream<DynamicTest> life() {
    var cases = new Cases("snapshotters");
    for (String name : List.of("btrfs", "blockfile", "native")) {
      cases.add(
          name + " runs an image and gives everything back",
          () -> {
            assertThat(started(name)).as(name).isTrue();
            Ctr ctr = scene.ctr;
            ctr.ok("images", "pull", "--plain-http", "--snapshotter", name, image);
            String command = "cat /etc/version && echo new > /etc/version && cat /etc/version";
            assertThat(
                    ctr.ok(
                            "run",
                            "--rm",
                            "--snapshotter",
                            name,
                            image,
                            "on-" + name,
                            "sh",
                            "-c",
                            command)
                        .lines())
                .hasSize(2)
                .last()
                .isEqualTo("new");
            assertThat(ctr.ok("snapshots", "--snapshotter", name, "ls").out())
                .contains("Committed")
                .doesNotContain("Active");
          });
    }
    return cases
        .add(
            "erofs unpacks an image into images, whose whiteouts hide",
            () -> {
              assumeTrue(started("erofs"), "no erofs here");
              Ctr ctr = scene.ctr;
              ctr.ok("images", "pull", "--plain-http", "--snapshotter", "erofs", image);
              List<String> layers =
                  ctr.ok("snapshots", "--snapshotter", "erofs", "ls").lines().stream()
                      .filter(line -> line.contains("Committed"))
                      .toList();
              assertThat(layers).isNotEmpty();
              Path root = scene.daemon.root().resolve("io.containerd.snapshotter.v1.erofs");
              try (Stream<Path> all = Files.walk(root)) {
                assertThat(all.filter(path -> path.endsWith("layer.erofs"))).hasSameSizeAs(layers);
              }
              assertThat(Scene.read(Path.of("/proc/self/mountinfo")))
                  .doesNotContain(scene.daemon.state().toString() + "/io.containerd.mount-manager");
            })
        .add(
            "what the machine cannot serve says why",
            () -> {
              String why = scene.ctr.ok("plugins", "ls", "-d", "id==devmapper").out();
              assertThat(why).containsAnyOf("no device mapper", "not installed", "no-such-pool");
              assertThat(scene.ctr.ok("plugins", "ls", "-d", "id==zfs").out()).contains("skip");
            })
        .stream();
  }
}
