package io.jcontainerd.daemon.server;

import io.jcontainerd.ttrpc.TtrpcServer;
import io.jcontainerd.ttrpc.UnixSockets;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.time.Duration;

/** Serves ttrpc on a unix socket; closing lets calls under way finish for some seconds. */
public final class TtrpcListener implements AutoCloseable {
  private static final Logger LOG = System.getLogger(TtrpcListener.class.getName());
  private static final Duration GRACE = Duration.ofSeconds(3);

  private final SocketFile.Bound socket;
  private final TtrpcServer server;

  private TtrpcListener(SocketFile.Bound socket, TtrpcServer server) {
    this.socket = socket;
    this.server = server;
  }

  /** Listens; {@code server} belongs to the listener from now on. */
  @SuppressWarnings("resource") // the server closes the channel
  public static TtrpcListener open(SocketFile socket, TtrpcServer server) throws IOException {
    socket.prepare();
    ServerSocketChannel channel = UnixSockets.listen(socket.path());
    try {
      SocketFile.Bound bound = socket.bound();
      server.listen(channel);
      return new TtrpcListener(bound, server);
    } catch (IOException | RuntimeException e) {
      try {
        channel.close();
        Files.deleteIfExists(socket.path());
      } catch (IOException closing) {
        e.addSuppressed(closing);
      }
      throw e;
    }
  }

  @Override
  public void close() {
    try {
      // first: until the calls are done, somebody else may listen in this place
      socket.remove();
    } catch (IOException e) {
      LOG.log(Level.WARNING, "socket " + socket.path() + " cannot be removed", e);
    }
    try {
      if (!server.shutdown(GRACE)) {
        LOG.log(Level.WARNING, "ttrpc calls were cut off on {0}", socket.path());
      }
    } catch (InterruptedException e) {
      server.close();
      Thread.currentThread().interrupt();
    }
  }
}
