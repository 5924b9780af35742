package io.jcontainerd.shim;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.jcontainerd.core.failure.FailedPreconditionException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Stream;

/**
 * Where the runtime finds console sockets: a folder beside the host's own socket, named after it,
 * for below the state folder their paths would be too long for a socket. Its name is the same for
 * every host on that socket, so what a killed one left in it is removed by the next; closing it
 * removes it.
 */
final class ConsoleFolder implements AutoCloseable {
  private static final int LONGEST_SOCKET = 107;
  private static final int NAME_LENGTH = 12;
  private static final String LONGEST_NAME = "/" + Long.MAX_VALUE + ".sock";
  private static final FileAttribute<Set<PosixFilePermission>> PRIVATE =
      PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));

  private final Path folder;

  private ConsoleFolder(Path folder) {
    this.folder = folder;
  }

  /**
   * Makes the folder, or empties the one that is there.
   *
   * @param socket the host's, whose folder is made if it is missing
   */
  static ConsoleFolder open(Path socket) throws IOException {
    String hash = UUID.nameUUIDFromBytes(socket.toString().getBytes(UTF_8)).toString();
    Path folder = socket.resolveSibling("c-" + hash.replace("-", "").substring(0, NAME_LENGTH));
    if (folder.toString().length() + LONGEST_NAME.length() > LONGEST_SOCKET) {
      throw new FailedPreconditionException(
          "folder " + folder + ": its path is too long for sockets of terminals");
    }
    Path parent = socket.getParent();
    if (parent != null && !Files.isDirectory(parent)) {
      Files.createDirectories(parent, PRIVATE);
    }
    ConsoleFolder opened = new ConsoleFolder(folder);
    if (Files.isDirectory(folder)) {
      opened.empty();
    } else {
      Files.createDirectory(folder, PRIVATE);
    }
    return opened;
  }

  Path path() {
    return folder;
  }

  private void empty() throws IOException {
    List<Path> stale;
    try (Stream<Path> entries = Files.list(folder)) {
      stale = entries.toList();
    }
    for (Path file : stale) {
      Files.deleteIfExists(file);
    }
  }

  @Override
  public void close() throws IOException {
    if (Files.isDirectory(folder)) {
      empty();
      Files.delete(folder);
    }
  }
}
