package io.jcontainerd.snapshots;

import io.jcontainerd.core.ports.Files;
import io.jcontainerd.core.ports.Kernel;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.OptionalLong;
import java.util.Set;

/** A folder of folders: {@code snapshots/ID}. */
final class FolderShelf implements Shelf {
  private static final Logger LOG = System.getLogger(FolderShelf.class.getName());
  private static final int MODE = 0700;

  private final Path snapshots;
  private final Files files;
  private final Kernel kernel;

  FolderShelf(Path snapshots, Environment environment) {
    this.snapshots = snapshots;
    this.files = environment.files();
    this.kernel = environment.kernel();
  }

  static OptionalLong id(String name) {
    return name.matches("[0-9]{1,18}")
        ? OptionalLong.of(Long.parseLong(name))
        : OptionalLong.empty();
  }

  /** Whether another daemon of this layout was making or removing it. */
  static boolean isLeftover(String name) {
    return name.startsWith("new-") || name.startsWith("rm-");
  }

  @Override
  public void open() throws IOException {
    files.createDirectories(snapshots, MODE);
  }

  @Override
  public Set<Long> ids() throws IOException {
    var ids = new HashSet<Long>();
    for (String name : files.list(snapshots)) {
      id(name).ifPresent(ids::add);
    }
    return ids;
  }

  @Override
  public void delete(long id) throws IOException {
    deleteTree(snapshots.resolve(Long.toString(id)), files, kernel);
  }

  @Override
  public void sweep() throws IOException {
    var failures = new Failures();
    for (String name : files.list(snapshots)) {
      if (isLeftover(name)) {
        failures.collect(() -> deleteTree(snapshots.resolve(name), files, kernel));
      }
    }
    failures.throwFirst();
  }

  /** Deletes a folder; what somebody left mounted in it is detached first. */
  static void deleteTree(Path folder, Files files, Kernel kernel) throws IOException {
    if (files.stat(folder).isEmpty()) {
      throw new NoSuchFileException(folder.toString());
    }
    try {
      files.deleteTree(folder);
    } catch (NoSuchFileException e) {
      throw e;
    } catch (IOException e) {
      if (!detach(folder, kernel, e)) {
        throw e;
      }
      files.deleteTree(folder);
    }
  }

  /**
   * Detaches what is mounted in a folder.
   *
   * @return whether anything was
   */
  static boolean detach(Path folder, Kernel kernel, IOException reason) throws IOException {
    boolean mounted = false;
    for (Kernel.MountPoint point : kernel.mountTable().reversed()) {
      if (point.mountPoint().startsWith(folder)) {
        if (!mounted) {
          LOG.log(Level.WARNING, "detaching what is still mounted in " + folder, reason);
        }
        mounted = true;
        kernel.detachAll(point.mountPoint());
      }
    }
    return mounted;
  }
}
