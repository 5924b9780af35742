package io.jcontainerd.bench;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;

/** A small image made of the static busybox, and the documents of its containers. */
final class Image {
  static final String NAME = "docker.io/library/bench:1";

  private static final Path BUSYBOX = Path.of("/usr/bin/busybox");
  private static final String MANIFEST = "application/vnd.oci.image.manifest.v1+json";
  private static final String ENVIRONMENT = "\"env\": [\"PATH=/bin\"]";

  private Image() {}

  /** Writes the image as an archive that {@code ctr images import} reads. */
  static Path write(Path archive) throws IOException, InterruptedException {
    Path work = Files.createTempDirectory(archive.toAbsolutePath().getParent(), "image");
    Path tree = work.resolve("tree");
    for (String name : List.of("bin", "dev", "etc", "proc", "sys", "tmp")) {
      Files.createDirectories(tree.resolve(name));
    }
    Files.copy(BUSYBOX, tree.resolve("bin/busybox"));
    for (String name : List.of("true", "sleep", "sh")) {
      Files.createSymbolicLink(tree.resolve("bin").resolve(name), Path.of("busybox"));
    }
    Path layer = work.resolve("layer.tar");
    Commands.run(
        List.of("tar", "--numeric-owner", "-C", tree.toString(), "-cf", layer.toString(), "."));

    Path layout = work.resolve("layout");
    Path blobs = Files.createDirectories(layout.resolve("blobs/sha256"));
    Blob tar = Blob.put(blobs, Files.readAllBytes(layer));
    Blob config =
        Blob.put(
            blobs,
            """
            {"architecture": "%s", "os": "linux", "config": {"Env": ["PATH=/bin"]},
             "rootfs": {"type": "layers", "diff_ids": ["%s"]}}
            """
                .formatted(architecture(), tar.digest()));
    Blob manifest =
        Blob.put(
            blobs,
            """
            {"schemaVersion": 2, "mediaType": "%s",
             "config": {"mediaType": "application/vnd.oci.image.config.v1+json", %s},
             "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar", %s}]}
            """
                .formatted(MANIFEST, config.fields(), tar.fields()));
    Files.writeString(
        layout.resolve("index.json"),
        """
        {"schemaVersion": 2, "manifests": [{"mediaType": "%s", %s,
          "annotations": {"io.containerd.image.name": "%s"}}]}
        """
            .formatted(MANIFEST, manifest.fields(), NAME));
    Files.writeString(layout.resolve("oci-layout"), "{\"imageLayoutVersion\": \"1.0.0\"}");
    Commands.run(List.of("tar", "-C", layout.toString(), "-cf", archive.toString(), "."));
    return archive;
  }

  private record Blob(String digest, long size) {
    static Blob put(Path blobs, String text) throws IOException {
      return put(blobs, text.getBytes(StandardCharsets.UTF_8));
    }

    static Blob put(Path blobs, byte[] bytes) throws IOException {
      try {
        byte[] hash = MessageDigest.getInstance("SHA-256").digest(bytes);
        String hex = HexFormat.of().formatHex(hash);
        Files.write(blobs.resolve(hex), bytes);
        return new Blob("sha256:" + hex, bytes.length);
      } catch (NoSuchAlgorithmException e) {
        throw new IllegalStateException("every JDK has SHA-256", e);
      }
    }

    String fields() {
      return "\"digest\": \"" + digest + "\", \"size\": " + size;
    }
  }

  private static String architecture() {
    return System.getProperty("os.arch").equals("aarch64") ? "arm64" : "amd64";
  }

  /** The spec of a container that runs {@code arguments}, quoted and separated by commas. */
  static String spec(String id, String arguments) {
    return """
        {"ociVersion": "1.0.2",
         "process": %s,
         "root": {"path": "rootfs"},
         "mounts": [
          {"destination": "/proc", "type": "proc", "source": "proc",
           "options": ["nosuid", "noexec", "nodev"]},
          {"destination": "/dev", "type": "tmpfs", "source": "tmpfs",
           "options": ["nosuid", "strictatime", "mode=755", "size=65536k"]},
          {"destination": "/sys", "type": "sysfs", "source": "sysfs",
           "options": ["nosuid", "noexec", "nodev", "ro"]}],
         "linux": {
          "cgroupsPath": "/bench/%s",
          "resources": {"devices": [{"allow": false, "access": "rwm"}]},
          "namespaces": [{"type": "pid"}, {"type": "ipc"}, {"type": "uts"},
           {"type": "mount"}, {"type": "network"}]}}
        """
        .formatted(process(arguments), id);
  }

  /** The process document alone, as exec needs it. */
  static String process(String arguments) {
    return """
        {"user": {"uid": 0, "gid": 0}, "args": [%s], %s, "cwd": "/", "noNewPrivileges": true}
        """
        .formatted(arguments, ENVIRONMENT);
  }
}
