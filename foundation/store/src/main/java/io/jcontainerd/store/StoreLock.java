package io.jcontainerd.store;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;

/**
 * Keeps other daemons out. A file of its own: SQLite's locks on the database are dropped when any
 * descriptor of that file is closed in this process.
 */
final class StoreLock implements AutoCloseable {
  private static final int PID_DIGITS = 20;

  private final FileChannel channel;

  private StoreLock(FileChannel channel) {
    this.channel = channel;
  }

  static StoreLock take(Path database) throws IOException {
    Path file = database.resolveSibling(database.getFileName() + ".lock");
    FileChannel channel =
        FileChannel.open(
            file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
    try {
      FileLock lock = tryLock(channel);
      if (lock == null) {
        throw new StoreException(
            StoreException.Kind.LOCKED,
            "store %s is in use by process %s: stop it, or give this daemon another root"
                .formatted(database, holder(channel)));
      }
      String pid = ProcessHandle.current().pid() + "\n";
      channel.truncate(0);
      channel.write(ByteBuffer.wrap(pid.getBytes(StandardCharsets.US_ASCII)), 0);
      return new StoreLock(channel);
    } catch (IOException e) {
      // A full disk may refuse the process id, which only makes messages better; the lock is held.
      if (channel.isOpen() && isNoSpace(e)) {
        return new StoreLock(channel);
      }
      channel.close();
      throw e;
    } catch (RuntimeException e) {
      channel.close();
      throw e;
    }
  }

  private static boolean isNoSpace(IOException e) {
    String message = e.getMessage();
    return message != null && message.contains("No space left");
  }

  private static @Nullable FileLock tryLock(FileChannel channel) throws IOException {
    try {
      return channel.tryLock();
    } catch (OverlappingFileLockException e) {
      return null; // this process has it open already
    }
  }

  private static String holder(FileChannel channel) throws IOException {
    ByteBuffer pid = ByteBuffer.allocate(PID_DIGITS);
    channel.read(pid, 0);
    String text = new String(pid.array(), 0, pid.position(), StandardCharsets.US_ASCII).strip();
    return text.isEmpty() ? "(unknown)" : text;
  }

  @Override
  public void close() throws IOException {
    channel.close(); // releases the lock
  }
}
