package io.jcontainerd.ttrpc;

import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.channels.ByteChannel;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Serves a set of services to any number of connections.
 *
 * <p>Each call runs on a virtual thread of its own; answers leave in the order in which they were
 * given. On unix sockets only peers with this process' own user and group id are served, others are
 * cut off without a word. Closing ends listeners and connections at once; {@link #shutdown} lets
 * running calls finish first.
 */
public final class TtrpcServer implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger("io.jcontainerd.ttrpc");
  private static final Duration STALL_LIMIT = Duration.ofSeconds(30);

  private final Map<String, TtrpcService> services = new HashMap<>();
  private final Function<Throwable, TtrpcException> failures;
  private final Duration stallLimit;
  private final Set<ServerConnection> connections = ConcurrentHashMap.newKeySet();
  private final Set<ServerSocketChannel> listeners = ConcurrentHashMap.newKeySet();
  private volatile boolean closed;

  /** A server whose handlers' own failures become {@link StatusCode#UNKNOWN} with their text. */
  public TtrpcServer(Collection<TtrpcService> services) {
    this(services, TtrpcServer::unknown);
  }

  /**
   * A server.
   *
   * @param failures turns what a handler threw, unless a {@link TtrpcException}, into a status
   */
  public TtrpcServer(
      Collection<TtrpcService> services, Function<Throwable, TtrpcException> failures) {
    this(services, failures, STALL_LIMIT);
  }

  TtrpcServer(
      Collection<TtrpcService> services,
      Function<Throwable, TtrpcException> failures,
      Duration stallLimit) {
    for (TtrpcService service : services) {
      if (this.services.putIfAbsent(service.name(), service) != null) {
        throw new IllegalArgumentException("service " + service.name() + " given twice");
      }
    }
    this.failures = failures;
    this.stallLimit = stallLimit;
  }

  private static TtrpcException unknown(Throwable failure) {
    String text = failure.getMessage();
    return new TtrpcException(
        StatusCode.UNKNOWN, text == null ? failure.toString() : text, failure);
  }

  /**
   * Accepts connections on a thread of its own until the listener or this server is closed. The
   * server closes the listener; its path stays.
   */
  public void listen(ServerSocketChannel listener) throws IOException {
    listen(listener, Metadata.EMPTY);
  }

  /**
   * Like {@link #listen(ServerSocketChannel)}, for clients that leave out what is meant by the
   * place where they call.
   *
   * @param given comes after a call's own metadata
   */
  public void listen(ServerSocketChannel listener, Metadata given) throws IOException {
    String name = String.valueOf(listener.getLocalAddress());
    listeners.add(listener);
    if (closed) {
      closeListener(listener);
      throw new ClosedChannelException();
    }
    Thread.ofVirtual().name("ttrpc-accept " + name).start(() -> accept(listener, name, given));
  }

  private void accept(ServerSocketChannel listener, String name, Metadata given) {
    try (listener) {
      while (!closed) {
        SocketChannel channel;
        try {
          channel = listener.accept();
        } catch (ClosedChannelException e) {
          return;
        } catch (IOException e) {
          // out of descriptors or memory: others may give some back
          LOG.log(Level.WARNING, "ttrpc accept on " + name, e);
          LockSupport.parkNanos(Duration.ofMillis(50).toNanos());
          continue;
        }
        admit(channel, name, given);
      }
    } catch (IOException e) {
      LOG.log(Level.WARNING, "ttrpc listener " + name, e);
    } finally {
      listeners.remove(listener);
    }
  }

  private void admit(SocketChannel channel, String name, Metadata given) {
    try {
      if (UnixSockets.samePeer(channel)) {
        serve(channel, name, given);
      } else {
        LOG.log(Level.WARNING, "ttrpc connection on {0} refused: peer is another user", name);
        channel.close();
      }
    } catch (IOException e) {
      LOG.log(Level.WARNING, "ttrpc connection on " + name + " refused", e);
    }
  }

  /**
   * Serves one connection, whoever its peer is.
   *
   * @param name for threads and log lines
   */
  public void serve(ByteChannel channel, String name) {
    serve(channel, name, Metadata.EMPTY);
  }

  private void serve(ByteChannel channel, String name, Metadata given) {
    var connection = new ServerConnection(this, name, channel, given, stallLimit);
    connections.add(connection);
    connection.start();
    if (closed) {
      connection.close();
    }
  }

  /** Connections open now. */
  public int connections() {
    return connections.size();
  }

  /**
   * Stops accepting, waits until no call runs, then closes.
   *
   * @return whether all calls had finished within the limit
   */
  public boolean shutdown(Duration limit) throws InterruptedException {
    listeners.forEach(TtrpcServer::closeListener);
    long deadline = System.nanoTime() + limit.toNanos();
    boolean idle = true;
    for (ServerConnection connection : connections) {
      idle &= connection.quiesce(Duration.ofNanos(Math.max(0, deadline - System.nanoTime())));
    }
    close();
    return idle;
  }

  @Override
  public void close() {
    closed = true;
    listeners.forEach(TtrpcServer::closeListener);
    connections.forEach(ServerConnection::close);
  }

  private static void closeListener(ServerSocketChannel listener) {
    try {
      listener.close();
    } catch (IOException e) {
      LOG.log(Level.WARNING, "ttrpc listener close", e);
    }
  }

  void forget(ServerConnection connection) {
    connections.remove(connection);
  }

  TtrpcService.Method method(String service, String method) {
    TtrpcService known = services.get(service);
    if (known == null) {
      throw new TtrpcException(StatusCode.UNIMPLEMENTED, "service " + service);
    }
    TtrpcService.@Nullable Method found = known.methods().get(method);
    if (found == null) {
      throw new TtrpcException(StatusCode.UNIMPLEMENTED, "method " + method);
    }
    return found;
  }

  TtrpcException status(Throwable failure) {
    return failure instanceof TtrpcException already ? already : failures.apply(failure);
  }
}
