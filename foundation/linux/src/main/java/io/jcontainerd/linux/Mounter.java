package io.jcontainerd.linux;

import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.core.ports.Kernel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;

/**
 * Mounts trees for a while, each in a folder of its own below one folder ({@code tmpmounts} in the
 * daemon's root). Only this process uses the folder: what is in it at start was left by a killed
 * predecessor. Safe for many threads.
 */
public final class Mounter {
  private final Kernel kernel;
  private final Path folder;

  /**
   * @param folder made with mode 0700 when first needed
   */
  public Mounter(Kernel kernel, Path folder) {
    this.kernel = kernel;
    this.folder = folder;
  }

  /** A mounted tree. Closing it unmounts it; a second close does no harm. */
  public final class Mounted implements AutoCloseable {
    private final Path root;
    private boolean open = true;

    private Mounted(Path root) {
      this.root = root;
    }

    /** Where the tree is. */
    public Path root() {
      return root;
    }

    /**
     * Unmounts the tree. If it is busy still after some seconds, it is detached instead, so that
     * nothing stays behind, and the failure is thrown all the same.
     */
    @Override
    public void close() throws IOException {
      if (open) {
        open = false;
        unmount(root);
      }
    }
  }

  /** Does the mounts in order in a fresh folder. */
  public Mounted mount(List<Mount> mounts) throws IOException {
    Files.createDirectories(
        folder, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    Path root = Files.createTempDirectory(folder, "containerd-mount");
    try {
      kernel.mount(mounts, root);
      return new Mounted(root);
    } catch (IOException | RuntimeException e) {
      try {
        Files.delete(root);
      } catch (IOException second) {
        e.addSuppressed(second);
      }
      throw e;
    }
  }

  private void unmount(Path root) throws IOException {
    try {
      kernel.unmountAll(root);
    } catch (IOException e) {
      try {
        kernel.detachAll(root);
        Files.delete(root);
      } catch (IOException second) {
        e.addSuppressed(second);
      }
      throw e;
    }
    Files.delete(root);
  }

  /**
   * Unmounts and removes all that is in the folder; to be called before anything else at start.
   * Folders that are not empty once nothing is mounted on them are left alone and reported.
   *
   * @return what could not be removed
   */
  public List<Path> cleanLeftovers() throws IOException {
    List<Path> left = new ArrayList<>();
    if (!Files.isDirectory(folder)) {
      return left;
    }
    try (var entries = Files.newDirectoryStream(folder)) {
      for (Path entry : entries) {
        try {
          kernel.detachAll(entry);
          Files.delete(entry);
        } catch (IOException e) {
          left.add(entry);
        }
      }
    }
    return left;
  }
}
