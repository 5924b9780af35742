package io.jcontainerd.daemon.server;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.daemon.metrics.DaemonMetrics;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * Serves {@code GET /v1/metrics} over HTTP. How many connections there may be, and how long a
 * request and an answer may take, the daemon's launcher sets by the properties of the JDK's server.
 */
public final class MetricsListener implements AutoCloseable {
  private static final Logger LOG = System.getLogger(MetricsListener.class.getName());
  private static final String PATH = "/v1/metrics";
  private static final int BACKLOG = 16;
  private static final int GRACE_SECONDS = 1;

  private final HttpServer server;
  private final ExecutorService threads;

  private MetricsListener(HttpServer server, ExecutorService threads) {
    this.server = server;
    this.threads = threads;
  }

  /**
   * Listens.
   *
   * @param address {@code HOST:PORT}, with an IPv6 address in brackets; without a host on all
   *     addresses, with port 0 on a free one
   * @throws InvalidArgumentException if that is not what the address is
   * @throws IOException if it cannot be listened on, which says why
   */
  public static MetricsListener open(String address, DaemonMetrics metrics) throws IOException {
    InetSocketAddress place = parse(address);
    HttpServer server;
    try {
      server = HttpServer.create(place, BACKLOG);
    } catch (IOException e) {
      throw new IOException("metrics cannot be served on " + address + ": " + e.getMessage(), e);
    }
    ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    server.setExecutor(threads);
    server.createContext("/", exchange -> answer(exchange, metrics));
    server.start();
    return new MetricsListener(server, threads);
  }

  private static InetSocketAddress parse(String address) throws IOException {
    int colon = address.lastIndexOf(':');
    String host = colon < 0 ? "" : address.substring(0, colon);
    try {
      int port = Integer.parseInt(address.substring(colon + 1));
      boolean bare = host.contains(":") && !host.startsWith("[");
      if (colon < 0 || bare || port < 0 || port > 0xffff) {
        throw notAnAddress(address);
      }
      return host.isEmpty()
          ? new InetSocketAddress(port)
          : new InetSocketAddress(InetAddress.getByName(host), port);
    } catch (NumberFormatException _) {
      throw notAnAddress(address);
    }
  }

  private static InvalidArgumentException notAnAddress(String address) {
    return new InvalidArgumentException(
        "metrics address \"" + address + "\" is not HOST:PORT, such as 127.0.0.1:1338");
  }

  /** The port that is listened on. */
  public int port() {
    return server.getAddress().getPort();
  }

  private static void answer(HttpExchange exchange, DaemonMetrics metrics) throws IOException {
    try (exchange) {
      String method = exchange.getRequestMethod();
      if (!exchange.getRequestURI().getPath().equals(PATH)) {
        send(exchange, 404, "text/plain", "not found: metrics are at " + PATH + "\n");
      } else if (method.equals("GET") || method.equals("HEAD")) {
        sendNumbers(exchange, metrics);
      } else {
        exchange.getResponseHeaders().set("Allow", "GET, HEAD");
        send(exchange, 405, "text/plain", method + " is not allowed\n");
      }
    }
  }

  private static void sendNumbers(HttpExchange exchange, DaemonMetrics metrics) throws IOException {
    String text;
    try {
      text = metrics.text();
    } catch (IOException | RuntimeException e) {
      LOG.log(Level.ERROR, "metrics could not be gathered", e);
      send(exchange, 500, "text/plain", "metrics could not be gathered: " + e.getMessage() + "\n");
      return;
    }
    send(exchange, 200, DaemonMetrics.mediaType(), text);
  }

  private static void send(HttpExchange exchange, int status, String type, String text)
      throws IOException {
    byte[] body = text.getBytes(StandardCharsets.UTF_8);
    exchange.getResponseHeaders().set("Content-Type", type);
    if (exchange.getRequestMethod().equals("HEAD")) {
      exchange.sendResponseHeaders(status, -1);
    } else {
      exchange.sendResponseHeaders(status, body.length);
      exchange.getResponseBody().write(body);
    }
  }

  @Override
  public void close() {
    server.stop(GRACE_SECONDS);
    threads.shutdownNow();
  }
}
