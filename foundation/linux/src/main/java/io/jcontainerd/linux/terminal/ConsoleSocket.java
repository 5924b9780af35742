package io.jcontainerd.linux.terminal;

import io.jcontainerd.linux.Errno;
import io.jcontainerd.linux.ErrnoException;
import io.jcontainerd.linux.descriptor.OwnedDescriptor;
import io.jcontainerd.linux.libc.DescriptorCalls;
import io.jcontainerd.linux.libc.SocketCalls;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The socket of an OCI runtime's {@code --console-socket}: the runtime connects and sends one
 * message with the master of the container's terminal, before it ends. So whoever waited for the
 * runtime's end finds the message there and never has to wait for it here.
 *
 * <p>Closing removes the socket's file.
 */
public final class ConsoleSocket implements AutoCloseable {
  private final Path path;
  private final OwnedDescriptor listening;

  private ConsoleSocket(Path path, OwnedDescriptor listening) {
    this.path = path;
    this.listening = listening;
  }

  /**
   * Listens.
   *
   * @param path where there is nothing yet; at most 107 bytes
   */
  public static ConsoleSocket listen(Path path) throws IOException {
    OwnedDescriptor socket = OwnedDescriptor.owning(SocketCalls.socket(DescriptorCalls.O_NONBLOCK));
    try {
      SocketCalls.bind(socket.number(), path.toString());
      SocketCalls.listen(socket.number(), 1);
      return new ConsoleSocket(path, socket);
    } catch (ErrnoException e) {
      socket.close();
      if (!e.is(Errno.EADDRINUSE)) {
        Files.deleteIfExists(path);
      }
      throw e;
    }
  }

  /** Where the runtime is to connect. */
  public Path path() {
    return path;
  }

  /** The terminal's master, if it was sent by now. */
  public Optional<OwnedDescriptor> received() throws ErrnoException {
    int connection;
    try {
      connection = SocketCalls.accept4(listening.number(), DescriptorCalls.O_NONBLOCK);
    } catch (ErrnoException e) {
      if (e.is(Errno.EAGAIN)) {
        return Optional.empty();
      }
      throw e;
    }
    try (OwnedDescriptor peer = OwnedDescriptor.owning(connection)) {
      SocketCalls.Received message = SocketCalls.recvmsg(peer.number());
      return message.fd() < 0
          ? Optional.empty()
          : Optional.of(OwnedDescriptor.owning(message.fd()));
    } catch (ErrnoException e) {
      if (e.is(Errno.EAGAIN)) {
        return Optional.empty();
      }
      throw e;
    }
  }

  /** Sends a descriptor to such a socket, as a runtime does. */
  public static void send(Path path, OwnedDescriptor terminal, String name) throws ErrnoException {
    try (OwnedDescriptor socket = OwnedDescriptor.owning(SocketCalls.socket(0))) {
      SocketCalls.connect(socket.number(), path.toString());
      SocketCalls.sendmsg(socket.number(), name, terminal.number());
    }
  }

  @Override
  public void close() throws IOException {
    listening.close();
    Files.deleteIfExists(path);
  }
}
