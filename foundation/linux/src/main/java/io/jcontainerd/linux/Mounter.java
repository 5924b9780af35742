package io.jcontainerd.linux;

import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.NotImplementedException;
import io.jcontainerd.core.mount.ActivationOptions;
import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.core.mount.MountActivator;
import io.jcontainerd.core.ports.Kernel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Mounts trees for a while, each in a folder of its own below one folder ({@code tmpmounts} in the
 * daemon's root). Only this process uses the folder: what is in it at start was left by a killed
 * predecessor. Safe for many threads.
 */
public final class Mounter {
  private final Kernel kernel;
  private final Path folder;
  private final Optional<MountActivator> activator;

  /**
   * @param folder made with mode 0700 when first needed
   */
  public Mounter(Kernel kernel, Path folder) {
    this(kernel, folder, Optional.empty());
  }

  private Mounter(Kernel kernel, Path folder, Optional<MountActivator> activator) {
    this.kernel = kernel;
    this.folder = folder;
    this.activator = activator;
  }

  /** One for lists that also hold what the kernel alone cannot mount. */
  public Mounter with(MountActivator helper) {
    return new Mounter(kernel, folder, Optional.of(helper));
  }

  /** Mounts that the kernel understands. What they stand on is there until it is closed. */
  public final class Ready implements AutoCloseable {
    private final List<Mount> mounts;
    private OptionalLong activated;

    private Ready(List<Mount> mounts, OptionalLong activated) {
      this.mounts = mounts;
      this.activated = activated;
    }

    /** To be done in order. */
    public List<Mount> mounts() {
      return mounts;
    }

    @Override
    public void close() throws IOException {
      OptionalLong id = activated;
      activated = OptionalLong.empty();
      if (id.isPresent()) {
        try {
          activator.orElseThrow().deactivate(id.getAsLong());
        } catch (ContainerdException e) {
          throw new IOException(String.valueOf(e.getMessage()), e);
        }
      }
    }
  }

  /** Does of a list what the kernel alone cannot do. */
  public Ready ready(List<Mount> mounts) throws IOException {
    if (activator.isEmpty()) {
      return new Ready(mounts, OptionalLong.empty());
    }
    try {
      MountActivator.Done done = activator.get().activate(mounts, ActivationOptions.NONE);
      return new Ready(done.system(), OptionalLong.of(done.id()));
    } catch (NotImplementedException _) {
      return new Ready(mounts, OptionalLong.empty()); // there is nothing of that kind
    } catch (ContainerdException e) {
      throw new IOException(String.valueOf(e.getMessage()), e);
    }
  }

  /** A mounted tree. Closing it unmounts it; a second close does no harm. */
  public final class Mounted implements AutoCloseable {
    private final Path root;
    private final Ready ready;
    private boolean open = true;

    private Mounted(Path root, Ready ready) {
      this.root = root;
      this.ready = ready;
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
        try (ready) {
          unmount(root);
        }
      }
    }
  }

  /** Does the mounts in order in a fresh folder. */
  public Mounted mount(List<Mount> mounts) throws IOException {
    Ready ready = ready(mounts);
    try {
      return new Mounted(mountReady(ready.mounts()), ready);
    } catch (IOException | RuntimeException e) {
      try {
        ready.close();
      } catch (IOException second) {
        e.addSuppressed(second);
      }
      throw e;
    }
  }

  private Path mountReady(List<Mount> mounts) throws IOException {
    Files.createDirectories(
        folder, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    Path root = Files.createTempDirectory(folder, "containerd-mount");
    try {
      kernel.mount(mounts, root);
      return root;
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
