package io.jcontainerd.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** A small image made of the static busybox, and the documents of its containers. */
final class Image {
  static final String NAME = "docker.io/library/bench:1";

  private static final Path BUSYBOX = Path.of("/usr/bin/busybox");
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

    OciArchive.write(archive, NAME, layer, OciArchive.Packing.NONE);
    return archive;
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
