package io.jcontainerd.diff;

import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.diff.tree.Overlay;
import io.jcontainerd.linux.Directory;
import io.jcontainerd.linux.Mounter;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A tree open for reading only, mounted for the while where it must be. A writable overlay is shown
 * by a read-only one whose topmost lower folder is the upper folder, since a second writable
 * overlay over the same upper folder would be undefined.
 */
final class ReadableTree implements AutoCloseable {
  private final Mounter.Ready ready;
  private final Mounter.@Nullable Mounted mounted;
  private final Directory root;

  private ReadableTree(Mounter.Ready ready, Mounter.@Nullable Mounted mounted, Directory root) {
    this.ready = ready;
    this.mounted = mounted;
    this.root = root;
  }

  static ReadableTree open(List<Mount> mounts, Mounter mounter) throws IOException {
    Mounter.Ready ready = mounter.ready(mounts);
    try {
      return open(ready, mounter);
    } catch (IOException | RuntimeException e) {
      try {
        ready.close();
      } catch (IOException second) {
        e.addSuppressed(second);
      }
      throw e;
    }
  }

  private static ReadableTree open(Mounter.Ready ready, Mounter mounter) throws IOException {
    Optional<Path> folder = PlainFolder.ofReadable(ready.mounts());
    if (folder.isPresent()) {
      return new ReadableTree(ready, null, Directory.open(folder.get()));
    }
    Mounter.Mounted mounted = mounter.mount(readOnly(ready.mounts()));
    try {
      return new ReadableTree(ready, mounted, Directory.open(mounted.root()));
    } catch (IOException e) {
      try {
        mounted.close();
      } catch (IOException second) {
        e.addSuppressed(second);
      }
      throw e;
    }
  }

  Directory root() {
    return root;
  }

  /** The same tree without a way to change it. */
  static List<Mount> readOnly(List<Mount> mounts) {
    return mounts.stream()
        .map(mount -> mount.type().equals("overlay") ? readOnlyOverlay(mount) : readOnly(mount))
        .toList();
  }

  private static Mount readOnly(Mount mount) {
    List<String> options = new ArrayList<>(mount.options());
    options.remove("rw");
    if (!options.contains("ro")) {
      options.add("ro");
    }
    return new Mount(mount.type(), mount.source(), mount.target(), options);
  }

  private static Mount readOnlyOverlay(Mount mount) {
    Optional<Overlay> writable = Overlay.of(List.of(mount));
    if (writable.isEmpty() || writable.get().lowers().isEmpty()) {
      return readOnly(mount);
    }
    String upper = writable.get().upper().toString().replace("\\", "\\\\").replace(":", "\\:");
    List<String> options = new ArrayList<>();
    for (String option : mount.options()) {
      if (option.startsWith("lowerdir=")) {
        options.add("lowerdir=" + upper + ":" + option.substring("lowerdir=".length()));
      } else if (!option.startsWith("upperdir=") && !option.startsWith("workdir=")) {
        options.add(option);
      }
    }
    return readOnly(new Mount(mount.type(), mount.source(), mount.target(), options));
  }

  @Override
  public void close() throws IOException {
    try (ready;
        mounted) {
      root.close();
    }
  }
}
