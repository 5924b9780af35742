package io.jcontainerd.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.TestInstance;

/**
 * Images moved by the daemon: pulled, pushed, tagged, and through archives, with {@code jctr}, with
 * the {@code ctr} that is there, and with other makers and readers of images.
 */
@Tag("root")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class TransferTest {
  private Scene scene;
  private Ctr ctr;
  private String image;
  private String index;
  private Path folder;

  @BeforeAll
  void open() throws IOException {
    Assumptions.assumeTrue(Daemon.reference() == null, "jctr speaks the release of our day");
    scene = Scene.open("transfer");
    ctr = scene.ctr;
    folder = Files.createDirectories(scene.folder.resolve("archives"));
    image = scene.registry.host() + "/busybox:1";
    index = scene.registry.host() + "/busybox:index";
    scene.images.push(scene.registry, "busybox", "1", TestImage.Packing.GZIP);
    scene.images.pushIndex(scene.registry, "busybox", "index");
  }

  @AfterAll
  void close() {
    if (scene != null) {
      scene.close();
    }
  }

  private Command jctr(String... words) {
    return jctrIn(ctr.namespace(), words);
  }

  private List<String> jctrLine(String namespace, String... words) {
    List<String> line = Command.line(List.of(Daemon.launcher("jctr").toString()), words);
    return Command.line(line, "-n", namespace, "--address", scene.daemon.socket().toString());
  }

  private Command jctrIn(String namespace, String... words) {
    return Command.run(jctrLine(namespace, words));
  }

  private String digest(Ctr where, String name) {
    Matcher digest =
        Pattern.compile("sha256:[0-9a-f]{64}")
            .matcher(where.ok("images", "ls", "name==" + name).out());
    assertThat(digest.find()).as("image %s", name).isTrue();
    return digest.group();
  }

  private void runs(Ctr where, String name) {
    assertThat(where.ok("run", "--rm", name, "moved", "cat", "/etc/version").text()).isEqualTo("2");
  }

  @TestFactory
  Stream<DynamicTest> jctr() {
    Path archive = folder.resolve("jctr.tar");
    String pushed = scene.registry.host() + "/pushed:1";
    return new Cases("jctr")
            .add(
                "pull without a terminal tells plain lines, and the image runs",
                () -> {
                  String fresh = scene.registry.host() + "/busybox:fresh";
                  scene.images.push(scene.registry, "busybox", "fresh", TestImage.Packing.ZSTD);
                  Ctr other = ctr.beside("fresh");
                  Command pull = jctrIn(other.namespace(), "pull", "--plain-http", fresh).ok();
                  assertThat(pull.err())
                      .contains("layer-sha256:")
                      .contains("saved")
                      .doesNotContain("\u001b");
                  assertThat(pull.out()).contains(fresh + " sha256:");
                  runs(other, fresh);
                  jctr("images", "pull", "--plain-http", image).ok();
                })
            .add(
                "pull on a terminal draws bars",
                () -> {
                  scene.images.pushNoise(scene.registry, "noise", "1", 20_000_000);
                  String line =
                      String.join(
                          " ",
                          jctrLine(
                              ctr.namespace(),
                              "images",
                              "pull",
                              "--plain-http",
                              scene.registry.host() + "/noise:1"));
                  String drawn = Command.run("script", "-qec", line, "/dev/null").ok().out();
                  assertThat(drawn).contains("\u001b[K").contains("layer ").contains("MiB");
                })
            .add(
                "tag",
                () -> {
                  jctr("images", "tag", image, "docker.io/library/tagged:1").ok();
                  assertThat(digest(ctr, "docker.io/library/tagged:1"))
                      .isEqualTo(digest(ctr, image));
                })
            .add(
                "push, and pull again elsewhere",
                () -> {
                  jctr("images", "push", "--plain-http", pushed, image).ok();
                  jctrIn(ctr.namespace() + "-pushed", "images", "pull", "--plain-http", pushed)
                      .ok();
                  Ctr other = ctr.beside("pushed");
                  assertThat(digest(other, pushed)).isEqualTo(digest(ctr, image));
                  runs(other, pushed);
                })
            .add(
                "export and import elsewhere",
                () -> {
                  jctr("images", "export", archive.toString(), image).ok();
                  Ctr other = ctr.beside("imported");
                  Command imported =
                      jctrIn(other.namespace(), "images", "import", archive.toString()).ok();
                  assertThat(imported.out()).contains(image);
                  assertThat(digest(other, image)).isEqualTo(digest(ctr, image));
                  runs(other, image);
                })
            .add(
                "equal exports are equal files",
                () -> {
                  Path again = folder.resolve("again.tar");
                  jctr("images", "export", again.toString(), image).ok();
                  assertThat(Files.mismatch(archive, again)).isEqualTo(-1);
                })
            .add(
                "import of packed archives by standard input",
                () -> {
                  for (String packer : List.of("gzip", "zstd")) {
                    Ctr other = ctr.beside(packer);
                    String line =
                        "%s -c %s | %s"
                            .formatted(
                                packer,
                                archive,
                                String.join(
                                    " ", jctrLine(other.namespace(), "images", "import", "-")));
                    Command.run("sh", "-c", line).ok();
                    assertThat(digest(other, image)).isEqualTo(digest(ctr, image));
                  }
                })
            .add(
                "what is missing is named",
                () -> {
                  jctr("pull", "--plain-http", scene.registry.host() + "/nothing:1")
                      .refused("nothing:1");
                  jctr("images", "export", folder.resolve("no.tar").toString(), "nothing:1")
                      .refused("nothing:1");
                  assertThat(folder.resolve("no.tar")).doesNotExist();
                  assertThat(folder.resolve("no.tar.part")).doesNotExist();
                })
            .add(
                "a client that is killed in the middle of an import leaves nothing",
                () -> {
                  Ctr other = ctr.beside("killed");
                  String line =
                      "(head -c 700000 %s; sleep 60) | %s"
                          .formatted(
                              archive,
                              String.join(
                                  " ", jctrLine(other.namespace(), "images", "import", "-")));
                  assertThat(Command.run("timeout", "-s", "KILL", "5", "sh", "-c", line).status())
                      .isNotZero();
                  Await.until(
                      "leases and ingests are gone",
                      () ->
                          other.ok("leases", "ls", "-q").lines().isEmpty()
                              && other.ok("content", "active").lines().size() <= 1);
                  assertThat(other.ok("images", "ls", "-q").lines()).isEmpty();
                })
            .add(
                "archives that mean harm are refused",
                () -> {
                  Path evil = Files.createDirectories(folder.resolve("evil"));
                  Files.writeString(evil.resolve("x"), "x");
                  Path tar = folder.resolve("evil.tar");
                  Command.run(
                          "tar",
                          "-C",
                          evil.toString(),
                          "-cf",
                          tar.toString(),
                          "--transform",
                          "s,x,../x,",
                          "-P",
                          "x")
                      .ok();
                  jctr("images", "import", tar.toString()).refused("leads out of it");
                })
            .stream();
  }

  @TestFactory
  Stream<DynamicTest> ctr() {
    Path archive = folder.resolve("ctr.tar");
    String pushed = scene.registry.host() + "/by-ctr:1";
    return new Cases("ctr")
            .add(
                "pull",
                () -> {
                  Command pull = ctr.ok("images", "pull", "--plain-http", index);
                  if (Ctr.isSecond()) {
                    assertThat(pull.out()).contains("saved");
                  }
                  runs(ctr, index);
                })
            .add(
                "export what it pulled",
                () -> {
                  ctr.ok("images", "export", archive.toString(), index);
                  assertThat(Command.run("tar", "-tf", archive.toString()).ok().lines())
                      .contains("index.json", "oci-layout", "manifest.json");
                })
            .add(
                "import elsewhere",
                () -> {
                  Ctr other = ctr.beside("ctr");
                  other.ok("images", "import", archive.toString());
                  assertThat(digest(other, index)).isEqualTo(digest(ctr, index));
                  runs(other, index);
                })
            .add(
                "import of what jctr exported, and the other way round",
                () -> {
                  Path own = folder.resolve("own.tar");
                  jctr("images", "export", own.toString(), index).ok();
                  ctr.beside("a").ok("images", "import", own.toString());
                  jctrIn(ctr.namespace() + "-b", "images", "import", archive.toString()).ok();
                  assertThat(digest(ctr.beside("a"), index)).isEqualTo(digest(ctr, index));
                  assertThat(digest(ctr.beside("b"), index)).isEqualTo(digest(ctr, index));
                })
            .add(
                "names by digest",
                () -> {
                  Ctr other = ctr.beside("digests");
                  other.ok(
                      "images", "import", "--digests", "--base-name", "x/y", archive.toString());
                  assertThat(other.ok("images", "ls", "-q").out()).contains("x/y@sha256:");
                })
            .add(
                "tag",
                () -> {
                  ctr.ok("images", "tag", index, "docker.io/library/by-ctr:2");
                  assertThat(digest(ctr, "docker.io/library/by-ctr:2"))
                      .isEqualTo(digest(ctr, index));
                })
            .add(
                "push",
                () -> {
                  ctr.ok("images", "pull", "--plain-http", image);
                  ctr.ok("images", "push", "--plain-http", pushed, image);
                  ctr.beside("p").ok("images", "pull", "--plain-http", pushed);
                  assertThat(digest(ctr.beside("p"), pushed)).isEqualTo(digest(ctr, image));
                })
            .stream();
  }

  @TestFactory
  Stream<DynamicTest> others() {
    Path archive = folder.resolve("others.tar");
    return new Cases("others")
            .add(
                "skopeo reads what is exported, as docker load would",
                () -> {
                  jctr("images", "pull", "--plain-http", image).ok();
                  jctr("images", "export", archive.toString(), image).ok();
                  skopeo("docker-archive:" + archive, "dir:" + folder.resolve("dir"));
                  assertThat(folder.resolve("dir/manifest.json")).exists();
                })
            .add(
                "skopeo reads it as a layout, and the digest is the same",
                () -> {
                  String to = scene.registry.host() + "/by-skopeo:1";
                  skopeo("oci-archive:" + archive, "docker://" + to);
                  Ctr other = ctr.beside("skopeo");
                  jctrIn(other.namespace(), "images", "pull", "--plain-http", to).ok();
                  assertThat(digest(other, to)).isEqualTo(digest(ctr, image));
                })
            .add(
                "what skopeo makes comes in, as docker save would make it",
                () -> {
                  Path saved = folder.resolve("saved.tar");
                  skopeo("docker://" + image, "docker-archive:" + saved + ":saved.example/app:1");
                  Ctr other = ctr.beside("saved");
                  assertThat(
                          jctrIn(other.namespace(), "images", "import", saved.toString())
                              .ok()
                              .out())
                      .contains("saved.example/app:1");
                  runs(other, "saved.example/app:1");
                  ctr.beside("saved2").ok("images", "import", saved.toString());
                  runs(ctr.beside("saved2"), "saved.example/app:1");
                })
            .add(
                "what skopeo makes comes in as a layout, with the same digest",
                () -> {
                  Path layout = folder.resolve("layout.tar");
                  skopeo("docker://" + image, "oci-archive:" + layout + ":v1");
                  Ctr other = ctr.beside("layout");
                  jctrIn(
                          other.namespace(),
                          "images",
                          "import",
                          "--base-name",
                          "layout.example/app",
                          layout.toString())
                      .ok();
                  assertThat(digest(other, "layout.example/app:v1")).isEqualTo(digest(ctr, image));
                })
            .add(
                "umoci unpacks what is exported",
                () -> {
                  Path layout = Files.createDirectories(folder.resolve("umoci"));
                  Command.run("tar", "-C", layout.toString(), "-xf", archive.toString()).ok();
                  Command.run(
                          "umoci",
                          "unpack",
                          "--image",
                          layout + ":1",
                          folder.resolve("bundle").toString())
                      .ok();
                  assertThat(Scene.read(folder.resolve("bundle/rootfs/etc/version")))
                      .isEqualTo("2\n");
                })
            .add(
                "what umoci changed comes in",
                () -> {
                  Path layout = folder.resolve("by-skopeo");
                  skopeo("docker://" + image, "oci:" + layout + ":1");
                  Path added = Files.writeString(folder.resolve("by-umoci"), "by umoci\n");
                  Command.run(
                          "umoci",
                          "insert",
                          "--image",
                          layout + ":1",
                          "--tag",
                          "2",
                          added.toString(),
                          "/by-umoci")
                      .ok();
                  Path tar = folder.resolve("umoci.tar");
                  Command.run(
                          "sh",
                          "-c",
                          "cd %s && tar -cf %s oci-layout index.json blobs".formatted(layout, tar))
                      .ok();
                  Ctr other = ctr.beside("umoci");
                  jctrIn(
                          other.namespace(),
                          "images",
                          "import",
                          "--base-name",
                          "umoci.example/app",
                          tar.toString())
                      .ok();
                  assertThat(
                          other
                              .ok("run", "--rm", "umoci.example/app:2", "u", "cat", "/by-umoci")
                              .text())
                      .isEqualTo("by umoci");
                })
            .stream();
  }

  private static void skopeo(String from, String to) {
    Command.run(
            "skopeo",
            "--insecure-policy",
            "copy",
            "--src-tls-verify=false",
            "--dest-tls-verify=false",
            from,
            to)
        .ok();
  }
}
