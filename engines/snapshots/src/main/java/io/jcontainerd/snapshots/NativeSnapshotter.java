package io.jcontainerd.snapshots;

import io.jcontainerd.core.failure.InternalException;
import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.core.ports.Files;
import io.jcontainerd.core.snapshots.Snapshotter;
import io.jcontainerd.core.snapshots.Usage;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Snapshots as whole copies of their parents: {@code native}. Works on every file system; copies
 * share blocks where the file system can.
 */
public final class NativeSnapshotter {
  /** The name under which it is known. */
  public static final String NAME = "native";

  private static final int MODE = 0755;

  private NativeSnapshotter() {}

  /**
   * Opens the snapshotter below a folder, which is made if need be.
   *
   * @throws io.jcontainerd.core.failure.ContainerdException if the folder cannot be used
   */
  public static Snapshotter open(Path root, Environment environment) {
    return DirectorySnapshotter.open(
        NAME, root, environment, new NativeLayout(environment.files(), environment.trees()), true);
  }

  private static final class NativeLayout implements Layout {
    private final Files files;
    private final Trees trees;

    NativeLayout(Files files, Trees trees) {
      this.files = files;
      this.trees = trees;
    }

    @Override
    public boolean make(Place place) throws IOException {
      files.createDirectory(place.folder(), MODE);
      if (place.parents().isEmpty()) {
        return false;
      }
      trees.copy(place.folders().apply(place.parents().getFirst()), place.folder());
      return true;
    }

    @Override
    public void heal(Place place) throws IOException {
      if (files.stat(place.folder()).isPresent()) {
        return;
      }
      if (!place.parents().isEmpty()) {
        throw new NoSuchFileException(place.folder().toString());
      }
      make(place);
    }

    @Override
    public List<Mount> mounts(Place place) {
      String mode =
          switch (place.kind()) {
            case ACTIVE -> "rw";
            case VIEW -> "ro";
            case COMMITTED -> throw new InternalException("a committed snapshot has no mounts");
          };
      return List.of(new Mount("bind", place.folder().toString(), List.of(mode, "rbind")));
    }

    @Override
    public Usage usage(Place place) throws IOException {
      return trees.usage(place.folder());
    }

    @Override
    public Optional<Path> tree(Path folder) {
      return Optional.of(folder);
    }

    @Override
    public Map<String, String> shownLabels(Path folder) {
      return Map.of();
    }

    @Override
    public Set<String> capabilities() {
      return Set.of();
    }
  }
}
