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

/** Makes the daemon's folders and locks them; what goes wrong is told in a sentence. */
final class Folders {
  private static final String LOCK = "jcontainerd.lock";

  private Folders() {}

  /** Makes a folder with this mode if there is none; an existing one is left as it is. */
  static void make(Path path, String mode) throws IOException {
    try {
      if (!Files.isDirectory(path)) {
        Path parent = path.getParent();
        if (parent != null) {
          Files.createDirectories(parent);
        }
        Files.createDirectory(path);
        Files.setPosixFilePermissions(path, PosixFilePermissions.fromString(mode));
      }
    } catch (FileSystemException e) {
      throw refusal(path, e);
    }
  }

  /** Makes a folder that is the daemon's own: an existing one gets the mode, too. */
  static void own(Path path, String mode) throws IOException {
    make(path, mode);
    try {
      Files.setPosixFilePermissions(path, PosixFilePermissions.fromString(mode));
    } catch (FileSystemException e) {
      throw refusal(path, e);
    }
  }

  /** Whether a daemon of ours has ever held the folder. */
  static boolean wasHeld(Path path) {
    return Files.exists(path.resolve(LOCK));
  }

  /**
   * Locks an existing folder for one daemon. The kernel drops the lock with the process, so nothing
   * is left to clean after a crash.
   *
   * @param what the folder is: {@code root}, {@code state}, the option that names it
   * @return lets go of it when closed
   * @throws FailedPreconditionException if another daemon holds it
   */
  static FileChannel hold(Path path, String what) throws IOException {
    FileChannel channel = null;
    try {
      channel =
          FileChannel.open(path.resolve(LOCK), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      if (lock(channel) == null) {
        throw new FailedPreconditionException(
            what
                + " "
                + path
                + " is in use by another jcontainerd; stop that one or choose another --"
                + what);
      }
      return channel;
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
}
