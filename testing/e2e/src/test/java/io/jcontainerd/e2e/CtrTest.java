package io.jcontainerd.e2e;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.TestInstance;

/** The whole life of images, snapshots and containers, by the distribution's {@code ctr}. */
@Tag("root")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class CtrTest {
  private Scene scene;
  private Ctr ctr;
  private String gzip;
  private String zstd;
  private String index;
  private TestImage.Platforms platforms;

  @BeforeAll
  void open() {
    scene = Scene.open("ctr");
    ctr = scene.ctr;
    gzip = scene.registry.host() + "/busybox:gzip";
    zstd = scene.registry.host() + "/busybox:zstd";
    index = scene.registry.host() + "/busybox:index";
    scene.images.push(scene.registry, "busybox", "gzip", TestImage.Packing.GZIP);
    scene.images.push(scene.registry, "busybox", "zstd", TestImage.Packing.ZSTD);
    platforms = scene.images.pushIndex(scene.registry, "busybox", "index");
  }

  @AfterAll
  void close() {
    scene.close();
  }

  @TestFactory
  Stream<DynamicTest> daemon() {
    return new Cases("daemon")
            .add(
                "version",
                () -> {
                  String said = ctr.ok("version").out();
                  assertThat(said)
                      .contains("Server:")
                      .containsPattern("UUID: [0-9a-f]{8}-[0-9a-f]{4}-");
                  if (Daemon.reference() == null) {
                    String[] ours =
                        Command.run(Daemon.launcher("jcontainerd").toString(), "--version")
                            .ok()
                            .text()
                            .split(" ", -1);
                    assertThat(said)
                        .contains("+jcontainerd." + ours[1])
                        .contains("Revision: " + (ours.length > 2 ? ours[2] : ""));
                  }
                })
            .add(
                "plugins ls",
                () -> {
                  String list = ctr.ok("plugins", "ls").out();
                  for (String plugin :
                      List.of(
                          "io.containerd.snapshotter.v1 +overlayfs",
                          "io.containerd.snapshotter.v1 +native",
                          "io.containerd.content.v1 +content",
                          "io.containerd.runtime.v2 +task",
                          "io.containerd.grpc.v1 +tasks")) {
                    assertThat(list).containsPattern(plugin + " .*ok");
                  }
                })
            .add("config dump shows the OCI runtime that proved itself", this::dumpShowsRuntime)
            .add(
                "plugins ls with a filter",
                () ->
                    assertThat(ctr.ok("plugins", "ls", "-q", "type~=snapshotter").out())
                        .contains("native", "overlayfs")
                        .doesNotContain("content"))
            .stream();
  }

  private void dumpShowsRuntime() {
    if (Daemon.reference() != null) {
      return; // it proves none
    }
    Matcher proven =
        Pattern.compile("oci_runtime = '(/[^']+)'")
            .matcher(
                Command.run(
                        Daemon.launcher("jcontainerd").toString(),
                        "--config",
                        scene.daemon.config().toString(),
                        "config",
                        "dump")
                    .ok()
                    .out());
    assertThat(proven.find()).isTrue();
    Await.until(
        "introspection shows " + proven.group(1),
        () -> ctr.ok("plugins", "ls", "-d", "id==task").out().contains(proven.group(1)));
  }

  @TestFactory
  Stream<DynamicTest> namespaces() {
    return new Cases("namespaces")
            .add("create", () -> ctr.ok("namespaces", "create", "team-a", "owner=ann"))
            .add(
                "create again is refused",
                () -> ctr.run("namespaces", "create", "team-a").refused("already exists"))
            .add(
                "create with a bad name is refused",
                () -> ctr.run("namespaces", "create", "bad/name").refused("invalid"))
            .add(
                "label and ls",
                () -> {
                  ctr.ok("namespaces", "label", "team-a", "stage=test");
                  assertThat(ctr.ok("namespaces", "ls").out())
                      .containsPattern("team-a +.*owner=ann")
                      .contains("stage=test");
                })
            .add(
                "rm of one that is not empty is refused",
                () -> {
                  Ctr team = ctr.in("team-a");
                  String digest =
                      TestImage.digest("text".getBytes(java.nio.charset.StandardCharsets.UTF_8));
                  Await.until(
                      "the content is kept",
                      () -> {
                        team.input("text", "content", "ingest", "a-ref");
                        return team.run("content", "label", digest, "containerd.io/gc.root=test")
                                .status()
                            == 0;
                      });
                  ctr.run("namespaces", "rm", "team-a").refused("team-a", "must be empty", "blobs");
                  team.ok("content", "rm", digest);
                })
            .add(
                "rm",
                () -> {
                  ctr.ok("namespaces", "rm", "team-a");
                  assertThat(ctr.ok("namespaces", "ls", "-q").lines()).doesNotContain("team-a");
                })
            .stream();
  }

  @TestFactory
  Stream<DynamicTest> images() {
    Path mount = scene.folder.resolve("mount");
    Path archive = scene.folder.resolve("archive.tar");
    Cases cases =
        new Cases("images")
            .add(
                "pull --plain-http, layers packed by gzip",
                () -> {
                  ctr.ok("images", "pull", "--plain-http", gzip);
                  assertThat(ctr.ok("images", "ls", "-q").lines()).contains(gzip);
                })
            .add(
                "pull, layers packed by zstd", () -> ctr.ok("images", "pull", "--plain-http", zstd))
            .add(
                "pull of an index, this machine's platform only",
                () -> {
                  ctr.ok("images", "pull", "--plain-http", index);
                  assertThat(ctr.ok("content", "ls", "-q").lines())
                      .contains(platforms.index(), platforms.own())
                      .doesNotContain(platforms.other());
                })
            .add(
                "pull --all-platforms",
                () -> {
                  ctr.ok("images", "pull", "--plain-http", "--all-platforms", index);
                  assertThat(ctr.ok("content", "ls", "-q").lines())
                      .contains(platforms.index(), platforms.own(), platforms.other());
                })
            .add("pull again", () -> ctr.ok("images", "pull", "--plain-http", gzip))
            .add(
                "pull of what is not there is refused",
                () ->
                    ctr.run("images", "pull", "--plain-http", scene.registry.host() + "/none:1")
                        .refused("not found"))
            .add(
                "check",
                () ->
                    assertThat(ctr.ok("images", "check").out())
                        .containsPattern(Pattern.quote(gzip) + ".*complete.*true"))
            .add(
                "tag and label",
                () -> {
                  ctr.ok("images", "tag", gzip, "local/copy:1");
                  ctr.ok("images", "label", "local/copy:1", "mark=yes");
                  assertThat(ctr.ok("images", "ls", "labels.mark==yes").out())
                      .contains("local/copy:1");
                  if (!Ctr.isSecond()) { // later ones have the daemon take the name over
                    ctr.run("images", "tag", gzip, "local/copy:1").refused("already exists");
                  }
                })
            .add(
                "mount shows the layers on each other",
                () -> {
                  Files.createDirectories(mount);
                  ctr.ok("images", "mount", gzip, mount.toString());
                  assertThat(Scene.read(mount.resolve("etc/version"))).isEqualTo("2\n");
                  assertThat(mount.resolve("etc/removed")).doesNotExist();
                  assertThat(mount.resolve("etc/.wh.removed")).doesNotExist();
                  assertThat(mount.resolve("data/.wh..wh..opq")).doesNotExist();
                  assertThat(
                          Command.run("stat", "-c", "%a %u %g %h", mount + "/data/setuid").text())
                      .isEqualTo("6755 1000 1000 1");
                  assertThat(Command.run("stat", "-c", "%h", mount + "/data/linked").text())
                      .isEqualTo("2");
                })
            .add(
                "unmount --rm",
                () -> {
                  ctr.ok("images", "unmount", "--rm", mount.toString());
                  assertThat(Scene.read(Path.of("/proc/self/mounts")))
                      .doesNotContain(mount.toString());
                })
            .add(
                "export and import in another namespace",
                () -> {
                  ctr.ok("images", "export", archive.toString(), gzip);
                  Ctr other = ctr.beside("import");
                  other.ok("images", "import", archive.toString());
                  assertThat(digestOf(other, gzip)).isEqualTo(digestOf(ctr, gzip));
                  assertThat(other.ok("images", "check").out()).containsPattern("complete.*true");
                  assertThat(
                          other.ok("run", "--rm", gzip, "imported", "cat", "/etc/version").text())
                      .isEqualTo("2");
                })
            .add(
                "rm --sync takes the content away",
                () -> {
                  Ctr other = ctr.beside("import");
                  other.ok("images", "rm", "--sync", gzip);
                  assertThat(other.ok("content", "ls", "-q").lines()).isEmpty();
                  assertThat(other.ok("snapshots", "ls").lines()).hasSize(1);
                  other.run("images", "rm", gzip);
                  ctr.ok("namespaces", "rm", other.namespace());
                });
    if (Ctr.isSecond()) {
      cases.add(
          "usage",
          () ->
              assertThat(ctr.ok("images", "usage", gzip).lines())
                  .hasSize(3)
                  .element(1, InstanceOfAssertFactories.STRING)
                  .matches("sha256:[0-9a-f]{64} +[0-9.]+ [KM]iB +[0-9]+"));
    }
    return cases.stream();
  }

  private static String digestOf(Ctr ctr, String image) {
    Matcher digest =
        Pattern.compile("sha256:[0-9a-f]{64}")
            .matcher(ctr.ok("images", "ls", "name==" + image).out());
    assertThat(digest.find()).isTrue();
    return digest.group();
  }

  @TestFactory
  Stream<DynamicTest> content() {
    String text = "some content\n";
    String digest = TestImage.digest(text.getBytes(UTF_8));
    return new Cases("content")
            .add(
                "fetch",
                () -> {
                  Ctr other = ctr.beside("fetch");
                  other.ok("content", "fetch", "--plain-http", zstd);
                  assertThat(other.ok("content", "ls", "-q").lines()).hasSize(4);
                  assertThat(other.ok("snapshots", "ls").lines()).hasSize(1);
                  other.ok("images", "rm", "--sync", zstd);
                  ctr.ok("namespaces", "rm", other.namespace());
                })
            .add(
                "ingest and get",
                () -> {
                  keep(
                      digest,
                      () ->
                          ctr.input(
                              text, "content", "ingest", "--expected-digest", digest, "ref-1"));
                  assertThat(ctr.ok("content", "get", digest).out()).isEqualTo(text);
                })
            .add(
                "ingest with a wrong digest is refused",
                () ->
                    ctr.input(
                            "other",
                            "content",
                            "ingest",
                            "--expected-digest",
                            digest.replace('0', '1'),
                            "ref-2")
                        .refused("unexpected"))
            .add(
                "ls and label",
                () -> {
                  assertThat(ctr.ok("content", "ls").out()).contains(digest);
                  ctr.ok("content", "label", digest, "kind=text");
                  assertThat(ctr.ok("content", "ls", "-q", "labels.kind==text").lines())
                      .containsExactly(digest);
                })
            .add(
                "active lists what is being written, and its size",
                () -> {
                  String half = "half of it, ".repeat(1 << 17); // ctr sends a megabyte at a time
                  try (Background ingest =
                      Background.start(ctr.line("content", "ingest", "ref-active"))) {
                    ingest.type(half);
                    Await.until(
                        "ref-active with its first bytes",
                        () -> ctr.ok("content", "active").out().matches(ACTIVE));
                    ingest.type(half);
                    ingest.endInput();
                    assertThat(ingest.awaitEnd()).as(ingest.text()).isZero();
                  }
                  assertThat(ctr.ok("content", "active").out()).doesNotContain("ref-active");
                  String whole = TestImage.digest((half + half).getBytes(UTF_8));
                  keep(whole, () -> ctr.input(half + half, "content", "ingest", "ref-again"));
                  assertThat(ctr.ok("content", "get", whole).out()).isEqualTo(half + half);
                  ctr.ok("content", "rm", whole);
                })
            .add(
                "rm",
                () -> {
                  ctr.ok("content", "rm", digest);
                  ctr.run("content", "get", digest).refused("not found");
                })
            .stream();
  }

  /** What no lease keeps may be collected at any time until it is labelled as a root. */
  private void keep(String digest, Runnable ingest) {
    Await.until(
        "content " + digest + " is kept",
        () -> {
          if (ctr.run("content", "label", digest, "containerd.io/gc.root=test").status() == 0) {
            return true;
          }
          ingest.run();
          return false;
        });
  }

  /** An ingest with some bytes; how their count is written differs from release to release. */
  private static final String ACTIVE = "(?s).*\\nref-active\\s+[1-9].*";

  @TestFactory
  Stream<DynamicTest> snapshots() {
    Path mount = scene.folder.resolve("snapshot");
    return new Cases("snapshots")
            .add(
                "ls and tree",
                () -> {
                  ctr.ok("images", "pull", "--plain-http", gzip);
                  assertThat(ctr.ok("snapshots", "ls").out()).contains("Committed");
                  assertThat(ctr.ok("snapshots", "tree").out()).contains("sha256:");
                })
            .add(
                "prepare, mounts and write",
                () -> {
                  String parent = topSnapshot();
                  ctr.ok("snapshots", "prepare", "work-1", parent);
                  ctr.run("snapshots", "prepare", "work-1", parent).refused("already exists");
                  String command = ctr.ok("snapshots", "mounts", mount.toString(), "work-1").text();
                  assertThat(command)
                      .contains("overlay")
                      .contains("upperdir=")
                      .contains("lowerdir=");
                  Files.createDirectories(mount);
                  Command.run("sh", "-c", command).ok();
                  Files.writeString(mount.resolve("etc/version"), "3\n");
                  Files.delete(mount.resolve("data/added"));
                  Command.run("umount", mount.toString()).ok();
                })
            .add(
                "info and usage",
                () -> {
                  assertThat(ctr.ok("snapshots", "info", "work-1").out()).contains("\"Active\"");
                  assertThat(ctr.ok("snapshots", "usage", "work-1").out()).contains("work-1");
                })
            .add(
                "diff",
                () -> {
                  Path tar = scene.folder.resolve("diff.tgz");
                  Command.run(
                          List.of(
                              "sh",
                              "-c",
                              String.join(" ", ctr.line("snapshots", "diff", "work-1"))
                                  + " > "
                                  + tar))
                      .ok();
                  assertThat(Command.run("tar", "-tzf", tar.toString()).ok().lines())
                      .contains("etc/version", "data/.wh.added");
                })
            .add(
                "commit",
                () -> {
                  ctr.ok("snapshots", "commit", "done-1", "work-1");
                  assertThat(ctr.ok("snapshots", "info", "done-1").out()).contains("\"Committed\"");
                  ctr.run("snapshots", "info", "work-1").refused("not found");
                })
            .add(
                "view",
                () -> {
                  // what no lease keeps may be collected at any time until it is labelled as a root
                  Await.until(
                      "the view is kept",
                      () -> {
                        ctr.run("snapshots", "view", "view-1", "done-1");
                        return ctr.run("snapshots", "label", "view-1", "containerd.io/gc.root=test")
                                .status()
                            == 0;
                      });
                  String command = ctr.ok("snapshots", "mounts", mount.toString(), "view-1").text();
                  Command.run("sh", "-c", command).ok();
                  assertThat(Scene.read(mount.resolve("etc/version"))).isEqualTo("3\n");
                  assertThat(mount.resolve("data/added")).doesNotExist();
                  assertThat(Command.run("touch", mount + "/x").status()).isNotZero();
                  Command.run("umount", mount.toString()).ok();
                })
            .add(
                "rm of a parent is refused",
                () -> ctr.run("snapshots", "rm", "done-1").refused("with child"))
            .add(
                "rm",
                () -> {
                  ctr.ok("snapshots", "rm", "view-1");
                  ctr.ok("snapshots", "rm", "done-1");
                  ctr.run("snapshots", "info", "done-1").refused("not found");
                })
            .add(
                "unpack",
                () -> {
                  Ctr other = ctr.beside("unpack");
                  other.ok("content", "fetch", "--plain-http", gzip);
                  other.ok("snapshots", "unpack", digestOf(other, gzip));
                  assertThat(other.ok("snapshots", "ls").lines()).hasSize(3);
                  other.ok("images", "rm", "--sync", gzip);
                  assertThat(other.ok("snapshots", "ls").lines()).hasSize(1);
                  ctr.ok("namespaces", "rm", other.namespace());
                })
            .add(
                "another snapshotter",
                () ->
                    assertThat(
                            ctr.ok(
                                    "run",
                                    "--rm",
                                    "--snapshotter",
                                    "native",
                                    gzip,
                                    "s-native",
                                    "cat",
                                    "/etc/version")
                                .text())
                        .isEqualTo("2"))
            .add(
                "an unknown snapshotter is refused",
                () -> ctr.run("snapshots", "--snapshotter", "nosuch", "ls").refused("nosuch"))
            .stream();
  }

  private String topSnapshot() {
    List<String> lines = ctr.ok("snapshots", "ls").lines();
    return lines.stream()
        .filter(l -> l.contains("Committed") && l.split("\\s+", -1).length == 3)
        .map(l -> l.split("\\s+", -1)[0])
        .findFirst()
        .orElseThrow();
  }

  @TestFactory
  Stream<DynamicTest> leases() {
    return new Cases("leases")
            .add(
                "create, ls and rm",
                () -> {
                  ctr.ok("leases", "create", "--id", "keep", "why=test");
                  assertThat(ctr.ok("leases", "ls").out()).contains("keep").contains("why=test");
                  ctr.run("leases", "create", "--id", "keep").refused("already exists");
                  String made = ctr.ok("leases", "create").text();
                  assertThat(ctr.ok("leases", "ls", "-q").lines()).contains("keep", made);
                  ctr.ok("leases", "rm", "keep", made);
                  assertThat(ctr.ok("leases", "ls", "-q").lines()).doesNotContain("keep", made);
                  ctr.run("leases", "rm", "keep").refused("not found");
                })
            .stream();
  }

  @TestFactory
  Stream<DynamicTest> containers() {
    return new Cases("containers")
            .add(
                "create, ls, info and label",
                () -> {
                  ctr.ok("images", "pull", "--plain-http", gzip);
                  ctr.ok("containers", "create", "--label", "a=b", gzip, "c-1", "sleep", "100");
                  assertThat(ctr.ok("containers", "ls").out()).containsPattern("c-1 +" + gzip);
                  assertThat(ctr.ok("containers", "info", "c-1").out())
                      .contains("\"ID\": \"c-1\"")
                      .contains("\"a\": \"b\"");
                  ctr.ok("containers", "label", "c-1", "x=y");
                  assertThat(ctr.ok("containers", "ls", "-q", "labels.x==y").lines())
                      .containsExactly("c-1");
                  ctr.run("containers", "create", gzip, "c-1").refused("already exists");
                })
            .add(
                "rm takes the snapshot along",
                () -> {
                  assertThat(ctr.ok("snapshots", "ls").out()).contains("c-1");
                  ctr.ok("containers", "rm", "c-1");
                  assertThat(ctr.ok("snapshots", "ls").out()).doesNotContain("c-1");
                  ctr.run("containers", "info", "c-1").refused("not found");
                })
            .stream();
  }

  @TestFactory
  Stream<DynamicTest> tasks() {
    return new Cases("tasks")
            .add(
                "run --rm passes output and exit code through",
                () -> {
                  ctr.ok("images", "pull", "--plain-http", gzip);
                  Command run =
                      ctr.run(
                          "run", "--rm", gzip, "r-1", "sh", "-c", "echo out; echo err >&2; exit 7");
                  assertThat(run.status()).as(run.toString()).isEqualTo(7);
                  assertThat(run.out()).isEqualTo("out\n");
                  assertThat(run.err()).contains("err\n");
                  assertThat(ctr.ok("containers", "ls", "-q").lines()).doesNotContain("r-1");
                })
            .add(
                "run --rm with input",
                () -> {
                  try (Background run =
                      Background.start(ctr.line("run", "--rm", gzip, "r-in", "cat"))) {
                    Tasks.awaitStatus(ctr, "r-in", "RUNNING");
                    run.type("typed\n");
                    run.awaitText("typed");
                    ctr.ok("tasks", "kill", "-s", "SIGKILL", "r-in");
                    assertThat(run.awaitEnd()).isEqualTo(137);
                  }
                })
            .add(
                "run --rm with a lot of output",
                () ->
                    assertThat(
                            ctr.ok("run", "--rm", gzip, "r-big", "sh", "-c", "seq 1 200000")
                                .out()
                                .length())
                        .isEqualTo(1_288_895))
            .add(
                "run of what does not exist says so and leaves nothing",
                () -> {
                  ctr.run("run", "--rm", gzip, "r-none", "/no/such/program")
                      .refused("no such file");
                  assertThat(ctr.ok("tasks", "ls", "-q").lines()).doesNotContain("r-none");
                  ctr.ok("run", "--rm", gzip, "r-none", "true");
                })
            .add(
                "run -d, tasks ls and ps",
                () -> {
                  ctr.ok("run", "-d", gzip, "t-1", "sleep", "1000");
                  assertThat(ctr.ok("tasks", "ls").out()).containsPattern("t-1 +\\d+ +RUNNING");
                  String pid = pidOf("t-1");
                  assertThat(ctr.ok("tasks", "ps", "t-1").out()).contains(pid);
                  assertThat(Scene.read(Path.of("/proc/" + pid + "/cmdline"))).contains("sleep");
                  ctr.run("run", "-d", gzip, "t-1", "true").refused("already exists");
                })
            .add(
                "metrics",
                () ->
                    assertThat(ctr.ok("tasks", "metrics", "t-1").out())
                        .contains("t-1")
                        .containsIgnoringCase("memory"))
            .add(
                "exec passes output and exit code through",
                () -> {
                  Command exec =
                      ctr.run(
                          "tasks",
                          "exec",
                          "--exec-id",
                          "e-1",
                          "t-1",
                          "sh",
                          "-c",
                          "echo in; exit 9");
                  assertThat(exec.status()).as(exec.toString()).isEqualTo(9);
                  assertThat(exec.out()).isEqualTo("in\n");
                })
            .add(
                "exec gets what is typed, and the end of it",
                () ->
                    assertThat(
                            ctr.input(
                                    "a\nb\n",
                                    "tasks",
                                    "exec",
                                    "--exec-id",
                                    "e-in",
                                    "t-1",
                                    "wc",
                                    "-l")
                                .ok()
                                .text())
                        .isEqualTo("2"))
            .add(
                "exec of what does not exist says so",
                () ->
                    ctr.run("tasks", "exec", "--exec-id", "e-2", "t-1", "/no/such")
                        .refused("no such file"))
            .add(
                "exec -d shows in ps, and can be killed",
                () -> {
                  ctr.ok("tasks", "exec", "-d", "--exec-id", "e-3", "t-1", "sleep", "999");
                  assertThat(ctr.ok("tasks", "ps", "t-1").out()).contains("e-3");
                  ctr.ok("tasks", "kill", "--exec-id", "e-3", "-s", "SIGKILL", "t-1");
                  Await.until(
                      "the exec is gone",
                      () -> !ctr.ok("tasks", "ps", "t-1").out().contains("e-3"));
                  Await.until( // it is dead before the shim has seen its end
                      "the exec is deleted with its status",
                      () -> ctr.run("tasks", "rm", "--exec-id", "e-3", "t-1").status() == 137);
                })
            .add(
                "pause and resume",
                () -> {
                  ctr.ok("tasks", "pause", "t-1");
                  assertThat(ctr.ok("tasks", "ls").out()).containsPattern("t-1 +\\d+ +PAUSED");
                  ctr.run("tasks", "exec", "--exec-id", "e-4", "t-1", "true").refused("paused");
                  ctr.ok("tasks", "resume", "t-1");
                  assertThat(ctr.ok("tasks", "ls").out()).containsPattern("t-1 +\\d+ +RUNNING");
                })
            .add(
                "rm of a running task is refused",
                () -> ctr.run("tasks", "rm", "t-1").refused("t-1"))
            .add(
                "kill and rm",
                () -> {
                  ctr.ok("tasks", "kill", "-s", "SIGKILL", "t-1");
                  Await.until(
                      "stopped",
                      () -> ctr.ok("tasks", "ls").out().matches("(?s).*t-1 +\\d+ +STOPPED.*"));
                  ctr.run("tasks", "kill", "t-1").refused("finished");
                  ctr.run("tasks", "rm", "t-1");
                  assertThat(ctr.ok("tasks", "ls", "-q").lines()).doesNotContain("t-1");
                  ctr.run("tasks", "kill", "t-1").refused("not found");
                  ctr.ok("containers", "rm", "t-1");
                })
            .add(
                "start passes what is typed to the task",
                () -> {
                  ctr.ok("containers", "create", gzip, "t-2", "cat");
                  try (Background start = Background.start(ctr.line("tasks", "start", "t-2"))) {
                    Tasks.awaitStatus(ctr, "t-2", "RUNNING");
                    start.type("hello\n");
                    start.awaitText("hello");
                    ctr.ok("tasks", "kill", "-s", "SIGKILL", "t-2");
                    assertThat(start.awaitEnd()).isEqualTo(137);
                  }
                  ctr.ok("containers", "rm", "t-2");
                })
            .add(
                "attach",
                () -> {
                  ctr.ok(
                      "run",
                      "-d",
                      gzip,
                      "t-3",
                      "sh",
                      "-c",
                      "while :; do echo beat; sleep 0.2; done");
                  try (Background attach = Background.start(ctr.line("tasks", "attach", "t-3"))) {
                    attach.awaitText("beat");
                    ctr.ok("tasks", "kill", "-s", "SIGKILL", "t-3");
                    assertThat(attach.awaitEnd()).isEqualTo(137);
                  }
                  ctr.run("tasks", "rm", "t-3");
                  ctr.ok("containers", "rm", "t-3");
                })
            .add(
                "run -t under a terminal, a resize seen inside",
                () -> {
                  Path rows = scene.folder.resolve("rows");
                  String run =
                      String.join(" ", ctr.line("run", "--rm", "-t", gzip, "t-4", "sh", "-c"))
                          + " 'tty; while :; do stty size 2>/dev/null; sleep 0.1; done'";
                  String script = "stty rows 30 cols 100; (tty > " + rows + "); " + run;
                  try (Background terminal =
                      Background.start(List.of("script", "-qfec", script, "/dev/null"))) {
                    terminal.awaitText("/dev/");
                    terminal.awaitText("30 100");
                    String tty = Scene.read(rows).strip();
                    Command.run("stty", "-F", tty, "rows", "41", "cols", "121").ok();
                    terminal.awaitText("41 121");
                    ctr.ok("tasks", "kill", "-s", "SIGKILL", "t-4");
                    terminal.awaitEnd();
                  }
                  Await.until(
                      "t-4 is gone",
                      () -> !ctr.ok("containers", "ls", "-q").lines().contains("t-4"));
                })
            .add(
                "events show the whole sequence of a run, in order",
                () -> {
                  try (Background events = Background.start(ctr.line("events"))) {
                    // the subscription has begun once something is shown
                    Await.until(
                        "events flow",
                        () -> {
                          ctr.run("images", "label", gzip, "ping=" + System.nanoTime());
                          return events.text().contains("/images/update");
                        });
                    ctr.ok("run", "--rm", gzip, "ev-1", "true");
                    events.awaitText("/containers/delete");
                    List<String> topics = new ArrayList<>();
                    for (String line : events.text().lines().toList()) {
                      Matcher topic = Pattern.compile(" (/[a-z]+/[a-z-]+) ").matcher(line);
                      if (topic.find() && !topic.group(1).startsWith("/images")) {
                        topics.add(topic.group(1));
                      }
                    }
                    assertThat(topics)
                        .containsSubsequence(
                            "/snapshot/prepare",
                            "/containers/create",
                            "/tasks/create",
                            "/tasks/start",
                            "/tasks/exit",
                            "/tasks/delete",
                            "/snapshot/remove",
                            "/containers/delete");
                  }
                })
            .stream();
  }

  private String pidOf(String id) {
    Matcher pid = Pattern.compile("(?m)^" + id + " +(\\d+) ").matcher(ctr.ok("tasks", "ls").out());
    assertThat(pid.find()).isTrue();
    return pid.group(1);
  }
}
