package io.jcontainerd.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.TestInstance;

/** Encrypted layers that {@code openssl} decrypts on their way into a snapshot. */
@Tag("root")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class StreamProcessorsTest {
  private static final int WRONG_KEYS = 4;

  private Path tools;
  private Scene scene;
  private String image;

  @BeforeAll
  void open() throws IOException {
    Assumptions.assumeTrue(Daemon.reference() == null, "jctr speaks the release of our day");
    tools = Files.createTempDirectory("jc-processors-");
    Files.writeString(
        tools.resolve("decrypt"),
        """
        #!/bin/sh
        test "$STREAM_PROCESSOR_MEDIATYPE" = application/vnd.oci.image.layer.v1.tar+gzip+encrypted ||
          { echo "not for $STREAM_PROCESSOR_MEDIATYPE" >&2; exit 2; }
        exec openssl enc -d -aes-256-cbc -pbkdf2 -pass "file:$KEY"
        """);
    Command.run("chmod", "755", tools.resolve("decrypt").toString()).ok();
    key("secret");
    scene =
        Scene.open(
            "processed",
            false,
            """
            [stream_processors."test.openssl"]
              accepts = ["application/vnd.oci.image.layer.v1.tar+gzip+encrypted"]
              returns = "application/vnd.oci.image.layer.v1.tar+gzip"
              path = "%s"
              env = ["KEY=%s"]
            """
                .formatted(tools.resolve("decrypt"), tools.resolve("key")));
    image = scene.registry.host() + "/busybox:encrypted";
    scene.images.push(scene.registry, "busybox", "encrypted", TestImage.Packing.ENCRYPTED);
  }

  @AfterAll
  void close() throws IOException {
    if (scene != null) {
      scene.close();
      Files.delete(tools.resolve("decrypt"));
      Files.delete(tools.resolve("key"));
      Files.delete(tools);
    }
  }

  private void key(String text) throws IOException {
    Files.writeString(tools.resolve("key"), text);
  }

  private Command pull(Ctr where) {
    return Command.run(
        Daemon.launcher("jctr").toString(),
        "-a",
        scene.daemon.socket().toString(),
        "pull",
        "-n",
        where.namespace(),
        "--plain-http",
        image);
  }

  /**
   * With one of some hundred wrong keys, openssl takes what comes out for text of the right one.
   */
  private Command refusedByWrongKey(Ctr where) throws IOException {
    for (int i = 1; ; i++) {
      key("wrong" + i);
      Command refused = pull(where);
      if (i == WRONG_KEYS || refused.err().contains("bad decrypt")) {
        return refused;
      }
    }
  }

  private void runs(Ctr where) {
    assertThat(where.ok("run", "--rm", image, "decrypted", "cat", "/etc/version").text())
        .isEqualTo("2");
  }

  @TestFactory
  Stream<DynamicTest> processors() {
    return new Cases("stream processors")
            .add(
                "an encrypted image is pulled and runs",
                () -> {
                  pull(scene.ctr).ok();
                  runs(scene.ctr);
                })
            .add(
                "also where the client asks for each layer by itself",
                () -> {
                  Ctr other = scene.ctr.beside("diff");
                  if (Ctr.isSecond()) {
                    other.ok("images", "pull", "--local", "--plain-http", image);
                  } else {
                    other.ok("images", "pull", "--plain-http", image);
                  }
                  runs(other);
                })
            .add(
                "with the wrong key nothing is unpacked, and openssl is heard",
                () -> {
                  Ctr other = scene.ctr.beside("wrong");
                  refusedByWrongKey(other)
                      .refused("stream processor test.openssl ended with status 1", "bad decrypt");
                  assertThat(other.ok("images", "ls", "-q").text()).isEmpty();
                  assertThat(other.ok("snapshots", "ls").lines()).hasSize(1);
                  key("secret");
                })
            .add(
                "a processor that is not there is named",
                () -> {
                  Path away = tools.resolve("away");
                  Files.move(tools.resolve("decrypt"), away);
                  pull(scene.ctr.beside("away"))
                      .refused("stream processor cannot be started", tools.resolve("decrypt") + "");
                  Files.move(away, tools.resolve("decrypt"));
                })
            .stream();
  }
}
