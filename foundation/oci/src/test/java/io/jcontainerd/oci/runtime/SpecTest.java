package io.jcontainerd.oci.runtime;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.oci.image.ImageConfig;
import io.jcontainerd.oci.json.Json;
import io.jcontainerd.oci.json.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SpecTest {
  private static final SpecContext CONTEXT = SpecContext.of("ns", "c1");

  /** Fields of a newer specification, of other platforms, and of vendors. */
  private static final String FOREIGN =
      """
      {"ociVersion":"1.3.0","process":{"terminal":false,"user":{"uid":0,"gid":0,"umask":18},\
      "args":["sh"],"cwd":"/","oomScoreAdj":-998,"rlimits":[{"type":"RLIMIT_NOFILE",\
      "hard":18446744073709551615,"soft":1024}],"scheduler":{"policy":"SCHED_OTHER","nice":5},\
      "ioPriority":{"class":"IOPRIO_CLASS_IDLE"},"execCPUAffinity":{"initial":"0-3"}},\
      "vm":{"kernel":{"path":"/vmlinuz"}},"linux":{"resources":{"memory":{"limit":-1},\
      "unified":{"memory.high":"1"}},"netDevices":{"eth0":{}},"intelRdt":{"closID":"g"},\
      "seccomp":{"syscalls":[{"names":["clone"],"args":[{"value":18446744073709551615}]}]}},\
      "x-vendor":{"a":[1.0,1e-9,null,true]}}""";

  @Test
  void a_change_leaves_everything_else_as_it_was() {
    Spec spec = Spec.parse(FOREIGN.getBytes(UTF_8));
    assertThat(spec.toBytes()).asString(UTF_8).isEqualTo(FOREIGN);

    Spec changed =
        spec.withOciVersion("1.0.2")
            .withOomScoreAdj(0)
            .withRlimits(List.of(new Rlimit("RLIMIT_NOFILE", 512, -1)));

    assertThat(changed.toBytes())
        .asString(UTF_8)
        .isEqualTo(
            FOREIGN
                .replace("1.3.0", "1.0.2")
                .replace("-998", "0")
                .replace("\"soft\":1024", "\"soft\":512"));
    assertThat(changed.withoutOomScoreAdj().oomScoreAdj()).isEmpty();
  }

  @Test
  void unsigned_limits_are_read_whole() {
    Rlimit limit = Spec.parse(FOREIGN.getBytes(UTF_8)).rlimits().getFirst();
    assertThat(limit.hard()).isEqualTo(-1L);
    assertThat(limit.soft()).isEqualTo(1024);
  }

  @Test
  void an_empty_document_answers_every_question() {
    Spec spec = Spec.parse("{}".getBytes(UTF_8));
    assertThat(spec.args()).isEmpty();
    assertThat(spec.mounts()).isEmpty();
    assertThat(spec.namespaces()).isEmpty();
    assertThat(spec.uidMappings()).isEmpty();
    assertThat(spec.user()).isEqualTo(SpecUser.ROOT);
    assertThat(spec.terminal()).isFalse();
    assertThat(spec.hasNewNamespace("pid")).isFalse();
    assertThat(spec.cgroupsPath()).isEmpty();
  }

  @Test
  void a_part_of_the_wrong_kind_is_named() {
    assertThatThrownBy(() -> Spec.parse("{\"process\":[]}".getBytes(UTF_8)).args())
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessage("spec process: expected an object, found array");
    assertThat(Spec.parse("{\"process\":null}".getBytes(UTF_8)).args()).isEmpty();
  }

  @Test
  void the_default_is_confined_as_documented() {
    Spec spec = DefaultSpec.linux(CONTEXT);
    assertThat(spec.cgroupsPath()).contains("/ns/c1");
    assertThat(spec.namespaces())
        .extracting(LinuxNamespace::type)
        .containsExactly("pid", "ipc", "uts", "mount", "network");
    for (String set : List.of("bounding", "effective", "permitted")) {
      assertThat(spec.capabilities(set)).hasSize(14).contains("CAP_CHOWN", "CAP_AUDIT_WRITE");
    }
    assertThat(spec.capabilities("inheritable")).isEmpty();
    assertThat(spec.capabilities("ambient")).isEmpty();
    assertThat(spec.json().at("process", "noNewPrivileges")).contains(Json.of(true));
    assertThat(spec.rlimits()).containsExactly(new Rlimit("RLIMIT_NOFILE", 1024, 1024));
    assertThat(spec.mounts())
        .extracting(SpecMount::destination)
        .containsExactly("/proc", "/dev", "/dev/pts", "/dev/shm", "/dev/mqueue", "/sys", "/run");
    assertThat(spec.resources().toText())
        .isEqualTo("{\"devices\":[{\"allow\":false,\"access\":\"rwm\"}]}");
    assertThat(spec.json().object("linux").orElseThrow().strings("maskedPaths")).hasSize(11);
    assertThat(spec.json().object("linux").orElseThrow().strings("readonlyPaths")).hasSize(5);
    assertThat(Spec.parse(spec.toBytes())).isEqualTo(spec);
  }

  @Test
  void options_are_applied_in_order() {
    Spec spec =
        SpecOption.all(
                List.of(
                    SpecOptions.args("a", "b"),
                    SpecOptions.env("A=1", "B=2"),
                    SpecOptions.env("A=3", "B"),
                    SpecOptions.hostname("h"),
                    SpecOptions.memoryLimit(1 << 20),
                    SpecOptions.cpuShares(512),
                    SpecOptions.cpus(1.5),
                    SpecOptions.pidsLimit(7),
                    SpecOptions.dropCapabilities(List.of("net_raw", "CAP_MKNOD")),
                    SpecOptions.addCapabilities(List.of("SYS_TIME", "CHOWN")),
                    SpecOptions.mounts(List.of(SpecMount.bind("/h", "/run"))),
                    SpecOptions.hostNamespace("network"),
                    SpecOptions.namespace(LinuxNamespace.at("ipc", "/proc/7/ns/ipc")),
                    SpecOptions.readonlyRootfs(),
                    SpecOptions.tty()))
            .apply(DefaultSpec.linux(CONTEXT), CONTEXT);
    assertThat(spec.args()).containsExactly("a", "b");
    assertThat(spec.env()).containsExactly(DefaultSpec.PATH, "A=3", "TERM=xterm");
    assertThat(spec.hostname()).contains("h");
    assertThat(spec.resources().object("memory").orElseThrow().toText())
        .isEqualTo("{\"limit\":1048576}");
    assertThat(spec.resources().object("cpu").orElseThrow().toText())
        .isEqualTo("{\"shares\":512,\"quota\":150000,\"period\":100000}");
    assertThat(spec.resources().object("pids").orElseThrow().toText()).isEqualTo("{\"limit\":7}");
    assertThat(spec.capabilities("bounding"))
        .hasSize(13)
        .contains("CAP_SYS_TIME")
        .doesNotContain("CAP_NET_RAW", "CAP_MKNOD");
    assertThat(spec.mounts().getLast()).isEqualTo(SpecMount.bind("/h", "/run"));
    assertThat(spec.mounts()).hasSize(7);
    assertThat(spec.namespace("network")).isEmpty();
    assertThat(spec.namespace("ipc")).contains(LinuxNamespace.at("ipc", "/proc/7/ns/ipc"));
    assertThat(spec.hasNewNamespace("ipc")).isFalse();
    assertThat(spec.hasNewNamespace("pid")).isTrue();
    assertThat(spec.rootReadonly()).isTrue();
    assertThat(spec.terminal()).isTrue();
  }

  @Test
  void a_user_namespace_has_mappings() {
    List<IdMapping> ids = List.of(IdMapping.parse("0:100000:65536"));
    Spec spec = SpecOptions.userNamespace(ids, ids).apply(DefaultSpec.linux(CONTEXT), CONTEXT);
    assertThat(spec.hasNewNamespace("user")).isTrue();
    assertThat(spec.uidMappings()).isEqualTo(ids);
    assertThat(spec.gidMappings().getFirst()).hasToString("0:100000:65536");
    assertThatThrownBy(() -> IdMapping.parse("0:1")).isInstanceOf(InvalidArgumentException.class);
    assertThatThrownBy(() -> IdMapping.parse("0:4294967295:2"))
        .isInstanceOf(InvalidArgumentException.class);
  }

  @Test
  void privileged_takes_the_fences_away() {
    Spec spec =
        SpecOptions.defaultSeccomp()
            .then(SpecOptions.privileged(Capabilities.ALL))
            .apply(DefaultSpec.linux(CONTEXT), CONTEXT);
    assertThat(spec.capabilities("effective")).isEqualTo(Capabilities.ALL);
    assertThat(spec.json().at("linux", "seccomp")).isEmpty();
    assertThat(spec.json().object("linux").orElseThrow().strings("maskedPaths")).isEmpty();
    assertThat(spec.mounts())
        .filteredOn(m -> m.destination().equals("/sys"))
        .first()
        .satisfies(m -> assertThat(m.options()).contains("rw").doesNotContain("ro"));
    assertThat(spec.resources().toText())
        .isEqualTo("{\"devices\":[{\"allow\":true,\"access\":\"rwm\"}]}");
  }

  @Test
  void unknown_names_and_senseless_limits_are_refused() {
    assertThatThrownBy(() -> SpecOptions.addCapabilities(List.of("FLY")))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessage("capability FLY is not known");
    assertThatThrownBy(() -> SpecOptions.memoryLimit(0))
        .isInstanceOf(InvalidArgumentException.class);
    assertThatThrownBy(() -> SpecOptions.cpus(Double.NaN))
        .isInstanceOf(InvalidArgumentException.class);
  }

  @Test
  void the_image_says_how_to_run_unless_told_otherwise(@TempDir Path root) throws IOException {
    Files.createDirectories(root.resolve("etc"));
    Files.writeString(root.resolve("etc/passwd"), "root:x:0:0::/:/bin/sh\nweb:x:33:34::/:\n");
    Files.writeString(
        root.resolve("etc/group"), "root:x:0:\nextra:x:50:web,other\nno:x:51:other\n");
    ImageConfig image =
        ImageConfig.parse(
            """
            {"config":{"Env":["PATH=/x","K=v"],"Entrypoint":["e"],"Cmd":["c","d"],
             "WorkingDir":"/w","User":"web"}}"""
                .getBytes(UTF_8));
    SpecContext context = CONTEXT.withRootfs(RootFiles.in(root));
    Spec base = DefaultSpec.linux(context);

    Spec spec = SpecOptions.image(image, List.of()).apply(base, context);
    assertThat(spec.args()).containsExactly("e", "c", "d");
    assertThat(spec.env()).containsExactly("PATH=/x", "K=v");
    assertThat(spec.cwd()).contains("/w");
    assertThat(spec.user()).isEqualTo(new SpecUser(33, 34, List.of(34L, 50L)));

    assertThat(SpecOptions.image(image, List.of("z")).apply(base, context).args())
        .containsExactly("e", "z");
    assertThatThrownBy(() -> SpecOptions.image(image, List.of()).apply(base, CONTEXT))
        .isInstanceOf(FailedPreconditionException.class)
        .hasMessageContaining("user web");
    ImageConfig empty = new ImageConfig(JsonObject.EMPTY);
    assertThatThrownBy(() -> SpecOptions.image(empty, List.of()).apply(base, context))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessageContaining("names no program");
  }

  @Test
  void users_are_looked_up_in_the_containers_own_files(@TempDir Path root) throws IOException {
    Files.createDirectories(root.resolve("etc"));
    Files.writeString(
        root.resolve("etc/passwd"), "# comment\nroot:x:0:0:\nbroken\na:x:1:2:\nb:x:bad:2:\n");
    Files.writeString(root.resolve("etc/group"), "g:x:9:a\nh:x:2:a\n");
    UserDatabase users = UserDatabase.of(RootFiles.in(root));
    assertThat(users.resolve("a")).isEqualTo(new SpecUser(1, 2, List.of(2L, 9L)));
    assertThat(users.resolve("1")).isEqualTo(users.resolve("a"));
    assertThat(users.resolve("a:g")).isEqualTo(new SpecUser(1, 9, List.of(9L)));
    assertThat(users.resolve("7")).isEqualTo(new SpecUser(7, 0, List.of(0L)));
    assertThat(users.resolve("7:8")).isEqualTo(new SpecUser(7, 8, List.of(8L)));
    assertThatThrownBy(() -> users.resolve("nobody"))
        .isInstanceOf(NotFoundException.class)
        .hasMessage("user nobody is not in the image's /etc/passwd");
    assertThatThrownBy(() -> users.resolve("a:nogroup")).isInstanceOf(NotFoundException.class);
    for (String nonsense : List.of("", ":", "a:", ":g", "a:g:h")) {
      assertThatThrownBy(() -> users.resolve(nonsense))
          .isInstanceOf(InvalidArgumentException.class);
    }
  }

  @Test
  void links_of_the_image_do_not_lead_outside(@TempDir Path dir) throws IOException {
    Path outside = Files.writeString(dir.resolve("secret"), "outside");
    Path root = Files.createDirectories(dir.resolve("root"));
    Files.createDirectories(root.resolve("usr/lib"));
    Files.writeString(root.resolve("usr/lib/passwd"), "inside");
    Files.createSymbolicLink(root.resolve("etc"), Path.of("usr/lib/../lib"));
    Files.createSymbolicLink(root.resolve("up"), Path.of("../../../../secret"));
    Files.createSymbolicLink(root.resolve("abs"), outside.toAbsolutePath());
    Files.createSymbolicLink(root.resolve("loop"), Path.of("/loop"));
    RootFiles files = RootFiles.in(root);
    assertThat(files.read("/etc/passwd")).contains("inside".getBytes(UTF_8));
    assertThat(files.read("up")).isEmpty();
    assertThat(files.read("abs")).isEmpty();
    assertThat(files.read("/etc")).isEmpty();
    assertThatThrownBy(() -> files.read("loop")).hasMessageContaining("too many links");
  }

  @Test
  void upper_layers_hide_lower_ones(@TempDir Path dir) throws IOException {
    Path upper = Files.createDirectories(dir.resolve("upper/etc"));
    Path lower = Files.createDirectories(dir.resolve("lower/etc"));
    Files.writeString(lower.resolve("a"), "low");
    Files.writeString(upper.resolve("a"), "up");
    Files.writeString(lower.resolve("b"), "low");
    RootFiles files = RootFiles.layered(List.of(dir.resolve("upper"), dir.resolve("lower")));
    assertThat(files.read("etc/a")).contains("up".getBytes(UTF_8));
    assertThat(files.read("etc/b")).contains("low".getBytes(UTF_8));
    assertThat(files.read("etc/c")).isEmpty();
  }

  @Test
  void a_link_of_a_lower_layer_below_a_folder_is_hidden_and_leads_nowhere(@TempDir Path dir)
      throws IOException {
    Path outside = Files.createDirectories(dir.resolve("host"));
    Files.writeString(outside.resolve("passwd"), "the host's");
    Path upper = Files.createDirectories(dir.resolve("upper"));
    Path middle = Files.createDirectories(dir.resolve("middle"));
    Path lower = Files.createDirectories(dir.resolve("lower"));
    Files.createDirectory(upper.resolve("etc"));
    Files.createSymbolicLink(middle.resolve("etc"), outside);
    Files.createDirectory(lower.resolve("etc"));
    Files.writeString(lower.resolve("etc/passwd"), "hidden by the link");
    RootFiles files = RootFiles.layered(List.of(upper, middle, lower));
    assertThat(files.read("etc/passwd")).isEmpty();
  }

  @Test
  void a_file_hides_the_folders_below_it_and_links_are_followed_through_all_layers(
      @TempDir Path dir) throws IOException {
    Path upper = Files.createDirectories(dir.resolve("upper"));
    Path lower = Files.createDirectories(dir.resolve("lower"));
    Files.writeString(upper.resolve("etc"), "a file");
    Files.createDirectory(lower.resolve("etc"));
    Files.writeString(lower.resolve("etc/passwd"), "hidden");
    Files.createDirectories(lower.resolve("usr/share"));
    Files.writeString(lower.resolve("usr/share/group"), "root:x:0:");
    Files.createDirectories(upper.resolve("usr/share"));
    Files.createSymbolicLink(upper.resolve("usr/link"), Path.of("../usr/./share/../share"));
    Files.createSymbolicLink(upper.resolve("absolute"), Path.of("/usr/link"));
    RootFiles files = RootFiles.layered(List.of(upper, lower));
    assertThat(files.read("etc/passwd")).isEmpty();
    assertThat(files.read("/absolute/group")).contains("root:x:0:".getBytes(UTF_8));
    assertThat(files.read("/absolute")).isEmpty();
  }

  @Test
  void the_seccomp_profile_follows_capabilities_architecture_and_kernel() {
    JsonObject plain = SeccompProfile.containerDefault(Set.of(), "amd64", "6.1.0-13-amd64");
    assertThat(plain.strings("architectures"))
        .containsExactly("SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32");
    List<String> always = plain.objects("syscalls").getFirst().strings("names");
    assertThat(always)
        .contains("read", "execve", "arch_prctl", "ptrace")
        .doesNotContain("mount", "bpf", "clone", "clone3", "socket");
    assertThat(call(plain, "clone3")).contains("\"errnoRet\":38");
    assertThat(call(plain, "clone"))
        .contains("\"index\":0,\"value\":2114060288,\"valueTwo\":0,\"op\":\"SCMP_CMP_MASKED_EQ\"");
    assertThat(
            plain.objects("syscalls").stream()
                .filter(c -> c.strings("names").equals(List.of("personality"))))
        .hasSize(5);

    JsonObject admin =
        SeccompProfile.containerDefault(Set.of("CAP_SYS_ADMIN", "CAP_BPF"), "arm64", "4.4.0");
    assertThat(admin.objects("syscalls").getFirst().strings("names"))
        .contains("mount", "bpf", "clone3")
        .doesNotContain("arch_prctl", "ptrace");
    JsonObject s390 = SeccompProfile.containerDefault(Set.of(), "s390x", "6.1");
    assertThat(call(s390, "clone")).contains("\"index\":1");
  }

  private static String call(JsonObject profile, String name) {
    return profile.objects("syscalls").stream()
        .filter(c -> c.strings("names").equals(List.of(name)))
        .findFirst()
        .orElseThrow()
        .toText();
  }
}
