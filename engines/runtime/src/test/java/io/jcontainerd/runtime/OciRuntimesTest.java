package io.jcontainerd.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import io.jcontainerd.linux.LinuxFiles;
import io.jcontainerd.linux.process.LinuxProcesses;
import io.jcontainerd.linux.process.ProcessIdentity;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class OciRuntimesTest {
  @TempDir Path folder;

  private OciRuntimes prove(List<String> names, String path) throws Exception {
    try (LinuxProcesses processes = LinuxProcesses.open()) {
      Path scratch = Files.createDirectories(folder.resolve("scratch"));
      OciRuntimes proved = OciRuntimes.prove(names, path, new LinuxFiles(), processes, scratch);
      assertThat(scratch).isEmptyDirectory();
      return proved;
    }
  }

  private void script(String name, String body) throws IOException {
    Path file = folder.resolve("bin").resolve(name);
    Files.createDirectories(file.getParent());
    Files.writeString(file, "#!/bin/sh\n" + body + "\n");
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  /** Those whose name begins so; others may come and go meanwhile. */
  private static List<Path> groups(String name) throws IOException {
    List<Path> found = new ArrayList<>();
    for (Path top : Ground.entries(Path.of("/sys/fs/cgroup"))) {
      found.add(top);
      found.addAll(Ground.entries(top));
    }
    return found.stream().filter(g -> g.getFileName().toString().startsWith(name)).toList();
  }

  static boolean runcInstalled() {
    return Files.isExecutable(Path.of("/usr/sbin/runc"));
  }

  @Test
  void the_first_that_creates_a_container_is_taken() throws Exception {
    script(
        "first", "[ \"$3\" = create ] && echo cgroups in hybrid mode not supported >&2 && exit 1");
    script("second", "exit 0");
    script("third", "exit 0");
    OciRuntimes proved =
        prove(List.of("absent", "first", "second", "third"), folder.resolve("bin").toString());
    assertThat(proved.chosen()).contains(folder.resolve("bin/second"));
    assertThat(proved.attempts())
        .extracting(OciRuntimes.Attempt::name)
        .containsExactly("absent", "first", "second");
    assertThat(proved.attempts())
        .extracting(OciRuntimes.Attempt::refusal)
        .containsExactly("not installed", "cgroups in hybrid mode not supported", "");
  }

  @Test
  @Tag("root")
  @EnabledIf("runcInstalled")
  void what_a_killed_proof_left_is_taken_away() throws Exception {
    String id = ProbeNames.PREFIX + "left" + UUID.randomUUID();
    Path left = folder.resolve("scratch").resolve(id);
    Path bundle = Files.createDirectories(left.resolve("bundle"));
    Path shell = Files.createDirectories(bundle.resolve("rootfs/bin")).resolve("sh");
    Files.createFile(
        shell, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxr-xr-x")));
    script(
        "config",
        "cd "
            + bundle
            + " && runc spec && sed -i -e 's/\"terminal\": true/\"terminal\": false/'"
            + " -e 's#\"linux\": {#\"linux\": {\"cgroupsPath\": \"/"
            + id
            + "\",#' config.json");
    assertThat(new ProcessBuilder(folder.resolve("bin/config").toString()).start().waitFor())
        .isZero();
    Process create =
        new ProcessBuilder(
                "runc",
                "--root",
                left.resolve("state").toString(),
                "create",
                "--bundle",
                bundle.toString(),
                "--pid-file",
                left.resolve("pid").toString(),
                id)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    create.waitFor();
    Path process = Path.of("/proc", Files.readString(left.resolve("pid")));
    assertThat(process).exists();
    prove(List.of("runc"), "/usr/sbin");
    Optional<ProcessHandle> dying =
        ProcessHandle.of(Long.parseLong(process.getFileName().toString()));
    if (dying.isPresent()) {
      dying.get().onExit().get(60, TimeUnit.SECONDS);
    }
    assertThat(groups(id)).isEmpty();
  }

  @Test
  @Tag("root")
  void empty_groups_of_killed_proofs_are_removed_and_others_left() throws Exception {
    Process ended = new ProcessBuilder("sleep", "600").start();
    ProcessIdentity gone = ProcessIdentity.of((int) ended.pid()).orElseThrow();
    ended.destroyForcibly().waitFor();
    ProcessIdentity self = ProcessIdentity.of((int) ProcessHandle.current().pid()).orElseThrow();
    Path top = aHierarchy();
    Path left = Files.createDirectory(top.resolve(ProbeNames.of(gone)));
    Path busy = Files.createDirectory(top.resolve(ProbeNames.of(gone)));
    Path live = Files.createDirectory(top.resolve(ProbeNames.of(self)));
    Path elsewhere =
        Files.createDirectory(
            top.resolve(ProbeNames.PREFIX + "1-" + gone.pid() + "-" + gone.startTicks() + "-0a"));
    Path older =
        Files.createDirectory(
            top.resolve(ProbeNames.PREFIX + UUID.randomUUID().toString().substring(0, 8)));
    Process inside = new ProcessBuilder("sleep", "600").start();
    try {
      Files.writeString(busy.resolve("cgroup.procs"), Long.toString(inside.pid()));
      prove(List.of(), "/nowhere");
      assertThat(left).doesNotExist();
      assertThat(List.of(busy, live, elsewhere, older)).allMatch(Files::isDirectory);
    } finally {
      inside.destroyForcibly().waitFor();
      for (Path group : List.of(left, busy, live, elsewhere, older)) {
        Files.deleteIfExists(group);
      }
    }
  }

  private static Path aHierarchy() {
    return Stream.of("/sys/fs/cgroup/pids", "/sys/fs/cgroup")
        .map(Path::of)
        .filter(folder -> Files.exists(folder.resolve("cgroup.procs")))
        .findFirst()
        .orElseThrow();
  }

  @Test
  void none_is_an_answer_too() throws Exception {
    script("silent", "exit 4");
    OciRuntimes proved = prove(List.of("silent"), folder.resolve("bin").toString());
    assertThat(proved.chosen()).isEmpty();
    assertThat(proved.attempts().getFirst().refusal()).isEqualTo("exit status 4");
  }

  @Test
  @Tag("root")
  @EnabledIf("runcInstalled")
  void runc_proves_itself_on_this_host_and_leaves_nothing() throws Exception {
    ProcessIdentity self = ProcessIdentity.of((int) ProcessHandle.current().pid()).orElseThrow();
    String own = ProbeNames.of(self).replaceFirst("[0-9a-f]+$", "");
    OciRuntimes proved = prove(List.of("runc"), "/usr/sbin:/usr/bin");
    assertThat(proved.chosen()).contains(Path.of("/usr/sbin/runc"));
    assertThat(groups(own)).isEmpty();
  }
}
