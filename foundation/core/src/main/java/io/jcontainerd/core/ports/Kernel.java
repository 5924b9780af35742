package io.jcontainerd.core.ports;

import io.jcontainerd.core.mount.Mount;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What engines ask of the kernel beyond files. Safe for many threads. */
public interface Kernel {
  /**
   * Does the mounts in order at the target; after a failure, none of them is left.
   *
   * @param target an existing folder or, for a bind mount of a file, a file
   */
  void mount(List<Mount> mounts, Path target) throws IOException;

  /** Undoes every mount at the target, and those below it; no failure if there is none. */
  void unmountAll(Path target) throws IOException;

  /** As {@link #unmountAll}, but a busy mount is detached and ends with its last user. */
  void detachAll(Path target) throws IOException;

  /**
   * A line of the mount table.
   *
   * @param mountPoint where
   * @param type such as {@code overlay}
   * @param source what
   * @param options of the mount and of its file system, comma separated
   */
  record MountPoint(Path mountPoint, String type, String source, String options) {}

  /** The mount table of this process. */
  List<MountPoint> mountTable() throws IOException;

  /**
   * Room in a file system.
   *
   * @param magic its type's number ({@code statfs(2)})
   * @param totalBytes its size
   * @param availableBytes for users
   * @param availableInodes for users
   */
  record Space(long magic, long totalBytes, long availableBytes, long availableInodes) {}

  /** The room in the path's file system. */
  Space space(Path path) throws IOException;

  /**
   * Makes what is written to one file system survive a power cut. The kernel tells a failure to
   * write once to everybody who had the file system open when it came about, and those who open it
   * later may not be told: so this is kept open for as long as failures matter. Safe for many
   * threads, but for closing it while it is used; closing twice does no harm.
   */
  interface Synchroniser extends AutoCloseable {
    /**
     * Makes everything written so far survive a power cut.
     *
     * @throws IOException also if something written since the last call, or since this was opened,
     *     was lost
     */
    void synchronise() throws IOException;

    @Override
    void close() throws IOException;
  }

  /**
   * Opens a synchroniser of the path's file system.
   *
   * @param path of a folder
   */
  Synchroniser synchroniser(Path path) throws IOException;

  /** Names of the extended attributes of the file or link itself. */
  List<String> extendedAttributes(Path path) throws IOException;

  /** The attribute, if the file has it. */
  Optional<byte[]> extendedAttribute(Path path, String name) throws IOException;

  /** Sets an attribute; removes it if the value is null. */
  void setExtendedAttribute(Path path, String name, byte @Nullable [] value) throws IOException;

  /** A text that changes with every boot of the machine. */
  String bootId() throws IOException;
}
