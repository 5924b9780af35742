package io.jcontainerd.shim.launch;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.Empty;
import io.jcontainerd.ttrpc.TtrpcServer;
import io.jcontainerd.ttrpc.TtrpcService;
import io.jcontainerd.ttrpc.UnixSockets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Bundles of our own daemon, whose host is dead or not. The OCI runtime is a script. */
@Tag("root")
@Timeout(120)
@SuppressWarnings("NullAway.Init")
class CleanUpTest {
  @TempDir Path folder;

  private Path bundle;

  @BeforeEach
  void a_bundle() throws Exception {
    bundle = Files.createDirectories(folder.resolve("bundle"));
    Path runtime = folder.resolve("runc");
    Files.writeString(
        runtime,
        "#!/bin/sh\necho \"$@\" >> %1$s/asked\npwd >> %1$s/asked\ncat %1$s/said >&2 2>&1\nexit $(cat %1$s/status)\n"
            .formatted(folder));
    Files.setPosixFilePermissions(runtime, PosixFilePermissions.fromString("rwx------"));
    says(0, "");
    Files.writeString(
        bundle.resolve("options.json"),
        "{\"binary_name\":\"%s\",\"root\":\"/run/x\",\"systemd_cgroup\":true}".formatted(runtime));
    Files.writeString(bundle.resolve("init.pid"), "4711");
    Files.writeString(
        bundle.resolve("bootstrap.json"),
        "{\"version\":3,\"address\":\"unix://%s/s\",\"protocol\":\"ttrpc\"}".formatted(folder));
    Path root = Files.createDirectories(bundle.resolve("rootfs"));
    mount("mount", "-t", "tmpfs", "none", root.toString());
  }

  @AfterEach
  void nothing_stays_mounted() throws Exception {
    if (isMounted()) {
      mount("umount", bundle.resolve("rootfs").toString());
    }
  }

  private static void mount(String... command) throws Exception {
    assertThat(new ProcessBuilder(command).inheritIO().start().waitFor()).isZero();
  }

  private boolean isMounted() throws Exception {
    return Files.readString(Path.of("/proc/self/mountinfo")).contains(bundle + "/rootfs");
  }

  private void says(int status, String text) throws Exception {
    Files.writeString(folder.resolve("status"), Integer.toString(status));
    Files.writeString(folder.resolve("said"), text);
  }

  private byte[] cleanUp() throws Exception {
    var hosts = new HostStarter(folder.resolve("no-host"), Map.of(), Settings.of(Map.of()));
    return new CleanUp(bundle, "ns", "web", hosts, "/none", System.getenv()).run();
  }

  private static byte[] killed() {
    // pid 1, exit_status 2
    return new byte[] {8, (byte) 0xe7, 36, 16, (byte) 0x89, 1};
  }

  @Test
  void of_a_dead_host_the_oci_runtime_removes_the_container() throws Exception {
    assertThat(cleanUp()).startsWith(killed());
    assertThat(Files.readAllLines(folder.resolve("asked")))
        .containsExactly("--root /run/x/ns --systemd-cgroup delete --force web", bundle.toString());
    assertThat(isMounted()).isFalse();
  }

  @Test
  void one_that_is_gone_already_is_no_failure() throws Exception {
    says(1, "container \"web\" does not exist");
    assertThat(cleanUp()).startsWith(killed());
    assertThat(isMounted()).isFalse();
  }

  @Test
  void what_the_oci_runtime_cannot_remove_is_told() throws Exception {
    says(1, "no such luck");
    assertThatThrownBy(this::cleanUp)
        .isInstanceOf(LaunchException.class)
        .hasMessageContaining("does not delete web: no such luck");
    assertThat(isMounted()).isFalse();
  }

  @Test
  void a_host_that_lives_is_asked() throws Exception {
    List<String> asked = new CopyOnWriteArrayList<>();
    TtrpcService.Builder service = TtrpcService.named("containerd.task.v3.Task");
    for (String method : List.of("Kill", "Wait", "Delete")) {
      service.unary(
          method,
          Empty.parser(),
          (_, context) -> {
            asked.add(
                method + " " + context.metadata().first("containerd-namespace-ttrpc").orElse(""));
            return Empty.getDefaultInstance();
          });
    }
    try (var host = new TtrpcServer(List.of(service.build()))) {
      host.listen(UnixSockets.listen(folder.resolve("s")));
      assertThat(cleanUp()).startsWith(killed());
    }
    assertThat(asked).containsExactly("Kill ns", "Wait ns", "Delete ns");
    assertThat(folder.resolve("asked")).doesNotExist();
  }

  @Test
  void a_bundle_that_no_shim_has_seen_has_nothing_to_remove() throws Exception {
    Files.delete(bundle.resolve("bootstrap.json"));
    Files.delete(bundle.resolve("options.json"));
    assertThat(new String(cleanUp(), UTF_8)).isNotEmpty();
    assertThat(folder.resolve("asked")).doesNotExist();
  }
}
