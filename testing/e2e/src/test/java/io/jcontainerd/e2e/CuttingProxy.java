package io.jcontainerd.e2e;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * A line to a registry on loopback: of a rate, for all connections together and for each, that can
 * be cut, and that counts what it delivers.
 */
final class CuttingProxy implements AutoCloseable {
  /** Small, so that what is counted has nearly arrived. */
  private static final int BUFFER = 32 << 10;

  private static final int CONNECT_MILLIS = 30_000;

  /** Bytes per second that come when hardly any do. */
  private static final long SLOW = 100_000;

  private final ServerSocket server;
  private final InetSocketAddress target;
  private final long bytesPerSecond;
  private final Rate all = new Rate();
  private final long ofEach;
  private volatile long slowFrom = Long.MAX_VALUE;
  private final Set<Pair> open = ConcurrentHashMap.newKeySet();
  private final AtomicLong delivered = new AtomicLong();
  private final AtomicLong connections = new AtomicLong();

  /** How fast bytes may go. */
  private static final class Rate {
    private long free = System.nanoTime();

    /** Waits until it is the turn of so many bytes. */
    void pass(int count, long bytesPerSecond) {
      long turn;
      synchronized (this) {
        turn = Math.max(free, System.nanoTime());
        free = turn + count * 1_000_000_000L / bytesPerSecond;
      }
      while (System.nanoTime() - turn < 0) {
        LockSupport.parkNanos(turn - System.nanoTime());
      }
    }
  }

  /** Both sides of a connection. */
  private record Pair(Socket client, Socket registry) {
    void cut(boolean hard) {
      for (Socket socket : new Socket[] {client, registry}) {
        try {
          if (hard) {
            socket.setSoLinger(true, 0);
          }
          socket.close();
        } catch (IOException _) {
          // it has just ended by itself
        }
      }
    }
  }

  /**
   * @param target host and port of the registry
   * @param bytesPerSecond of all connections together
   * @param ofEach of one connection
   */
  CuttingProxy(String target, long bytesPerSecond, long ofEach) {
    int colon = target.indexOf(':');
    this.target =
        new InetSocketAddress(
            target.substring(0, colon), Integer.parseInt(target.substring(colon + 1)));
    this.bytesPerSecond = bytesPerSecond;
    this.ofEach = ofEach;
    try {
      server = new ServerSocket(0, 64, InetAddress.ofLiteral("127.0.0.1"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Thread _ = Thread.ofVirtual().name("proxy").start(this::accept);
  }

  /** Host and port. */
  String host() {
    return "127.0.0.1:" + server.getLocalPort();
  }

  /**
   * Once so many bytes have been delivered, hardly any more come, and yet some do, until {@link
   * #fast}: whoever wants to do something in the middle has time for it.
   */
  void slowFrom(long count) {
    slowFrom = count;
  }

  /** From now on it is as fast as it was made. */
  void fast() {
    slowFrom = Long.MAX_VALUE;
  }

  /** Bytes that were given to clients, of whatever connection. */
  long delivered() {
    return delivered.get();
  }

  /** Connections that there have been. */
  long connections() {
    return connections.get();
  }

  /** Connections that are open now. */
  int open() {
    return open.size();
  }

  /**
   * Cuts every connection.
   *
   * @param hard whether the ends are told by a reset, which also drops what is on its way, and not
   *     as if all had been said
   */
  void cut(boolean hard) {
    open.forEach(pair -> pair.cut(hard));
  }

  private void accept() {
    while (true) {
      try {
        Socket client = server.accept();
        Thread _ = Thread.ofVirtual().start(() -> join(client));
      } catch (IOException _) {
        return; // it was closed
      }
    }
  }

  private void join(Socket client) {
    try (client;
        Socket registry = new Socket()) {
      client.setSendBufferSize(BUFFER);
      client.setTcpNoDelay(true);
      registry.setReceiveBufferSize(BUFFER); // little comes after the registry has stopped
      registry.connect(target, CONNECT_MILLIS);
      Pair pair = new Pair(client, registry);
      open.add(pair);
      connections.incrementAndGet();
      try {
        Thread asking = Thread.ofVirtual().start(() -> copy(pair, client, registry, false));
        copy(pair, registry, client, true);
        asking.join();
      } finally {
        open.remove(pair);
      }
    } catch (IOException _) {
      // the registry cannot be reached: the client sees a line that ends at once
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void copy(Pair pair, Socket from, Socket to, boolean answers) {
    Rate own = new Rate();
    byte[] bytes = new byte[BUFFER / 2];
    try {
      InputStream in = from.getInputStream();
      OutputStream out = to.getOutputStream();
      for (int count = in.read(bytes); count >= 0; count = in.read(bytes)) {
        if (answers) {
          own.pass(count, ofEach);
          all.pass(count, delivered.get() > slowFrom ? SLOW : bytesPerSecond);
        }
        out.write(bytes, 0, count);
        if (answers) {
          delivered.addAndGet(count);
        }
      }
      to.shutdownOutput();
    } catch (IOException _) {
      pair.cut(true); // one side is gone, and so is the other
    }
  }

  @Override
  public void close() {
    try {
      server.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    cut(true);
  }
}
