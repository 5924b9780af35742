package io.jcontainerd.testkit.registry;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/**
 * A server of HTTP/1.1 on a free port of loopback that answers as a script says: it may lie about
 * lengths, break lines in the middle, or fall silent, which honest servers do not. It remembers
 * what it was asked. Closing ends all connections.
 */
public final class ScriptedRegistry implements AutoCloseable {
  private static final int LONGEST_LINE = 64 << 10;

  private final Script script;
  private final ServerSocket server;
  private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
  private final CountDownLatch closed = new CountDownLatch(1);
  private final List<Seen> seen = new CopyOnWriteArrayList<>();
  private final AtomicInteger connections = new AtomicInteger();

  /** Starts one without TLS. */
  public ScriptedRegistry(Script script) {
    this(script, null);
  }

  /** Starts one with TLS. */
  public ScriptedRegistry(Script script, @Nullable SSLContext tls) {
    this.script = script;
    try {
      InetAddress loopback = InetAddress.getLoopbackAddress();
      server =
          tls == null
              ? new ServerSocket(0, 64, loopback)
              : tls.getServerSocketFactory().createServerSocket(0, 64, loopback);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Thread.ofVirtual().name("scripted-registry").start(this::accept);
  }

  private void accept() {
    while (closed.getCount() > 0) {
      try {
        Socket socket = server.accept();
        sockets.add(socket);
        connections.incrementAndGet();
        Thread.ofVirtual().start(() -> serve(socket));
      } catch (IOException _) {
        return; // closed
      }
    }
  }

  private void serve(Socket socket) {
    try (socket) {
      socket.setTcpNoDelay(true);
      InputStream in = new BufferedInputStream(socket.getInputStream());
      OutputStream out = socket.getOutputStream();
      while (answer(in, out, socket)) {
        out.flush();
      }
    } catch (IOException _) {
      // the client left, which is its right
    } finally {
      sockets.remove(socket);
    }
  }

  /** Answers one request; whether the connection goes on. */
  private boolean answer(InputStream in, OutputStream out, Socket socket) throws IOException {
    String first = line(in);
    if (first.isEmpty()) {
      return false;
    }
    String[] words = first.split(" ", -1);
    Map<String, List<String>> headers = new LinkedHashMap<>();
    for (String text = line(in); !text.isEmpty(); text = line(in)) {
      int colon = text.indexOf(':');
      headers
          .computeIfAbsent(
              text.substring(0, colon).toLowerCase(Locale.ROOT), _ -> new ArrayList<>())
          .add(text.substring(colon + 1).strip());
    }
    Seen head = new Seen(words[0], words[1], headers, new byte[0]);
    Seen whole = new Seen(words[0], words[1], headers, body(head, in));
    seen.add(whole);
    Reply reply = script.reply(whole);
    write(reply, whole, out);
    out.flush();
    return switch (reply.manner()) {
      case KEEP -> reply.length() >= 0 || reply.chunked();
      case CLOSE -> {
        linger(whole, reply);
        yield false;
      }
      case RESET -> {
        linger(whole, reply);
        socket.setSoLinger(true, 0);
        yield false;
      }
      case STALL -> {
        awaitClose();
        yield false;
      }
    };
  }

  private void linger(Seen seen, Reply reply) {
    if (reply.status() != 0) {
      script.beforeEnd(seen, reply);
    }
  }

  private void awaitClose() {
    try {
      closed.await();
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  private byte[] body(Seen head, InputStream in) throws IOException {
    long appetite = script.appetite(head);
    if (head.header("Transfer-Encoding").filter("chunked"::equalsIgnoreCase).isPresent()) {
      return chunks(in);
    }
    long length = Long.parseLong(head.header("Content-Length").orElse("0"));
    int wanted = Math.toIntExact(Math.min(length, appetite));
    byte[] body = in.readNBytes(wanted);
    if (body.length < wanted) {
      throw new EOFException("the client left in the middle of a request");
    }
    return body;
  }

  private static byte[] chunks(InputStream in) throws IOException {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    for (int size = Integer.parseInt(line(in), 16);
        size > 0;
        size = Integer.parseInt(line(in), 16)) {
      all.write(in.readNBytes(size));
      line(in);
    }
    line(in);
    return all.toByteArray();
  }

  private static String line(InputStream in) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (int c = in.read(); c >= 0 && c != '\n'; c = in.read()) {
      bytes.write(c);
      if (bytes.size() > LONGEST_LINE) {
        throw new IOException("line without end");
      }
    }
    return bytes.toString(ISO_8859_1).stripTrailing();
  }

  private static void write(Reply reply, Seen seen, OutputStream out) throws IOException {
    if (reply.status() == 0) {
      return;
    }
    StringBuilder head = new StringBuilder("HTTP/1.1 " + reply.status() + " Scripted\r\n");
    reply.headers().forEach(line -> head.append(line).append("\r\n"));
    if (reply.chunked()) {
      head.append("Transfer-Encoding: chunked\r\n");
    } else if (reply.length() >= 0 && reply.status() != 204) {
      head.append("Content-Length: ").append(reply.length()).append("\r\n");
    } else if (reply.length() < 0) {
      head.append("Connection: close\r\n");
    }
    out.write(head.append("\r\n").toString().getBytes(ISO_8859_1));
    if (seen.is("HEAD")) {
      return;
    }
    int count = Math.min(reply.after(), reply.body().length);
    if (!reply.chunked()) {
      out.write(reply.body(), 0, count);
      return;
    }
    if (count > 0) {
      out.write((Integer.toHexString(count) + "\r\n").getBytes(ISO_8859_1));
      out.write(reply.body(), 0, count);
      out.write("\r\n".getBytes(ISO_8859_1));
    }
    if (reply.manner() == Reply.Manner.KEEP) {
      out.write("0\r\n\r\n".getBytes(ISO_8859_1));
    }
  }

  /** {@code host:port}, as in references. */
  public String address() {
    return "127.0.0.1:" + server.getLocalPort();
  }

  /** What came, in order. */
  public List<Seen> seen() {
    return List.copyOf(seen);
  }

  /** How many connections there were. */
  public int connections() {
    return connections.get();
  }

  @Override
  public void close() {
    closed.countDown();
    try {
      server.close();
      for (Socket socket : sockets) {
        socket.close();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
