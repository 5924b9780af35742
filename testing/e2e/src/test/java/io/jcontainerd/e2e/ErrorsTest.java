package io.jcontainerd.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.TestInstance;

/** What people read when something is wrong: the thing, the reason, the next step. */
@Tag("root")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ErrorsTest {
  private Scene scene;
  private Ctr ctr;

  @BeforeAll
  void open() {
    scene = Scene.open("errors");
    ctr = scene.ctr;
  }

  @AfterAll
  void close() {
    scene.close();
  }

  private Command daemon(String config, String... prefix) throws IOException {
    Path file = Files.createTempFile(scene.folder, "c", ".toml");
    Files.writeString(file, config);
    Command.run("chmod", "755", scene.folder.toString()).ok();
    Command.run("chmod", "644", file.toString()).ok();
    List<String> line = new ArrayList<>(List.of(prefix));
    line.addAll(List.of(Daemon.launcher("jcontainerd").toString(), "--config", file.toString()));
    return Command.run(line);
  }

  private String config(String name) {
    Path base = scene.folder.resolve(name);
    return "version = 2\nimports = []\nroot = \"%s/root\"\nstate = \"%s/state\"\n[grpc]\n  address = \"%s/c.sock\"\n"
        .formatted(base, base, base);
  }

  @TestFactory
  Stream<DynamicTest> start() {
    if (Daemon.reference() != null) {
      return Stream.of();
    }
    return new Cases("start")
            .add(
                "not root",
                () -> {
                  daemon(config("a"), "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
                      .refused("root");
                })
            .add(
                "socket in use",
                () ->
                    daemon(
                            config("b")
                                .replace(
                                    scene.folder.resolve("b") + "/c.sock",
                                    scene.daemon.socket() + ""))
                        .refused(scene.daemon.socket().toString(), "in use"))
            .add("socket path too long", () -> daemon(config("x".repeat(120))).refused("104"))
            .add(
                "state in use by another daemon",
                () ->
                    daemon(
                            config("e")
                                .replace(
                                    scene.folder.resolve("e") + "/state",
                                    scene.daemon.state() + ""))
                        .refused(scene.daemon.state().toString(), "in use", "--state"))
            .add(
                "state with tasks of another containerd is refused and not written to",
                () -> {
                  Path state = scene.folder.resolve("f/state");
                  Path bundle = state.resolve("io.containerd.runtime.v2.task/default/c-1");
                  Files.createDirectories(bundle);
                  daemon(config("f")).refused(state.toString(), "containerd", "--state");
                  try (Stream<Path> all = Files.walk(state)) {
                    assertThat(all).hasSize(4);
                  }
                })
            .add(
                "a proxy plug-in with the name of one that is there",
                () ->
                    daemon(
                            config("g")
                                + "[proxy_plugins.native]\n  type = \"snapshot\"\n"
                                + "  address = \"/x.sock\"\n")
                        .refused("proxy_plugins.native", "choose another name"))
            .add(
                "root owned by another containerd is refused and not written to",
                () -> {
                  Path root = scene.folder.resolve("c/root");
                  Path database = root.resolve("io.containerd.metadata.v1.bolt/meta.db");
                  Files.createDirectories(database.getParent());
                  Files.writeString(database, "bolt");
                  daemon(config("c")).refused(root.toString(), "containerd");
                  try (Stream<Path> all = Files.walk(root)) {
                    assertThat(all).hasSize(3);
                  }
                })
            .add(
                "root in use by another daemon",
                () ->
                    daemon(
                            config("d")
                                .replace(
                                    scene.folder.resolve("d") + "/root", scene.daemon.root() + ""))
                        .refused(scene.daemon.root().toString()))
            .add(
                "unsupported version of the configuration",
                () ->
                    daemon("version = 5\n")
                        .refused(
                            "configuration version 5 is not supported, this daemon reads 1 to 4"))
            .add(
                "configuration that is no TOML",
                () -> daemon("version = \n").refused("c", "line 1"))
            .add(
                "a missing configuration file that was named",
                () ->
                    Command.run(
                            Daemon.launcher("jcontainerd").toString(), "--config", "/no/such.toml")
                        .refused("/no/such.toml"))
            .stream();
  }

  @TestFactory
  Stream<DynamicTest> no_runtime() {
    if (Daemon.reference() != null) {
      return Stream.of();
    }
    return new Cases("no OCI runtime")
            .add(
                "the daemon serves; a container is refused, naming what to install",
                () -> {
                  Path bin = Files.createDirectories(scene.folder.resolve("bin"));
                  for (String program : List.of("dirname", "readlink", "grep")) {
                    Path found = Path.of("/usr/bin/" + program);
                    Files.createSymbolicLink(
                        bin.resolve(program),
                        Files.exists(found) ? found : Path.of("/bin/" + program));
                  }
                  String image = scene.registry.host() + "/busybox:1";
                  scene.images.push(scene.registry, "busybox", "1", TestImage.Packing.GZIP);
                  try (Daemon daemon =
                      new Daemon(Files.createDirectories(scene.folder.resolve("n")), false)
                          .withPath(bin)
                          .withConfig(
                              "[plugins.\"io.containerd.internal.v1.opt\"]\n  path = \""
                                  + scene.folder.resolve("opt")
                                  + "\"\n")
                          .start()) {
                    Ctr other = daemon.ctr(scene.ctr.namespace());
                    other.ok("images", "pull", "--plain-http", image);
                    other
                        .run("run", "--rm", image, "none-1", "true")
                        .refused(
                            "no OCI runtime works on this host, install crun or runc:"
                                + " crun: not installed; runc: not installed");
                    assertThat(other.ok("tasks", "ls", "-q").lines()).isEmpty();
                  }
                })
            .stream();
  }

  @TestFactory
  Stream<DynamicTest> requests() {
    return new Cases("requests")
            .add(
                "an image for another platform",
                () -> {
                  String index = scene.registry.host() + "/busybox:other";
                  scene.images.pushIndex(scene.registry, "busybox", "other");
                  ctr.run("images", "pull", "--plain-http", "--platform", "linux/riscv64", index)
                      .refused("not found");
                })
            .add(
                "an unknown runtime",
                () -> {
                  String image = scene.pulled();
                  ctr.run(
                          "run",
                          "--rm",
                          "--runtime",
                          "io.containerd.nosuch.v1",
                          image,
                          "x-1",
                          "true")
                      .refused(
                          "runtime \"io.containerd.nosuch.v1\" binary not installed"
                              + " \"containerd-shim-nosuch-v1\": file does not exist",
                          Daemon.reference() != null
                              ? ""
                              : "install it in a folder of the daemon's PATH, or name another");
                  assertThat(ctr.ok("tasks", "ls", "-q").lines()).isEmpty();
                })
            .add(
                "an OCI runtime that is not there",
                () -> {
                  String image = scene.pulled();
                  for (String runtime : List.of("nosuch", "/usr/bin/nosuch")) {
                    ctr.run("run", "--rm", "--runc-binary", runtime, image, "x-2", "true")
                        .refused(
                            runtime.contains("/")
                                ? "fork/exec /usr/bin/nosuch: no such file or directory"
                                : "exec: \"nosuch\": executable file not found in $PATH",
                            Daemon.reference() != null
                                ? ""
                                : "install it, or name an OCI runtime that is there");
                  }
                  assertThat(ctr.ok("tasks", "ls", "-q").lines()).isEmpty();
                })
            .add(
                "a layer with an entry that leads out of the tree",
                () -> {
                  scene.images.pushEscaping(scene.registry, "escaping", "1");
                  if (Daemon.reference() == null) {
                    ctr.run("images", "pull", "--plain-http", scene.registry.host() + "/escaping:1")
                        .refused(
                            "layer sha256:",
                            "entry \"../evil\" leads out of the tree: build the image anew"
                                + " without it, or do not use the image");
                  }
                })
            .add(
                "a missing parent snapshot",
                () ->
                    ctr.run("snapshots", "prepare", "s-1", "no-such-parent")
                        .refused(
                            "parent snapshot no-such-parent does not exist,"
                                + " unpack the layers below first: not found"))
            .add(
                "no namespace",
                () ->
                    Command.run(Ctr.binary(), "-a", scene.daemon.socket() + "", "-n", "", "c", "ls")
                        .refused("namespace"))
            .stream();
  }
}
