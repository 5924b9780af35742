package io.jcontainerd.daemon;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.daemon.config.ConfigLoader;
import io.jcontainerd.daemon.config.LoadedConfig;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SocketsTest {
  @TempDir Path folder;
  private LoadedConfig config;

  @BeforeEach
  void configure() {
    config =
        ConfigLoader.parse(
            folder.resolve("config.toml"),
            """
            version = 4
            imports = []
            [plugins.'io.containerd.server.v1.grpc']
            address = "%1$s/g.sock"
            [plugins.'io.containerd.server.v1.ttrpc']
            address = "%1$s/t.sock"
            """
                .formatted(folder));
  }

  @Test
  void nobody_serves_what_is_not_there() throws IOException {
    Sockets.requireFree(config, folder);
  }

  @ParameterizedTest
  @ValueSource(strings = {"g.sock", "t.sock", "containerd.sock"})
  void a_daemon_at_work_is_noticed(String name) throws IOException {
    try (var channel = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      channel.bind(UnixDomainSocketAddress.of(folder.resolve(name)));
      assertThatThrownBy(() -> Sockets.requireFree(config, folder))
          .isInstanceOf(FailedPreconditionException.class)
          .hasMessageContaining(folder.resolve(name) + " is in use by a running daemon");
    }
  }
}
