package io.jcontainerd.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.TestInstance;

/** Programs that may refuse an image, asked by a real daemon. */
@Tag("root")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ImageVerifiersTest {
  private static final int HANGS = 3;

  /** Fewer than two for each that hangs. */
  private static final int TOLERATED_FILES = 2 * HANGS - 1;

  /** Enough for a script on a machine that has much else to do. */
  private static final Duration PATIENCE = Duration.ofSeconds(8);

  private Scene scene;
  private String image;
  private String digest;
  private Path verifiers;

  @BeforeAll
  void open() throws IOException {
    Assumptions.assumeTrue(Daemon.reference() == null, "jctr speaks the release of our day");
    Path folder = Files.createTempDirectory("jc-verifiers-");
    verifiers = folder.resolve("bin");
    scene =
        Scene.open(
            "verified",
            false,
            """
            [plugins."io.containerd.image-verifier.v1.bindir"]
              bin_dir = "%s"
              max_verifiers = 3
              per_verifier_timeout = "%ds"
            """
                .formatted(verifiers, PATIENCE.toSeconds()));
    image = scene.registry.host() + "/busybox:1";
    digest = scene.images.push(scene.registry, "busybox", "1", TestImage.Packing.GZIP);
  }

  @AfterAll
  void close() throws IOException {
    if (scene != null) {
      scene.close();
      clear();
      Files.deleteIfExists(verifiers);
      Files.delete(verifiers.getParent());
    }
  }

  private void clear() throws IOException {
    if (Files.exists(verifiers)) {
      try (Stream<Path> entries = Files.list(verifiers)) {
        for (Path entry : entries.toList()) {
          Files.delete(entry);
        }
      }
    }
  }

  private Path script(String name, String body) throws IOException {
    Path script = Files.createDirectories(verifiers).resolve(name);
    Files.writeString(script, "#!/bin/sh\n" + body + "\n");
    Command.run("chmod", "755", script.toString()).ok();
    return script;
  }

  private Command pull(String namespace) {
    return Command.run(
        Daemon.launcher("jctr").toString(),
        "-a",
        scene.daemon.socket().toString(),
        "pull",
        "-n",
        namespace,
        "--plain-http",
        image);
  }

  /** Pulls in a namespace where the image is not; nothing of it comes. */
  private Command refused(String namespace, String... words) {
    Command refused = pull(namespace).refused(words);
    var there = scene.ctr.in(namespace);
    assertThat(there.ok("images", "ls", "-q").text()).isEmpty();
    assertThat(there.ok("content", "ls", "-q").text()).isEmpty();
    return refused;
  }

  private List<String> processes(String word) {
    return ProcessHandle.allProcesses()
        .map(Traces::commandLine)
        .filter(line -> line.contains(word))
        .toList();
  }

  @TestFactory
  Stream<DynamicTest> verifiers() {
    return new Cases("image verifiers")
            .add("without a folder everything comes", () -> pull("none").ok())
            .add(
                "a verifier that refuses is named with its reason",
                () -> {
                  script("10-good", "echo fine");
                  script("20-policy", "echo not signed by anybody we know; exit 3");
                  refused(
                      "refused",
                      image,
                      digest,
                      "verifier 20-policy refused it (status 3): not signed by anybody we know");
                  clear();
                })
            .add(
                "a verifier that allows is told name, digest and descriptor",
                () -> {
                  Path told = scene.folder.resolve("told");
                  script(
                      "check", "echo \"$@\" > %s; cat >> %s; echo checked".formatted(told, told));
                  assertThat(pull("allowed").ok().err()).contains("Verified by check: checked");
                  assertThat(Files.readString(told))
                      .startsWith(
                          "-name %s -digest %s -stdin-media-type application/vnd.oci.descriptor.v1+json\n"
                              .formatted(image, digest))
                      .contains("\"digest\":\"" + digest + "\"")
                      .contains("\"size\":");
                  clear();
                })
            .add(
                "a verifier need not read its input, and may say very much",
                () -> {
                  script(
                      "loud", "exec <&-; yes out | head -c 3000000; yes err | head -c 3000000 >&2");
                  pull("loud").ok();
                  clear();
                })
            .add(
                "only max_verifiers are asked",
                () -> {
                  for (String name : List.of("a", "b", "c")) {
                    script(name, "exit 0");
                  }
                  script("d", "exit 1");
                  pull("most").ok();
                  clear();
                })
            .add(
                "what cannot be started allows nothing",
                () -> {
                  Files.writeString(Files.createDirectories(verifiers).resolve("README"), "hello");
                  refused("broken", "verifier README cannot be asked");
                  clear();
                })
            .add(
                "verifiers that hang are killed with all that they started, every time",
                () -> {
                  script("hang", "sleep 98761 & sleep 98762 & trap '' TERM; cat >/dev/null; wait");
                  refused(
                      "hang",
                      "verifier hang did not answer within "
                          + PATIENCE.toMillis()
                          + " ms and was killed");
                  long before = scene.daemon.openFiles();
                  for (int i = 0; i < HANGS; i++) {
                    refused("hang", "verifier hang did not answer");
                  }
                  Await.until(
                      "no more files are open than before",
                      () -> scene.daemon.openFiles() <= before + TOLERATED_FILES);
                  Await.until("no sleeper is left", () -> processes("sleep\0009876").isEmpty());
                  Await.until(
                      "no verifier is left",
                      () -> processes(verifiers.toString() + "/hang").isEmpty());
                  clear();
                })
            .add(
                "what a verifier leaves behind is killed",
                () -> {
                  script("leaves", "sleep 98763 >/dev/null 2>&1 & echo fine");
                  pull("leaves").ok();
                  Await.until("no sleeper is left", () -> processes("sleep\00098763").isEmpty());
                  clear();
                })
            .stream();
  }
}
