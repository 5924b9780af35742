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
import java.util.Comparator;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
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
  private static final int HEAD = 64;
  private static final AtomicBoolean DONE = new AtomicBoolean();

  private NativeLibrary() {}

  static void provide(Path folder) throws IOException {
    if (System.getProperty(PATH) != null || !DONE.compareAndSet(false, true)) {
      return;
    }
    String library = System.mapLibraryName("sqlitejdbc");
    Path libraries = folder.resolve("lib").toAbsolutePath();
    Path home = libraries.resolve("sqlite-" + SQLiteJDBCLoader.getVersion());
    if (!isWhole(home.resolve(library))) {
      removeAll(libraries);
      Files.createDirectories(home);
      write(home.resolve(library), read(library));
    }
    System.setProperty(PATH, home.toString());
    System.setProperty(TEMPORARY, home.toString());
  }

  /**
   * A file of that name was forced before it got the name, so it need not be compared with the jar,
   * which would take longer than all else; only a file system that lost it all the same is noticed.
   */
  private static boolean isWhole(Path file) throws IOException {
    if (!Files.exists(file)) {
      return false;
    }
    ByteBuffer head = ByteBuffer.allocate(HEAD);
    try (FileChannel channel = FileChannel.open(file)) {
      channel.read(head);
    }
    return !Arrays.equals(head.array(), new byte[HEAD]);
  }

  /** Earlier versions, and what they may have left. */
  private static void removeAll(Path libraries) throws IOException {
    if (!Files.exists(libraries)) {
      return;
    }
    try (Stream<Path> tree = Files.walk(libraries)) {
      for (Path path : tree.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }

  private static byte[] read(String library) throws IOException {
    String resource =
        "/org/sqlite/native/" + OSInfo.getNativeLibFolderPathForCurrentOS() + "/" + library;
    try (InputStream in = SQLiteJDBCLoader.class.getResourceAsStream(resource)) {
      if (in == null) {
        throw new StoreException(
            StoreException.Kind.BROKEN, "sqlite has no native library for " + resource);
      }
      return in.readAllBytes();
    }
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
