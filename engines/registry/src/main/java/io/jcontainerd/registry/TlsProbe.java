package io.jcontainerd.registry;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.HexFormat;

/**
 * Finds out whether TLS is spoken at an address, without a try that could hang.
 *
 * <p>It greets as a client of TLS does. Whoever speaks TLS answers with a record of TLS, be it a
 * refusal. Whoever speaks HTTP reads a line of nonsense and answers in HTTP; so that it sees the
 * end of that line, the number that a client chooses holds the ends of two lines.
 */
final class TlsProbe {
  /** What was found out. */
  enum Answer {
    /** A record of TLS came. */
    TLS,
    /** Something else came, or nothing. */
    NO_TLS,
    /** There was no connection. */
    NO_CONNECTION
  }

  private static final int ALERT = 0x15;
  private static final int HANDSHAKE = 0x16;

  /** A ClientHello of TLS 1.2 with the common suites, curves and signatures. */
  private static final byte[] HELLO =
      HexFormat.of()
          .parseHex(
              "160301005f" // handshake, 95 bytes
                  + "0100005b0303" // client hello, 91 bytes, TLS 1.2
                  + "0d0a0d0a" // the ends of two lines, then the rest of the number
                  + "6a636f6e7461696e65726461736b73666f722d2d746c7373"
                  + "2d2d2d2d"
                  + "00" // no session
                  + "000a" // five suites
                  + "c02fc02bc030c02c009c"
                  + "0100" // no compression
                  + "0028" // 40 bytes of extensions
                  + "000a00080006001d00170018" // curves
                  + "000b00020100" // points are not compressed
                  + "000d0012001004030804040105030805050108060601"); // signatures

  private TlsProbe() {}

  /**
   * Asks.
   *
   * @param dial the longest wait for a connection
   * @param patience the longest wait for the first byte
   */
  static Answer ask(String host, int port, Duration dial, Duration patience) {
    String name = host.startsWith("[") ? host.substring(1, host.length() - 1) : host;
    try (Socket socket = new Socket()) {
      try {
        socket.connect(new InetSocketAddress(name, port), Math.toIntExact(dial.toMillis()));
      } catch (IOException _) {
        return Answer.NO_CONNECTION;
      }
      socket.setSoTimeout(Math.toIntExact(patience.toMillis()));
      socket.getOutputStream().write(HELLO);
      InputStream in = socket.getInputStream();
      int first = in.read();
      return first == ALERT || first == HANDSHAKE ? Answer.TLS : Answer.NO_TLS;
    } catch (SocketTimeoutException _) {
      return Answer.NO_TLS;
    } catch (IOException _) { // reset instead of an answer, or we were interrupted
      return Thread.currentThread().isInterrupted() ? Answer.NO_CONNECTION : Answer.NO_TLS;
    }
  }
}
