package io.jcontainerd.store;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicBoolean;
import org.sqlite.SQLiteJDBCLoader;
import org.sqlite.util.OSInfo;

/**
 * Puts SQLite's native library where it may stay. By itself the driver copies it to the temporary
 * folder on every start, which leaks a file with every kill and fails where that folder is mounted
 * {@code noexec}. A library named by the system property {@code org.sqlite.lib.path} is left alone.
 */
final class NativeLibrary {
  private static final String PATH = "org.sqlite.lib.path";
  private static final String TEMPORARY = "org.sqlite.tmpdir";
  private static final AtomicBoolean DONE = new AtomicBoolean();

  private NativeLibrary() {}

  static void provide(Path folder) throws IOException {
    if (System.getProperty(PATH) != null || !DONE.compareAndSet(false, true)) {
      return;
    }
    String library = System.mapLibraryName("sqlitejdbc");
    String resource =
        "/org/sqlite/native/" + OSInfo.getNativeLibFolderPathForCurrentOS() + "/" + library;
    byte[] bytes;
    try (InputStream in = SQLiteJDBCLoader.class.getResourceAsStream(resource)) {
      if (in == null) {
        throw new StoreException(
            StoreException.Kind.BROKEN, "sqlite has no native library for " + resource);
      }
      bytes = in.readAllBytes();
    }
    Path home = folder.resolve("lib");
    Path file = home.resolve(library);
    if (!sameBytes(file, bytes)) {
      Files.createDirectories(home);
      write(file, bytes);
    }
    System.setProperty(PATH, home.toAbsolutePath().toString());
    System.setProperty(TEMPORARY, home.toAbsolutePath().toString());
  }

  private static boolean sameBytes(Path file, byte[] bytes) throws IOException {
    if (!Files.exists(file) || Files.size(file) != bytes.length) {
      return false;
    }
    return Arrays.equals(Files.readAllBytes(file), bytes);
  }

  private static void write(Path file, byte[] bytes) throws IOException {
    Path beside = file.resolveSibling(file.getFileName() + ".new");
    try (FileChannel channel =
        FileChannel.open(
            beside,
            StandardOpenOption.CREATE,
            StandardOpenOption.WRITE,
            StandardOpenOption.TRUNCATE_EXISTING)) {
      ByteBuffer left = ByteBuffer.wrap(bytes);
      while (left.hasRemaining()) {
        channel.write(left);
      }
      channel.force(true);
    }
    Files.move(beside, file, StandardCopyOption.ATOMIC_MOVE);
  }
}
