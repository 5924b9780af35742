package io.jcontainerd.daemon.server;

import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.ttrpc.UnixSockets;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.SocketTimeoutException;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;

/**
 * The file of a listening socket: its folder, its mode and owner, and who may take its place.
 *
 * @param path at most 104 bytes, for other systems allow no more
 * @param uid owner of the socket and of a folder made for it
 * @param gid group of both
 */
public record SocketFile(Path path, long uid, long gid) {
  private static final int PATH_LIMIT = 104;
  private static final Duration ANSWER = Duration.ofSeconds(1);

  public SocketFile {
    if (!path.isAbsolute()) {
      throw new InvalidArgumentException("socket " + path + " must be an absolute path");
    }
    if (!fits(path)) {
      throw new InvalidArgumentException(
          "socket "
              + path
              + " has "
              + length(path)
              + " bytes, a socket's path may have "
              + PATH_LIMIT);
    }
  }

  /** Whether a path is short enough for a socket. */
  public static boolean fits(Path path) {
    return length(path) <= PATH_LIMIT;
  }

  private static int length(Path path) {
    return path.toString().getBytes(StandardCharsets.UTF_8).length;
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
    requireFree();
    Files.deleteIfExists(path);
  }

  /**
   * Changes nothing.
   *
   * @throws FailedPreconditionException if somebody serves the socket, or the file is no socket
   */
  public void requireFree() throws IOException {
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
  }

  /** Whether anybody listens; one who does not accept, because he is stopped, does. */
  private boolean served() throws IOException {
    try (SocketChannel _ = UnixSockets.connect(path, ANSWER)) {
      return true;
    } catch (SocketTimeoutException e) {
      return true;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted while connecting to " + path);
    } catch (IOException e) {
      return false; // refused, or no socket at all
    }
  }

  /** Gives the bound socket its owner and mode 0660. */
  public Bound bound() throws IOException {
    own(path, "rw-rw----");
    return new Bound(path, identity(path));
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

  private static String identity(Path file) throws IOException {
    // numbers of files are used again; the time of the last change tells one from the next
    return Files.getAttribute(file, "unix:dev", LinkOption.NOFOLLOW_LINKS)
        + ":"
        + Files.getAttribute(file, "unix:ino", LinkOption.NOFOLLOW_LINKS)
        + ":"
        + Files.getAttribute(file, "unix:ctime", LinkOption.NOFOLLOW_LINKS);
  }

  /**
   * The file of a socket that was bound here.
   *
   * @param identity tells it from another one that has taken its place since
   */
  public record Bound(Path path, String identity) {
    /** Removes the socket; no failure if it is gone, and another's is left alone. */
    public void remove() throws IOException {
      try {
        if (SocketFile.identity(path).equals(identity)) {
          Files.delete(path);
        }
      } catch (NoSuchFileException e) {
        // somebody was quicker
      }
    }
  }
}
