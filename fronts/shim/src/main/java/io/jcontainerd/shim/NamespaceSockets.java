package io.jcontainerd.shim;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.jcontainerd.core.Identifiers;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.shim.launch.NamespaceRequest;
import io.jcontainerd.ttrpc.Metadata;
import io.jcontainerd.ttrpc.TtrpcService;
import io.jcontainerd.ttrpc.UnixSockets;
import java.io.IOException;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Sockets besides the host's own, one for a namespace, for daemons that do not tell the namespace
 * with their calls (those of release 1.6). They are asked for by {@link NamespaceRequest} and
 * listed in the state folder: {@code STATE/sockets/NS} holds the address. Safe for many threads.
 */
final class NamespaceSockets implements AutoCloseable {
  private final Path folder;

  // guarded by this
  private final Map<String, Path> served = new HashMap<>();

  private NamespaceSockets(Path folder) {
    this.folder = folder;
  }

  /** None yet; those that a killed host left are removed. */
  static NamespaceSockets open(Path state) throws IOException {
    NamespaceSockets sockets = new NamespaceSockets(state.resolve("sockets"));
    if (Files.isDirectory(sockets.folder)) {
      List<Path> left;
      try (Stream<Path> entries = Files.list(sockets.folder)) {
        left = entries.toList();
      }
      for (Path entry : left) {
        String address = Files.readString(entry).strip();
        if (address.startsWith(NamespaceRequest.SCHEME)) {
          Files.deleteIfExists(Path.of(address.substring(NamespaceRequest.SCHEME.length())));
        }
        Files.delete(entry);
      }
    }
    return sockets;
  }

  /** Who answers on a socket. */
  interface Server {
    /** Answers; a call without a namespace of its own has the given one. */
    void listen(ServerSocketChannel listener, Metadata given) throws IOException;
  }

  /** The service by which a socket is asked for. */
  TtrpcService service(Server server) {
    return TtrpcService.named(NamespaceRequest.SERVICE)
        .bytes(
            NamespaceRequest.METHOD,
            (bytes, _) -> serve(NamespaceRequest.parse(bytes), server).getBytes(UTF_8))
        .build();
  }

  private synchronized String serve(NamespaceRequest request, Server server) throws IOException {
    Identifiers.check(request.namespace());
    Path socket = served.get(request.namespace());
    if (socket == null) {
      socket = Path.of(request.socket());
      if (!socket.isAbsolute()) {
        throw new InvalidArgumentException("socket " + socket + " is no absolute path");
      }
      Files.deleteIfExists(socket); // a stale one
      ServerSocketChannel listener = UnixSockets.listen(socket);
      Files.setPosixFilePermissions(socket, PosixFilePermissions.fromString("rw-------"));
      server.listen(listener, Metadata.namespace(request.namespace()));
      served.put(request.namespace(), socket);
      Files.createDirectories(folder);
      Path entry = folder.resolve(request.namespace());
      Path beside = folder.resolve("." + request.namespace());
      Files.writeString(beside, NamespaceRequest.SCHEME + socket + "\n");
      Files.move(beside, entry, StandardCopyOption.ATOMIC_MOVE);
    }
    return NamespaceRequest.SCHEME + socket;
  }

  /** Removes the sockets; who listens on them is closed by the server. */
  @Override
  public synchronized void close() throws IOException {
    for (Map.Entry<String, Path> entry : served.entrySet()) {
      Files.deleteIfExists(folder.resolve(entry.getKey()));
      Files.deleteIfExists(entry.getValue());
    }
    served.clear();
    Files.deleteIfExists(folder);
  }
}
