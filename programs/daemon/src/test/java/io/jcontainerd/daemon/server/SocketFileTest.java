package io.jcontainerd.daemon.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.daemon.settings.Identity;
import io.jcontainerd.ttrpc.UnixSockets;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.net.StandardProtocolFamily;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

class SocketFileTest {
  @TempDir Path folder;

  private SocketFile socket(String name) {
    return new SocketFile(folder.resolve(name), Identity.uid(), Identity.gid());
  }

  private static String mode(Path path) throws IOException {
    return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
  }

  @Test
  void the_folder_is_made_for_the_group_and_the_socket_too() throws IOException {
    SocketFile socket = socket("new/s.sock");
    socket.prepare();
    assertThat(mode(folder.resolve("new"))).isEqualTo("rwxrwx---");
    try (var channel = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      channel.bind(socket.address());
      socket.bound();
      assertThat(mode(socket.path())).isEqualTo("rw-rw----");
    }
  }

  @Test
  void a_socket_that_is_served_is_left_alone() throws IOException {
    SocketFile socket = socket("s.sock");
    try (var channel = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      channel.bind(socket.address());
      assertThatThrownBy(socket::prepare)
          .isInstanceOf(FailedPreconditionException.class)
          .hasMessageContaining(socket.path() + " is in use by a running daemon");
      assertThat(socket.path()).exists();
    }
  }

  @Test
  void a_socket_that_nobody_serves_is_removed() throws IOException {
    SocketFile socket = socket("s.sock");
    try (var channel = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      channel.bind(socket.address());
    }
    assertThat(socket.path()).exists();
    socket.prepare();
    assertThat(socket.path()).doesNotExist();
  }

  @Test
  void a_file_that_is_no_socket_is_not_removed() throws IOException {
    SocketFile socket = socket("s.sock");
    Files.writeString(socket.path(), "mine");
    assertThatThrownBy(socket::prepare).hasMessageContaining("a file that is no socket");
    assertThat(socket.path()).hasContent("mine");
  }

  @Test
  void a_path_of_more_than_104_bytes_is_refused() {
    Path longest = Path.of("/" + "x".repeat(103));
    assertThat(new SocketFile(longest, 0, 0).path()).isEqualTo(longest);
    assertThatThrownBy(() -> new SocketFile(Path.of("/" + "x".repeat(104)), 0, 0))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessageContaining("has 105 bytes, a socket's path may have 104");
  }

  @Test
  @Timeout(60)
  void one_who_listens_but_does_not_accept_serves_it() throws IOException {
    SocketFile socket = socket("s.sock");
    var waiting = new ArrayList<SocketChannel>();
    try (var channel = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      channel.bind(socket.address(), 1);
      try {
        fill(socket, waiting);
        assertThatThrownBy(socket::requireFree)
            .isInstanceOf(FailedPreconditionException.class)
            .hasMessageContaining("is in use by a running daemon");
      } finally {
        for (SocketChannel one : waiting) {
          one.close();
        }
      }
    }
  }

  /** Connects until no more fit into the queue of those that wait to be accepted. */
  private static void fill(SocketFile socket, List<SocketChannel> waiting) throws IOException {
    int late = 0;
    while (late < 3) { // one alone may only be a slow machine
      try {
        waiting.add(UnixSockets.connect(socket.path(), Duration.ofMillis(300)));
        late = 0;
      } catch (SocketTimeoutException e) {
        late++;
      } catch (InterruptedException e) {
        throw new AssertionError(e);
      }
    }
  }

  @Test
  void only_the_socket_that_was_bound_is_removed() throws IOException {
    SocketFile socket = socket("s.sock");
    try (var first = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        var second = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      first.bind(socket.address());
      SocketFile.Bound bound = socket.bound();
      Files.delete(socket.path());
      second.bind(socket.address());
      SocketFile.Bound other = socket.bound();
      bound.remove();
      assertThat(socket.path()).exists();
      other.remove();
      assertThat(socket.path()).doesNotExist();
      other.remove();
    }
  }
}
