package io.jcontainerd.daemon.server;

import io.jcontainerd.ttrpc.TtrpcServer;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.net.StandardProtocolFamily;
import java.nio.channels.ServerSocketChannel;
import java.time.Duration;

/** Serves ttrpc on a unix socket; closing lets calls under way finish for some seconds. */
public final class TtrpcListener implements AutoCloseable {
  private static final Logger LOG = System.getLogger(TtrpcListener.class.getName());
  private static final Duration GRACE = Duration.ofSeconds(3);

  private final SocketFile socket;
  private final TtrpcServer server;

  private TtrpcListener(SocketFile socket, TtrpcServer server) {
    this.socket = socket;
    this.server = server;
  }

  /** Listens; {@code server} belongs to the listener from now on. */
  @SuppressWarnings("resource") // the server closes the channel
  public static TtrpcListener open(SocketFile socket, TtrpcServer server) throws IOException {
    socket.prepare();
    ServerSocketChannel channel = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    try {
      channel.bind(socket.address());
      socket.bound();
      server.listen(channel);
    } catch (IOException | RuntimeException e) {
      try {
        channel.close();
      } catch (IOException closing) {
        e.addSuppressed(closing);
      }
      throw e;
    }
    return new TtrpcListener(socket, server);
  }

  @Override
  public void close() {
    try {
      if (!server.shutdown(GRACE)) {
        LOG.log(Level.WARNING, "ttrpc calls were cut off on {0}", socket.path());
      }
    } catch (InterruptedException e) {
      server.close();
      Thread.currentThread().interrupt();
    }
    try {
      socket.remove();
    } catch (IOException e) {
      LOG.log(Level.WARNING, "socket " + socket.path() + " cannot be removed", e);
    }
  }
}
