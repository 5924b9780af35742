package io.jcontainerd.client;

import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.oci.runtime.RootFiles;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * The files of a snapshot, read through the folders that its mounts name, without mounting: this
 * program must run on the daemon's machine and may read the daemon's folders.
 */
final class SnapshotFiles {
  private SnapshotFiles() {}

  /** The files, if the mounts are of a kind that can be read so: one bind or one overlay. */
  static Optional<RootFiles> of(List<Mount> mounts) {
    if (mounts.size() != 1) {
      return Optional.empty();
    }
    Mount mount = mounts.getFirst();
    return switch (mount.type()) {
      case "bind" -> Optional.of(RootFiles.in(Path.of(mount.source())));
      case "overlay" -> {
        List<Path> layers = new ArrayList<>();
        option(mount, "upperdir").map(Path::of).ifPresent(layers::add);
        option(mount, "lowerdir")
            .ifPresent(l -> Arrays.stream(l.split(":", -1)).map(Path::of).forEach(layers::add));
        yield layers.isEmpty() ? Optional.empty() : Optional.of(RootFiles.layered(layers));
      }
      default -> Optional.empty();
    };
  }

  private static Optional<String> option(Mount mount, String name) {
    return mount.options().stream()
        .filter(o -> o.startsWith(name + "="))
        .map(o -> o.substring(name.length() + 1))
        .findFirst();
  }
}
