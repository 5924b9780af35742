package io.jcontainerd.bench.link;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Arrays;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

class ShapedLinkTest {
  private static final int BYTES = 2_500_000;
  private static final long BITS_PER_SECOND = 100_000_000;

  @Test
  void whatComesBackKeepsToTheRateWithTwoConnections() throws Exception {
    var bytes = new byte[BYTES];
    Arrays.fill(bytes, (byte) 7);
    try (ServerSocket server = new ServerSocket(0, 10, InetAddress.getLoopbackAddress());
        ShapedLink link = new ShapedLink(server.getLocalPort(), BITS_PER_SECOND);
        var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < 2; i++) {
        var _ =
            threads.submit(
                () -> {
                  try (Socket peer = server.accept()) {
                    peer.getOutputStream().write(bytes, 0, peer.getInputStream().read() * BYTES);
                  }
                  return true;
                });
      }
      int port = Integer.parseInt(link.address().split(":", 2)[1]);
      Callable<byte[]> fetch = () -> fetch(port);
      long begin = System.nanoTime();
      Future<byte[]> first = threads.submit(fetch);
      Future<byte[]> second = threads.submit(fetch);
      assertThat(first.get()).isEqualTo(bytes);
      assertThat(second.get()).isEqualTo(bytes);
      double seconds = (System.nanoTime() - begin) / 1e9;
      assertThat(seconds).isGreaterThan(2.0 * BYTES * 8 / BITS_PER_SECOND - 0.05);
    }
  }

  private static byte[] fetch(int port) throws IOException {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      socket.getOutputStream().write(1);
      return socket.getInputStream().readAllBytes();
    }
  }
}
