package io.jcontainerd.core.ports;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * Every durable file operation of the engines.
 *
 * <p>Nothing here follows a symbolic link in a path's last component. Nothing is durable before it
 * was forced: a file's bytes by {@link Handle#force}, a name by {@link #forceDirectory} of its
 * folder. A failure is an {@link IOException}, of {@link java.nio.file.FileSystemException}'s kinds
 * where one fits; a full disk is told by {@link NoSpaceException}, one that lost what it held by
 * {@link DamagedFileException}. Safe for many threads.
 */
public interface Files {
  /** How to open a file. */
  enum Open {
    /** An existing file, for reading. */
    READ,
    /** An existing file, for reading and writing. */
    WRITE,
    /** A file that must not exist yet, for reading and writing. */
    CREATE_NEW,
    /** A file that is made if need be, for reading and writing; its bytes are kept. */
    CREATE
  }

  /** An open file. Safe for many threads. */
  interface Handle extends AutoCloseable {
    /**
     * Reads into the buffer's remaining space.
     *
     * @return bytes read, at least 1, or -1 at or beyond the end
     */
    int read(ByteBuffer into, long position) throws IOException;

    /**
     * Writes at least one byte of the buffer, maybe not all.
     *
     * @return bytes written
     */
    int write(ByteBuffer from, long position) throws IOException;

    /** The size in bytes. */
    long size() throws IOException;

    /** Cuts the file, or extends it with zeros. */
    void truncate(long size) throws IOException;

    /** Makes the bytes and the size survive a power cut. */
    void force() throws IOException;

    /**
     * Tells that the bytes before the position are not read again soon, so that the machine's
     * memory need not hold them. What somebody has mapped or has not been forced stays there.
     */
    default void dontKeep(long end) throws IOException {}

    @Override
    void close() throws IOException;
  }

  /**
   * Opens a file.
   *
   * @param mode of a file that is made, exactly (no umask)
   */
  Handle open(Path file, Open how, int mode) throws IOException;

  /** Makes a folder; fails if the name is taken. */
  void createDirectory(Path folder, int mode) throws IOException;

  /** Makes a folder and its parents where they are missing. */
  void createDirectories(Path folder, int mode) throws IOException;

  /** Makes a further name for a file of the same file system. */
  void link(Path name, Path existing) throws IOException;

  /** Makes a symbolic link. */
  void symlink(Path name, String target) throws IOException;

  /** Gives a file another name, replacing what has that name. */
  void rename(Path from, Path to) throws IOException;

  /**
   * Gives a file a name that is free.
   *
   * @throws java.nio.file.FileAlreadyExistsException if it is taken
   */
  void renameNew(Path from, Path to) throws IOException;

  /** Removes a file or an empty folder; fails if it is not there. */
  void delete(Path path) throws IOException;

  /** Removes a folder with all that is in it, never crossing into another file system. */
  void deleteTree(Path path) throws IOException;

  /** The names in a folder, sorted. */
  List<String> list(Path folder) throws IOException;

  /** What there is under the name, if anything. */
  Optional<FileStat> stat(Path path) throws IOException;

  /** Sets the twelve permission bits. */
  void setMode(Path path, int mode) throws IOException;

  /** Sets owner and group; -1 leaves one as it is. */
  void setOwner(Path path, int uid, int gid) throws IOException;

  /** Sets when the bytes last changed. */
  void setModified(Path path, Instant time) throws IOException;

  /** Makes the names in a folder survive a power cut. */
  void forceDirectory(Path folder) throws IOException;

  /** All bytes of a small file. */
  default byte[] readAll(Path file) throws IOException {
    try (Handle handle = open(file, Open.READ, 0)) {
      ByteBuffer bytes = ByteBuffer.allocate(Math.toIntExact(handle.size()));
      boolean more = true;
      while (more && bytes.hasRemaining()) {
        more = handle.read(bytes, bytes.position()) > 0;
      }
      return Arrays.copyOf(bytes.array(), bytes.position());
    }
  }

  /**
   * Writes a small file durably: beside itself, forced, renamed, its folder forced. After a failure
   * the file is as it was before.
   */
  default void writeAll(Path file, byte[] bytes, int mode) throws IOException {
    Path folder = Objects.requireNonNull(file.getParent(), "a file in a folder");
    Path beside = folder.resolve("." + file.getFileName() + ".new");
    if (stat(beside).isPresent()) {
      delete(beside);
    }
    try {
      try (Handle handle = open(beside, Open.CREATE_NEW, mode)) {
        ByteBuffer from = ByteBuffer.wrap(bytes);
        while (from.hasRemaining()) {
          handle.write(from, from.position());
        }
        handle.force();
      }
      rename(beside, file);
    } catch (IOException e) {
      try {
        if (stat(beside).isPresent()) {
          delete(beside);
        }
      } catch (IOException second) {
        e.addSuppressed(second);
      }
      throw e;
    }
    forceDirectory(folder);
  }
}
