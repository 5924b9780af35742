package io.jcontainerd.shim;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.jcontainerd.core.failure.FailedPreconditionException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * One host for a state folder: a lock on the file {@code lock} in it, until it is closed. A
 * successor waits until its predecessor is really gone.
 *
 * <p>The predecessor may have removed the folder as its last act, and then the lock that a
 * successor was waiting for is one on a file that is not there any more. So who has the lock writes
 * a mark into the file, and has it only if the mark is found under the file's name.
 */
final class StateLock implements AutoCloseable {
  private static final Duration POLL = Duration.ofMillis(20);

  private final FileChannel file;

  private StateLock(FileChannel file) {
    this.file = file;
  }

  /** Whether somebody serves, so that waiting is in vain. */
  interface Served {
    boolean now() throws InterruptedException;
  }

  /**
   * Takes the folder, which is made with mode 0700 if it is missing.
   *
   * @throws FailedPreconditionException if another host has it and goes on
   */
  static StateLock take(Path folder, Duration patience, Served served)
      throws IOException, InterruptedException {
    long deadline = System.nanoTime() + patience.toNanos();
    while (true) {
      StateLock lock = attempt(folder);
      if (lock != null) {
        return lock;
      }
      if (System.nanoTime() - deadline > 0 || served.now()) {
        throw new FailedPreconditionException(
            "state folder " + folder + " belongs to another shim host that still runs");
      }
      Thread.sleep(POLL);
    }
  }

  private static @Nullable StateLock attempt(Path folder) throws IOException {
    FileChannel channel;
    try {
      make(folder);
      channel =
          FileChannel.open(
              folder.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    } catch (NoSuchFileException e) {
      return null; // removed by a predecessor in between
    }
    try {
      FileLock lock = channel.tryLock();
      if (lock != null && isInPlace(channel, folder.resolve("lock"))) {
        return new StateLock(channel);
      }
    } catch (IOException e) {
      channel.close();
      throw e;
    }
    channel.close();
    return null;
  }

  private static void make(Path folder) throws IOException {
    Path parent = folder.getParent();
    if (parent != null) {
      Files.createDirectories(parent);
    }
    if (!Files.isDirectory(folder)) {
      Files.createDirectories( // without a failure if another is quicker
          folder,
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    }
  }

  private static boolean isInPlace(FileChannel channel, Path file) throws IOException {
    String mark = UUID.randomUUID().toString();
    channel.truncate(0);
    channel.write(ByteBuffer.wrap(mark.getBytes(UTF_8)), 0);
    try {
      return Files.readString(file).equals(mark);
    } catch (NoSuchFileException e) {
      return false;
    }
  }

  @Override
  public void close() throws IOException {
    file.close();
  }
}
