package io.jcontainerd.daemon;

import io.jcontainerd.core.failure.FailedPreconditionException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The folder of everything that survives a reboot, held by one daemon at a time.
 *
 * <p>A folder that holds containerd's own database and no store of ours belongs to a containerd and
 * is never written to.
 */
final class RootFolder implements AutoCloseable {
  /** Where, relative to the root, our store is. */
  static final Path STORE = Path.of("io.jcontainerd.store.v1.sqlite", "store.db");

  private static final Path FOREIGN = Path.of("io.containerd.metadata.v1.bolt", "meta.db");

  private final Path path;
  private final FileChannel lock;

  private RootFolder(Path path, FileChannel lock) {
    this.path = path;
    this.lock = lock;
  }

  /**
   * Makes the folder (0700) if need be, and takes it.
   *
   * @throws FailedPreconditionException if another daemon, ours or containerd, has it
   */
  static RootFolder take(Path path) throws IOException {
    if (Files.exists(path.resolve(FOREIGN)) && !Files.exists(path.resolve(STORE))) {
      throw new FailedPreconditionException(
          "root "
              + path
              + " belongs to containerd: it holds "
              + FOREIGN
              + " and no store of jcontainerd; nothing was changed, and this release cannot convert"
              + " it: choose another --root");
    }
    Folders.own(path, "rwx------");
    return new RootFolder(path, Folders.hold(path, "root"));
  }

  Path path() {
    return path;
  }

  @Override
  public void close() throws IOException {
    lock.close();
  }
}
