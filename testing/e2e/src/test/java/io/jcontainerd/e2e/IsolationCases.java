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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.TestInstance;

/** What keeps a container apart, each proved from inside it and from the host. */
@Tag("root")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class IsolationCases {
  private static final long MIB = 1024 * 1024;

  private static final Path NETWORKS = Path.of("/run/netns");

  private final String runtime;
  private final boolean privateMounts;
  private Scene scene;
  private Ctr ctr;
  private String image;
  private int count;
  private boolean hadNetworks;

  /**
   * @param runtime the OCI runtime's binary
   * @param privateMounts whether it refuses a second cgroup hierarchy, so that the daemon runs
   *     without one
   */
  IsolationCases(String runtime, boolean privateMounts) {
    this.runtime = runtime;
    this.privateMounts = privateMounts;
  }

  @BeforeAll
  void open() {
    hadNetworks = isMounted(NETWORKS);
    if (!hadNetworks) {
      // the first one of a boot makes the folder a mount that passes on what is mounted in it,
      // which
      // a daemon in a mount namespace of its own must have seen
      Command.run("ip", "netns", "add", "jc-first").ok();
      Command.run("ip", "netns", "del", "jc-first").ok();
    }
    scene = Scene.open(runtime, privateMounts, "");
    ctr = scene.ctr;
    image = scene.registry.host() + "/busybox:1";
    scene.images.push(scene.registry, "busybox", "1", TestImage.Packing.GZIP);
    ctr.ok("images", "pull", "--plain-http", image);
  }

  @AfterAll
  void close() throws IOException {
    scene.close();
    if (!hadNetworks) {
      try (Stream<Path> others = Files.list(NETWORKS)) {
        if (others.findAny().isPresent()) {
          return;
        }
      }
      Command.run("umount", NETWORKS.toString()).ok();
    }
  }

  @Test
  void a_container_that_names_no_runtime_gets_the_one_that_proved_itself() {
    Await.until(
        runtime + " has proved itself",
        () -> ctr.ok("plugins", "ls", "-d", "id==task").out().contains("/" + runtime + "\n"));
    ctr.ok("run", "--rm", image, id(), "true");
  }

  private static boolean isMounted(Path folder) {
    return Scene.read(Path.of("/proc/self/mountinfo")).contains(" " + folder + " ");
  }

  private String id() {
    return "i-" + ++count;
  }

  /** Runs a shell script in a container with these flags. */
  private Command run(List<String> flags, String script) {
    return runAs(id(), flags, script);
  }

  private Command runAs(String id, List<String> flags, String script) {
    List<String> line = new ArrayList<>(List.of("run", "--rm", "--runc-binary", runtime));
    line.addAll(flags);
    line.addAll(List.of(image, id, "sh", "-c", script));
    return ctr.run(line);
  }

  /** A container that goes on; the body gets its id and the process id of its init. */
  private void running(List<String> flags, Body body) throws Exception {
    String id = id();
    List<String> line = new ArrayList<>(List.of("run", "-d", "--runc-binary", runtime));
    line.addAll(flags);
    line.addAll(List.of(image, id, "sleep", "1000"));
    ctr.run(line).ok();
    try {
      body.run(id, Tasks.pid(ctr, id));
    } finally {
      Tasks.remove(ctr, id);
    }
  }

  @FunctionalInterface
  private interface Body {
    void run(String id, long pid) throws Exception;
  }

  private Command exec(String id, String script) {
    return ctr.run("tasks", "exec", "--exec-id", "x-" + ++count, id, "sh", "-c", script);
  }

  /** Reads a file of the process's cgroup: the v1 controller's name, or the v2 one. */
  private static String cgroup(long pid, String controller, String v1, String v2) {
    String unified = "";
    for (String line : Scene.read(Path.of("/proc/" + pid + "/cgroup")).lines().toList()) {
      List<String> parts = List.of(line.split(":", 3));
      if (List.of(parts.get(1).split(",", -1)).contains(controller)) {
        return Scene.read(Path.of("/sys/fs/cgroup/" + controller + parts.get(2), v1)).strip();
      }
      if (parts.get(0).equals("0")) {
        unified = parts.get(2);
      }
    }
    return Scene.read(Path.of("/sys/fs/cgroup" + unified, v2)).strip();
  }

  @TestFactory
  Stream<DynamicTest> limits() {
    return new Cases(runtime + " limits")
            .add(
                "memory limit is in the cgroup",
                () ->
                    running(
                        List.of("--memory-limit", "" + 64 * MIB),
                        (id, pid) ->
                            assertThat(cgroup(pid, "memory", "memory.limit_in_bytes", "memory.max"))
                                .isEqualTo("" + 64 * MIB)))
            .add(
                "a process beyond the memory limit is killed, and the event arrives",
                () -> {
                  try (Background events = Background.start(ctr.line("events"))) {
                    Await.until(
                        "events flow",
                        () -> {
                          ctr.run("images", "label", image, "ping=" + System.nanoTime());
                          return events.text().contains("/images/update");
                        });
                    Command run =
                        run(List.of("--memory-limit", "" + 32 * MIB), "exec tail /dev/zero");
                    assertThat(run.status()).as(run.toString()).isEqualTo(137);
                    events.awaitText("/tasks/oom");
                  }
                })
            .add(
                "cpu shares and quota are in the cgroup",
                () ->
                    running(
                        List.of(
                            "--cpu-shares",
                            "512",
                            "--cpu-quota",
                            "20000",
                            "--cpu-period",
                            "100000"),
                        (id, pid) -> {
                          assertThat(cgroup(pid, "cpu", "cpu.shares", "cpu.weight"))
                              .isIn("512", "20", "59");
                          assertThat(cgroup(pid, "cpu", "cpu.cfs_quota_us", "cpu.max"))
                              .isIn("20000", "20000 100000");
                        }))
            .add(
                "pids limit",
                () -> {
                  Path tree = scene.folder.resolve("tree");
                  if (!Files.exists(tree)) {
                    TestImage.tree(tree);
                  }
                  String id = id();
                  String script = "for i in 1 2 3 4 5 6 7 8 9; do sleep 100 & done; echo all";
                  String spec =
                      Command.run(Ctr.binary(), "oci", "spec")
                          .ok()
                          .out()
                          .replaceFirst("\"path\": \"rootfs\"", "\"path\": \"" + tree + "\"")
                          .replaceFirst(
                              "\"process\": \\{",
                              "\"process\": {\"env\": [\"PATH=/bin\"], \"args\": [\"/bin/sh\", \"-c\", \""
                                  + script
                                  + "\"],")
                          .replaceFirst(
                              "\"cgroupsPath\": \"[^\"]*\"", "\"cgroupsPath\": \"/e2e/" + id + "\"")
                          .replaceFirst(
                              "\"resources\": \\{", "\"resources\": {\"pids\": {\"limit\": 5},");
                  Path file = scene.folder.resolve("spec.json");
                  Files.writeString(file, spec);
                  Command run =
                      ctr.run(
                          "run", "--rm", "--runc-binary", runtime, "--config", file.toString(), id);
                  assertThat(run.err() + run.out()).as(run.toString()).contains("can't fork");
                })
            .stream();
  }

  @TestFactory
  Stream<DynamicTest> namespaces() {
    return new Cases(runtime + " namespaces")
            .add(
                "process ids: the host's processes are invisible",
                () -> {
                  Command run = run(List.of(), "echo pid $$; ls -d /proc/[0-9]* | wc -l");
                  assertThat(run.ok().out()).startsWith("pid 1\n");
                  assertThat(Integer.parseInt(run.lines().get(1))).isLessThan(5);
                })
            .add(
                "mounts: the host's files are invisible",
                () -> {
                  Path mark = scene.folder.resolve("mark");
                  Files.writeString(mark, "");
                  run(List.of(), "test ! -e " + mark).ok();
                })
            .add(
                "the namespaces are not the host's",
                () ->
                    running(
                        List.of(),
                        (id, pid) -> {
                          for (String kind : List.of("pid", "mnt", "uts", "ipc", "net")) {
                            String inside = exec(id, "readlink /proc/1/ns/" + kind).ok().text();
                            assertThat(inside)
                                .as(kind)
                                .isNotEqualTo(
                                    Files.readSymbolicLink(Path.of("/proc/self/ns/" + kind))
                                        .toString())
                                .isEqualTo(
                                    Files.readSymbolicLink(Path.of("/proc/" + pid + "/ns/" + kind))
                                        .toString());
                          }
                        }))
            .add(
                "a user namespace: 0 is another one outside, and so are the files it writes",
                () -> {
                  Path shared = scene.folder.resolve("shared");
                  Files.createDirectories(shared);
                  Command.run("chown", "100000:100000", shared.toString()).ok();
                  Command.run("chmod", "755", scene.folder.toString()).ok();
                  Command run =
                      run(
                          List.of(
                              "--uidmap",
                              "0:100000:65536",
                              "--gidmap",
                              "0:100000:65536",
                              "--mount",
                              "type=bind,src=" + shared + ",dst=/data,options=rbind:rw"),
                          "id -u; cat /proc/self/uid_map; echo x > /data/file; stat -c %u /data/file");
                  assertThat(run.ok().out()).containsPattern("^0\n +0 +100000 +65536\n0\n$");
                  assertThat(Command.run("stat", "-c", "%u:%g", shared + "/file").text())
                      .isEqualTo("100000:100000");
                })
            .add(
                "a host name that is set inside is not the host's",
                () -> {
                  Path name = Path.of("/proc/sys/kernel/hostname");
                  String before = Scene.read(name);
                  assertThat(
                          run(List.of("--privileged"), "hostname only-inside && hostname")
                              .ok()
                              .text())
                      .isEqualTo("only-inside");
                  assertThat(Scene.read(name)).isEqualTo(before);
                })
            .stream();
  }

  @TestFactory
  Stream<DynamicTest> files() {
    return new Cases(runtime + " files")
            .add(
                "a read-only bind mount",
                () -> {
                  Path folder = Files.createDirectories(scene.folder.resolve("ro"));
                  Files.writeString(folder.resolve("f"), "host\n");
                  Command run =
                      run(
                          List.of(
                              "--mount", "type=bind,src=" + folder + ",dst=/host,options=rbind:ro"),
                          "cat /host/f; echo y > /host/f");
                  assertThat(run.status()).isNotZero();
                  assertThat(run.out()).isEqualTo("host\n");
                  assertThat(run.err()).contains("Read-only file system");
                })
            .add(
                "a read-write bind mount",
                () -> {
                  Path folder = Files.createDirectories(scene.folder.resolve("rw"));
                  run(
                          List.of(
                              "--mount", "type=bind,src=" + folder + ",dst=/host,options=rbind:rw"),
                          "echo inside > /host/f")
                      .ok();
                  assertThat(Scene.read(folder.resolve("f"))).isEqualTo("inside\n");
                })
            .add(
                "a read-only root",
                () -> {
                  Command run = run(List.of("--read-only"), "echo x > /x");
                  assertThat(run.status()).isNotZero();
                  assertThat(run.err()).contains("Read-only file system");
                })
            .add(
                "environment from the image, overridden and added to",
                () ->
                    assertThat(
                            run(
                                    List.of("--env", "BOTH=run", "--env", "ADDED=yes"),
                                    "echo $FROM_IMAGE $BOTH $ADDED; pwd")
                                .ok()
                                .out())
                        .isEqualTo("yes run yes\n/root\n"))
            .stream();
  }

  @TestFactory
  Stream<DynamicTest> rights() {
    return new Cases(runtime + " rights")
            .add(
                "a capability that is there, and one that was dropped",
                () -> {
                  run(List.of(), "chown 5 /tmp").ok();
                  Command dropped = run(List.of("--cap-drop", "CAP_CHOWN"), "chown 5 /tmp");
                  assertThat(dropped.status()).isNotZero();
                  assertThat(dropped.err()).contains("Operation not permitted");
                })
            .add(
                "a capability that is not there, and one that was added",
                () -> {
                  Command without = run(List.of(), "mount -t tmpfs none /tmp");
                  assertThat(without.status()).isNotZero();
                  assertThat(without.err()).containsAnyOf("not permitted", "ermission denied");
                  run(List.of("--cap-add", "CAP_SYS_ADMIN"), "mount -t tmpfs none /tmp").ok();
                })
            .add(
                "the capabilities inside are those of the host's view",
                () ->
                    running(
                        List.of("--cap-drop", "CAP_KILL"),
                        (id, pid) -> {
                          String inside = exec(id, "grep CapEff /proc/1/status").ok().text();
                          assertThat(
                                  Scene.read(Path.of("/proc/" + pid + "/status"))
                                      .lines()
                                      .filter(l -> l.startsWith("CapEff"))
                                      .findFirst()
                                      .orElseThrow())
                              .isEqualTo(inside);
                        }))
            .add(
                "seccomp: a blocked call gets EPERM",
                () -> {
                  run(List.of(), "unshare -U true").ok();
                  Command blocked = run(List.of("--seccomp"), "unshare -U true");
                  assertThat(blocked.status()).isNotZero();
                  assertThat(blocked.err()).contains("Operation not permitted");
                  assertThat(
                          run(List.of("--seccomp"), "grep Seccomp: /proc/self/status").ok().text())
                      .endsWith("2");
                })
            .add(
                "--privileged",
                () ->
                    run(List.of("--privileged"), "mount -t tmpfs none /tmp && test -e /dev/null")
                        .ok())
            .stream();
  }

  @TestFactory
  Stream<DynamicTest> network() {
    return new Cases(runtime + " network")
            .add(
                "a network namespace made beforehand and handed over by path",
                () -> {
                  String name = scene.folder.getFileName().toString();
                  Command.run("ip", "netns", "add", name).ok();
                  try {
                    Command.run(
                            "ip", "-n", name, "link", "add", "d0", "type", "veth", "peer", "name",
                            "d1")
                        .ok();
                    Command.run("ip", "-n", name, "addr", "add", "10.199.1.2/24", "dev", "d0").ok();
                    Command.run("ip", "-n", name, "link", "set", "d0", "up").ok();
                    List<String> outside =
                        addresses(Command.run("ip", "-n", name, "-4", "-o", "addr"));
                    List<String> inside =
                        addresses(
                            run(
                                List.of("--with-ns", "network:/run/netns/" + name),
                                "ip -4 -o addr"));
                    assertThat(outside).contains("d0 inet 10.199.1.2/24");
                    assertThat(inside).isEqualTo(outside);
                  } finally {
                    Command.run("ip", "netns", "del", name).ok();
                  }
                })
            .add(
                "--net-host",
                () ->
                    running(
                        List.of("--net-host"),
                        (id, pid) ->
                            assertThat(exec(id, "readlink /proc/self/ns/net").ok().text())
                                .isEqualTo(
                                    Files.readSymbolicLink(Path.of("/proc/self/ns/net"))
                                        .toString())))
            .add(
                "only loopback without anything asked",
                () -> assertThat(run(List.of(), "ip -o link | wc -l").ok().text()).isEqualTo("1"))
            .add("--cni with the bridge plug-in, and a ping to the gateway", this::bridge)
            .stream();
  }

  /** Name, kind and address, in which all programs of that name agree. */
  private static List<String> addresses(Command ip) {
    return ip.ok().lines().stream()
        .map(line -> line.strip().split("\\s+"))
        .map(words -> String.join(" ", words[1], words[2], words[3]))
        .toList();
  }

  private void bridge() throws Exception {
    Path config = Path.of("/etc/cni/net.d/05-jc-e2e.conflist");
    Files.createDirectories(config.getParent());
    String bridge = "jce2e0";
    Files.writeString(
        config,
        """
        {"cniVersion":"0.4.0","name":"jc-e2e","plugins":[{"type":"bridge","bridge":"%s",\
        "isGateway":true,"ipam":{"type":"host-local","dataDir":"%s",\
        "ranges":[[{"subnet":"10.198.7.0/24","gateway":"10.198.7.1"}]],\
        "routes":[{"dst":"0.0.0.0/0"}]}}]}
        """
            .formatted(bridge, scene.folder.resolve("ipam")));
    try (PluginLink _ = PluginLink.make()) {
      Command run = run(List.of("--cni"), "ip -4 -o addr show eth0; ping -c 1 -W 5 10.198.7.1");
      assertThat(run.ok().out()).contains("10.198.7.").contains("1 packets received");
    } finally {
      Files.deleteIfExists(config);
      Command.run("ip", "link", "del", bridge);
    }
  }

  /**
   * The distribution's CNI plug-ins where a ctr looks for them that was not built to look where the
   * distribution has them; gone when closed.
   */
  private record PluginLink(List<Path> made) implements AutoCloseable {
    private static final Path WANTED = Path.of("/opt/cni/bin");

    static PluginLink make() throws IOException {
      List<Path> made = new ArrayList<>();
      Path parent = WANTED.getParent();
      if (!Files.exists(parent)) {
        Files.createDirectories(parent);
        made.add(parent);
      }
      if (!Files.exists(WANTED)) {
        made.addFirst(Files.createSymbolicLink(WANTED, Path.of("/usr/lib/cni")));
      }
      return new PluginLink(made);
    }

    @Override
    public void close() throws IOException {
      for (Path path : made) {
        Files.delete(path);
      }
    }
  }
}
