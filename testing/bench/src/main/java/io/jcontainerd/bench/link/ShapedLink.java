package io.jcontainerd.bench.link;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/**
 * Passes connections on to a port of this machine. What comes back from there goes no faster than
 * the line allows, all connections together; what goes there is not held up.
 */
public final class ShapedLink implements AutoCloseable {
  private static final int PIECE = 64 << 10;

  /** What switches and sockets hold: two milliseconds at a gigabit. */
  private static final long BURST = 256 << 10;

  private static final int BACKLOG = 128;

  private final ServerSocket server;
  private final int target;
  private final TokenBucket bucket;
  private final Set<Socket> open = ConcurrentHashMap.newKeySet();

  /**
   * Listens on a free port of the loopback.
   *
   * @param target the port to pass on to
   * @param bitsPerSecond of the line
   */
  public ShapedLink(int target, long bitsPerSecond) throws IOException {
    this.target = target;
    bucket = new TokenBucket(bitsPerSecond / Byte.SIZE, BURST);
    server = new ServerSocket(0, BACKLOG, InetAddress.getLoopbackAddress());
    Thread.ofVirtual().name("shaped-link").start(this::accept);
  }

  /** Where it listens, as in references. */
  public String address() {
    return "127.0.0.1:" + server.getLocalPort();
  }

  private void accept() {
    while (!server.isClosed()) {
      try {
        Socket near = server.accept();
        Socket far = new Socket(InetAddress.getLoopbackAddress(), target);
        near.setTcpNoDelay(true);
        far.setTcpNoDelay(true);
        open.add(near);
        open.add(far);
        Thread.ofVirtual().start(() -> pass(near, far, false));
        Thread.ofVirtual().start(() -> pass(far, near, true));
      } catch (IOException e) {
        if (!server.isClosed()) {
          System.err.println("the shaped line lost a connection: " + e.getMessage());
        }
      }
    }
  }

  /** Ends both directions when one ends: a registry and its clients close whole connections. */
  private void pass(Socket from, Socket to, boolean shaped) {
    var buffer = new byte[PIECE];
    try (from;
        to) {
      InputStream in = from.getInputStream();
      OutputStream out = to.getOutputStream();
      for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
        long wait = shaped ? bucket.take(count, System.nanoTime()) : 0;
        TimeUnit.NANOSECONDS.sleep(wait);
        out.write(buffer, 0, count);
      }
    } catch (SocketException e) {
      open.remove(from); // the other side went, as clients do with connections they have no use for
    } catch (IOException e) {
      System.err.println("the shaped line lost a connection: " + e.getMessage());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      open.remove(from);
      open.remove(to);
    }
  }

  @Override
  public void close() throws IOException {
    server.close();
    for (Socket socket : open) {
      socket.close();
    }
  }
}
