package io.jcontainerd.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.TestInstance;

/** An image of more layers than fit into one page of mount options. */
@Tag("root")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class DeepImageTest {
  private static final int LAYERS = 200;

  private Scene scene;
  private String image;

  @BeforeAll
  void open() {
    scene = Scene.open("deep");
    Command.run("chmod", "755", scene.folder.toString()).ok(); // for who is nobody outside
    image = scene.registry.host() + "/deep:1";
    scene.images.pushDeep(scene.registry, "deep", "1", LAYERS);
  }

  @AfterAll
  void close() {
    scene.close();
  }

  @TestFactory
  Stream<DynamicTest> life() {
    Ctr ctr = scene.ctr;
    String last = String.valueOf(LAYERS);
    String look = "ls /deep | grep -c layer; cat /deep/last /etc/version";
    String seen = (LAYERS - 2) + "\n" + last + "\n2\n";
    Cases cases =
        new Cases("deep")
            .add("it is pulled", () -> ctr.ok("images", "pull", "--plain-http", image))
            .add(
                "it runs",
                () ->
                    assertThat(ctr.ok("run", "--rm", image, "deep-1", "sh", "-c", look).out())
                        .isEqualTo(seen))
            .add(
                "what it wrote is a layer",
                () -> {
                  ctr.ok(
                      "run",
                      image,
                      "deep-3",
                      "sh",
                      "-c",
                      "echo new > /deep/last; rm /deep/layer-7");
                  Path file = scene.folder.resolve("layer.tgz");
                  String diff = String.join(" ", ctr.line("snapshots", "diff", "deep-3"));
                  Command.run("sh", "-c", diff + " > " + file).ok();
                  assertThat(Command.run("tar", "-tzf", file.toString()).ok().out())
                      .contains("deep/last", "deep/.wh.layer-7")
                      .doesNotContain("layer-8");
                  ctr.ok("containers", "rm", "deep-3");
                });
    if (Ctr.isSecond()) { // 1.6 mounts the root itself, and knows nothing of mapped ids
      cases.add(
          "it runs in a user namespace, its layers id-mapped",
          () ->
              assertThat(
                      ctr.ok(
                              "run",
                              "--rm",
                              "--uidmap",
                              "0:100000:65536",
                              "--gidmap",
                              "0:100000:65536",
                              "--remap-labels",
                              image,
                              "deep-2",
                              "sh",
                              "-c",
                              look + "; stat -c %u:%g /deep/last")
                          .out())
                  .isEqualTo(seen + "0:0\n"));
    }
    return cases.stream();
  }
}
