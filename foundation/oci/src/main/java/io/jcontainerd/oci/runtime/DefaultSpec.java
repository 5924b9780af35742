package io.jcontainerd.oci.runtime;

import io.jcontainerd.oci.json.Json;
import io.jcontainerd.oci.json.JsonArray;
import io.jcontainerd.oci.json.JsonObject;
import java.util.List;
import java.util.stream.Stream;

/**
 * The Linux specification that containerd's clients start from: own pid, ipc, uts, mount and
 * network namespaces, fourteen capabilities, no new privileges, kernel files masked, no devices
 * beyond the runtime's few.
 */
public final class DefaultSpec {
  /** The version that the document claims; everything in it is as old as that. */
  public static final String OCI_VERSION = "1.0.2";

  /** The search path of a container whose image sets none. */
  public static final String PATH =
      "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

  private static final List<String> MASKED =
      List.of(
          "/proc/acpi",
          "/proc/asound",
          "/proc/kcore",
          "/proc/keys",
          "/proc/latency_stats",
          "/proc/timer_list",
          "/proc/timer_stats",
          "/proc/sched_debug",
          "/sys/firmware",
          "/sys/devices/virtual/powercap",
          "/proc/scsi");
  private static final List<String> READONLY =
      List.of("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger");

  private DefaultSpec() {}

  /** The specification for a container of the context; it has no program yet. */
  public static Spec linux(SpecContext context) {
    JsonObject process =
        JsonObject.EMPTY
            .with("user", SpecUser.ROOT.into(JsonObject.EMPTY))
            .with("args", JsonArray.EMPTY)
            .with("env", JsonArray.ofStrings(List.of(PATH)))
            .with("cwd", "/")
            .with("capabilities", capabilities())
            .with(
                "rlimits",
                JsonArray.of(List.of(new Rlimit("RLIMIT_NOFILE", 1024, 1024)), Rlimit::json))
            .with("noNewPrivileges", true);
    return new Spec(
        JsonObject.EMPTY
            .with("ociVersion", OCI_VERSION)
            .with("process", process)
            .with("root", JsonObject.EMPTY.with("path", "rootfs"))
            .with("mounts", JsonArray.of(mounts(), SpecMount::json))
            .with("linux", linuxPart(context)));
  }

  private static JsonObject capabilities() {
    JsonArray names = JsonArray.ofStrings(Capabilities.DEFAULT);
    return JsonObject.EMPTY
        .with("bounding", names)
        .with("effective", names)
        .with("permitted", names);
  }

  private static JsonObject linuxPart(SpecContext context) {
    JsonObject denyAll = JsonObject.EMPTY.with("allow", false).with("access", "rwm");
    return JsonObject.EMPTY
        .with("resources", JsonObject.EMPTY.with("devices", new JsonArray(List.<Json>of(denyAll))))
        .with("cgroupsPath", "/" + context.namespace() + "/" + context.id())
        .with(
            "namespaces",
            JsonArray.of(
                Stream.of(
                        LinuxNamespace.PID,
                        LinuxNamespace.IPC,
                        LinuxNamespace.UTS,
                        LinuxNamespace.MOUNT,
                        LinuxNamespace.NETWORK)
                    .map(LinuxNamespace::fresh)
                    .toList(),
                LinuxNamespace::json))
        .with("maskedPaths", JsonArray.ofStrings(MASKED))
        .with("readonlyPaths", JsonArray.ofStrings(READONLY));
  }

  private static List<SpecMount> mounts() {
    return List.of(
        new SpecMount("/proc", "proc", "proc", List.of("nosuid", "noexec", "nodev")),
        new SpecMount(
            "/dev", "tmpfs", "tmpfs", List.of("nosuid", "strictatime", "mode=755", "size=65536k")),
        new SpecMount(
            "/dev/pts",
            "devpts",
            "devpts",
            List.of("nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5")),
        new SpecMount(
            "/dev/shm",
            "tmpfs",
            "shm",
            List.of("nosuid", "noexec", "nodev", "mode=1777", "size=65536k")),
        new SpecMount("/dev/mqueue", "mqueue", "mqueue", List.of("nosuid", "noexec", "nodev")),
        new SpecMount("/sys", "sysfs", "sysfs", List.of("nosuid", "noexec", "nodev", "ro")),
        new SpecMount(
            "/run", "tmpfs", "tmpfs", List.of("nosuid", "strictatime", "mode=755", "size=65536k")));
  }
}
