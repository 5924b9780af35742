package io.jcontainerd.registry;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;

/** Between a client and a server; it cuts one connection, once so many bytes went up on it. */
final class CuttingRelay implements AutoCloseable {
  private final ServerSocket listening;
  private final String server;
  private final long after;
  private final AtomicBoolean cut = new AtomicBoolean();
  private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();

  CuttingRelay(String server, long after) {
    this.server = server;
    this.after = after;
    try {
      listening = new ServerSocket(0, 16, InetAddress.getLoopbackAddress());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Thread.ofVirtual().start(this::accept);
  }

  private void accept() {
    while (!listening.isClosed()) {
      try {
        Socket client = listening.accept();
        int colon = server.indexOf(':');
        Socket up =
            new Socket(server.substring(0, colon), Integer.parseInt(server.substring(colon + 1)));
        sockets.add(client);
        sockets.add(up);
        Thread.ofVirtual().start(() -> copy(client, up, after));
        Thread.ofVirtual().start(() -> copy(up, client, Long.MAX_VALUE));
      } catch (IOException _) {
        return; // closed
      }
    }
  }

  private void copy(Socket from, Socket to, long most) {
    byte[] buffer = new byte[8192];
    long moved = 0;
    try (from;
        to) {
      InputStream in = from.getInputStream();
      OutputStream out = to.getOutputStream();
      for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
        out.write(buffer, 0, count);
        moved += count;
        if (moved > most && cut.compareAndSet(false, true)) {
          return;
        }
      }
    } catch (IOException _) {
      // either side left
    }
  }

  boolean hasCut() {
    return cut.get();
  }

  String address() {
    return "127.0.0.1:" + listening.getLocalPort();
  }

  @Override
  public void close() {
    try {
      listening.close();
      for (Socket socket : sockets) {
        socket.close();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
