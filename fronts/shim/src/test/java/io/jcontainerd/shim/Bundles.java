package io.jcontainerd.shim;

import com.google.protobuf.Any;
import io.jcontainerd.api.runtime.task.v3.CreateTaskRequest;
import io.jcontainerd.api.types.runc.options.Options;
import io.jcontainerd.oci.json.Json;
import io.jcontainerd.oci.json.JsonArray;
import io.jcontainerd.oci.json.JsonObject;
import io.jcontainerd.oci.runtime.Spec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

/** Bundles of a static busybox. */
final class Bundles {
  private static final Path BUSYBOX = Path.of("/usr/bin/busybox");

  private final Path folder;
  private final String binary;

  Bundles(Path folder, String binary) {
    this.folder = folder;
    this.binary = binary;
  }

  /** A root file system with the usual programs. */
  Path rootfs(Path place) throws IOException {
    for (String name : List.of("bin", "proc", "dev", "sys", "tmp", "etc")) {
      Files.createDirectories(place.resolve(name));
    }
    Files.copy(BUSYBOX, place.resolve("bin/busybox"));
    for (String name :
        List.of("sh", "cat", "echo", "sleep", "true", "stty", "tail", "dd", "id", "kill", "ps")) {
      Files.createSymbolicLink(place.resolve("bin").resolve(name), Path.of("busybox"));
    }
    return place;
  }

  Path bundle(String id) {
    return folder.resolve(id);
  }

  /** A bundle that runs the command. */
  Path make(String id, UnaryOperator<Spec> change, String... command) throws IOException {
    Path bundle = Files.createDirectories(bundle(id));
    rootfs(bundle.resolve("rootfs"));
    writeSpec(id, change, command);
    return bundle;
  }

  void writeSpec(String id, UnaryOperator<Spec> change, String... command) throws IOException {
    List<Json> namespaces = new ArrayList<>();
    for (String type : List.of("pid", "ipc", "uts", "mount", "network")) {
      namespaces.add(JsonObject.EMPTY.with("type", type));
    }
    Spec spec =
        new Spec(
            JsonObject.EMPTY
                .with("ociVersion", "1.3.0")
                .with("process", process(command))
                .with("root", JsonObject.EMPTY.with("path", "rootfs"))
                .with("hostname", "box")
                .with(
                    "mounts",
                    new JsonArray(
                        List.of(
                            mount("proc", "/proc", "proc"),
                            mount("tmpfs", "/dev", "tmpfs"),
                            mount("devpts", "/dev/pts", "devpts", "newinstance", "ptmxmode=0666"))))
                .with(
                    "linux",
                    JsonObject.EMPTY
                        .with("cgroupsPath", "/shimtest/" + id)
                        .with("namespaces", new JsonArray(namespaces)))
                .with("x-unknown", JsonObject.EMPTY.with("kept", true)));
    Files.write(bundle(id).resolve("config.json"), change.apply(spec).toBytes());
  }

  static JsonObject process(String... command) {
    return JsonObject.EMPTY
        .with("user", JsonObject.EMPTY.with("uid", 0).with("gid", 0))
        .with("args", JsonArray.ofStrings(List.of(command)))
        .with("env", JsonArray.ofStrings(List.of("PATH=/bin", "TERM=xterm")))
        .with("cwd", "/")
        .with("oomScoreAdj", -999)
        .with(
            "rlimits",
            new JsonArray(
                List.of(
                    JsonObject.EMPTY
                        .with("type", "RLIMIT_NOFILE")
                        .with("hard", 1 << 30)
                        .with("soft", 1024))));
  }

  private static JsonObject mount(
      String type, String destination, String source, String... options) {
    return JsonObject.EMPTY
        .with("destination", destination)
        .with("type", type)
        .with("source", source)
        .with("options", JsonArray.ofStrings(List.of(options)));
  }

  /** A create request for the bundle. */
  CreateTaskRequest.Builder request(String id, Stdio stdio) {
    return CreateTaskRequest.newBuilder()
        .setId(id)
        .setBundle(bundle(id).toString())
        .setStdin(stdio.stdin())
        .setStdout(stdio.stdout())
        .setStderr(stdio.stderr())
        .setTerminal(stdio.terminal())
        .setOptions(
            Any.newBuilder()
                .setTypeUrl("containerd.runc.v1.Options")
                .setValue(
                    Options.newBuilder()
                        .setBinaryName(binary)
                        .setRoot(folder.resolve("runtime").toString())
                        .build()
                        .toByteString()));
  }
}
