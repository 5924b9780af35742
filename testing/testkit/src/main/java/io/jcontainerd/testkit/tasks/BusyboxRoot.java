package io.jcontainerd.testkit.tasks;

import io.jcontainerd.oci.json.Json;
import io.jcontainerd.oci.json.JsonArray;
import io.jcontainerd.oci.json.JsonObject;
import io.jcontainerd.oci.runtime.Spec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A root file system of a static busybox, shared by containers, and what runs on it.
 *
 * @param path the folder
 */
public record BusyboxRoot(Path path) {
  private static final Path BUSYBOX = Path.of("/usr/bin/busybox");
  private static final String PROGRAMS =
      "sh cat echo sleep true false stty tty tail head dd id kill ps seq env pwd wc ls usleep";

  /** Makes it. */
  public static BusyboxRoot make(Path place) throws IOException {
    for (String name : List.of("bin", "proc", "dev", "sys", "tmp", "etc")) {
      Files.createDirectories(place.resolve(name));
    }
    Files.copy(BUSYBOX, place.resolve("bin/busybox"));
    for (String name : PROGRAMS.split(" ", -1)) {
      Files.createSymbolicLink(place.resolve("bin").resolve(name), Path.of("busybox"));
    }
    Files.writeString(place.resolve("etc/not-a-program"), "text\n");
    return new BusyboxRoot(place);
  }

  /** A specification on it; the root is shared, and read-only. */
  public Spec spec(String cgroup, String... command) {
    List<Json> namespaces = new ArrayList<>();
    for (String type : List.of("pid", "ipc", "uts", "mount", "network")) {
      namespaces.add(JsonObject.EMPTY.with("type", type));
    }
    return new Spec(
        JsonObject.EMPTY
            .with("ociVersion", "1.0.2")
            .with("process", process(command))
            .with("root", JsonObject.EMPTY.with("path", path.toString()).with("readonly", true))
            .with("hostname", "box")
            .with(
                "mounts",
                new JsonArray(
                    List.of(
                        mount("proc", "/proc", "proc"),
                        mount("tmpfs", "/dev", "tmpfs", "mode=755"),
                        mount("tmpfs", "/tmp", "tmpfs"),
                        mount("devpts", "/dev/pts", "devpts", "newinstance", "ptmxmode=0666"))))
            .with(
                "linux",
                JsonObject.EMPTY
                    .with("cgroupsPath", cgroup)
                    .with("namespaces", new JsonArray(namespaces))));
  }

  /** A process on it. */
  public static JsonObject process(String... command) {
    return JsonObject.EMPTY
        .with("user", JsonObject.EMPTY.with("uid", 0).with("gid", 0))
        .with("args", JsonArray.ofStrings(List.of(command)))
        .with("env", JsonArray.ofStrings(List.of("PATH=/bin", "TERM=xterm")))
        .with("cwd", "/");
  }

  private static JsonObject mount(
      String type, String destination, String source, String... options) {
    return JsonObject.EMPTY
        .with("destination", destination)
        .with("type", type)
        .with("source", source)
        .with("options", JsonArray.ofStrings(List.of(options)));
  }
}
