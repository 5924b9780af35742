package io.jcontainerd.daemon.server;

import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;

/**
 * The file of a listening socket: its folder, its mode and owner, and who may take its place.
 *
 * @param path at most 104 bytes, for other systems allow no more
 * @param uid owner of the socket and of a folder made for it
 * @param gid group of both
 */
public record SocketFile(Path path, long uid, long gid) {
  private static final int PATH_LIMIT = 104;

  public SocketFile {
    if (!path.isAbsolute()) {
      throw new InvalidArgumentException("socket " + path + " must be an absolute path");
    }
    int length = path.toString().getBytes(StandardCharsets.UTF_8).length;
    if (length > PATH_LIMIT) {
      throw new InvalidArgumentException(
          "socket " + path + " has " + length + " bytes, a socket's path may have " + PATH_LIMIT);
    }
  }

  public UnixDomainSocketAddress address() {
    return UnixDomainSocketAddress.of(path);
  }

  /**
   * Makes the folder, and removes a socket that nobody serves any more.
   *
   * @throws FailedPreconditionException if somebody serves it, or the file is no socket
   */
  public void prepare() throws IOException {
    Path folder = path.getParent();
    if (folder != null && !Files.exists(folder)) {
      Files.createDirectories(folder);
      own(folder, "rwxrwx---");
    }
    if (!Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    if (served()) {
      throw new FailedPreconditionException(
          "socket "
              + path
              + " is in use by a running daemon; stop that one or choose another address");
    }
    if (Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS)
        || Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)) {
      throw new FailedPreconditionException(
          "socket " + path + " cannot be made, a file that is no socket is in its place");
    }
    Files.delete(path);
  }

  private boolean served() {
    try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      return channel.connect(address());
    } catch (IOException e) {
      return false; // refused, or no socket at all
    }
  }

  /** Gives the bound socket its owner and mode 0660. */
  public void bound() throws IOException {
    own(path, "rw-rw----");
  }

  private void own(Path file, String mode) throws IOException {
    if (owner(file, "unix:uid") != uid) {
      Files.setAttribute(file, "unix:uid", Math.toIntExact(uid));
    }
    if (owner(file, "unix:gid") != gid) {
      Files.setAttribute(file, "unix:gid", Math.toIntExact(gid));
    }
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(mode));
  }

  private static long owner(Path file, String attribute) throws IOException {
    return (Integer) Files.getAttribute(file, attribute);
  }

  /** Removes the socket; no failure if it is gone. */
  public void remove() throws IOException {
    try {
      Files.delete(path);
    } catch (NoSuchFileException e) {
      // somebody was quicker
    }
  }
}
