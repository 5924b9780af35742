package io.jcontainerd.diff;

import io.jcontainerd.core.mount.Mount;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Recognises mounts that merely show a folder elsewhere, so that the folder itself will do. */
final class PlainFolder {
  private static final Set<String> HARMLESS = Set.of("bind", "rbind", "rw", "defaults");

  private PlainFolder() {}

  /** The folder, if the mounts are one writable bind mount of it and nothing else. */
  static Optional<Path> of(List<Mount> mounts) {
    if (mounts.size() != 1) {
      return Optional.empty();
    }
    Mount mount = mounts.getFirst();
    boolean plain =
        mount.type().equals("bind")
            && mount.target().isEmpty()
            && HARMLESS.containsAll(mount.options());
    return plain ? Optional.of(Path.of(mount.source())) : Optional.empty();
  }

  /** The folder, if the mounts are one bind mount of it, writable or not. */
  static Optional<Path> ofReadable(List<Mount> mounts) {
    if (mounts.size() != 1) {
      return Optional.empty();
    }
    Mount mount = mounts.getFirst();
    List<String> options = mount.options().stream().filter(o -> !o.equals("ro")).toList();
    return of(List.of(new Mount(mount.type(), mount.source(), mount.target(), options)));
  }
}
