package io.jcontainerd.daemon;

import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.core.failure.PermissionDeniedException;
import io.jcontainerd.core.failure.ResourceExhaustedException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import org.jspecify.annotations.Nullable;

/**
 * The folder of everything that survives a reboot, held by one daemon at a time.
 *
 * <p>A lock on {@code jcontainerd.lock} says that it is held; the kernel drops it with the process,
 * so nothing is left to clean after a crash. A folder that holds containerd's own database and no
 * store of ours belongs to a containerd and is never written to.
 */
final class RootFolder implements AutoCloseable {
  /** Where, relative to the root, our store is. */
  static final Path STORE = Path.of("io.jcontainerd.store.v1.sqlite", "store.db");

  private static final Path FOREIGN = Path.of("io.containerd.metadata.v1.bolt", "meta.db");
  private static final String LOCK = "jcontainerd.lock";

  private final Path path;
  private final FileChannel channel;

  private RootFolder(Path path, FileChannel channel) {
    this.path = path;
    this.channel = channel;
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
    folder(path, "rwx------");
    FileChannel channel = null;
    try {
      channel =
          FileChannel.open(path.resolve(LOCK), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      if (lock(channel) == null) {
        throw new FailedPreconditionException(
            "root "
                + path
                + " is in use by another jcontainerd; stop that one or choose another --root");
      }
      return new RootFolder(path, channel);
    } catch (FileSystemException e) {
      throw refusal(path, e);
    } catch (IOException | RuntimeException e) {
      if (channel != null) {
        channel.close();
      }
      throw e;
    }
  }

  private static @Nullable FileLock lock(FileChannel channel) throws IOException {
    try {
      return channel.tryLock();
    } catch (OverlappingFileLockException e) {
      return null; // another daemon in this process
    }
  }

  /** Makes a folder with this mode, which an existing one gets too, unless it is another user's. */
  static void folder(Path path, String mode) throws IOException {
    try {
      Path parent = path.getParent();
      if (parent != null) {
        Files.createDirectories(parent);
      }
      if (!Files.isDirectory(path)) {
        Files.createDirectory(path);
      }
      Files.setPosixFilePermissions(path, PosixFilePermissions.fromString(mode));
    } catch (FileSystemException e) {
      throw refusal(path, e);
    }
  }

  private static RuntimeException refusal(Path path, FileSystemException e) {
    String reason = e.getReason() == null ? e.getClass().getSimpleName() : e.getReason();
    if (reason.contains("No space left") || reason.contains("quota")) {
      return new ResourceExhaustedException(
          "folder " + path + " cannot be used, its disk is full; free some space and start again",
          e);
    }
    if (e instanceof AccessDeniedException || reason.contains("Read-only")) {
      return new PermissionDeniedException(
          "folder " + path + " cannot be written (" + reason + "); run as root or choose another",
          e);
    }
    return new FailedPreconditionException("folder " + path + " cannot be used: " + reason, e);
  }

  Path path() {
    return path;
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
