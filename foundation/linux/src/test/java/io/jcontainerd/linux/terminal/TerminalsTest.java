package io.jcontainerd.linux.terminal;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.linux.ErrnoException;
import io.jcontainerd.linux.descriptor.OwnedDescriptor;
import io.jcontainerd.linux.descriptor.Reactor;
import io.jcontainerd.linux.process.Children;
import io.jcontainerd.linux.process.Program;
import io.jcontainerd.linux.process.ProgramRunner;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TerminalsTest {
  @TempDir Path folder;

  @Test
  void a_size_set_on_the_master_is_what_stty_reads_on_the_slave() throws Exception {
    try (Terminals.Pair pair = Terminals.open();
        Reactor reactor = Reactor.start("terminals-test")) {
      Terminals.resize(pair.master(), new Terminals.WindowSize(132, 43));
      ProgramRunner runner = new ProgramRunner(reactor, new Children(reactor, Clock.systemUTC()));
      var finished =
          runner.run(
              Program.of("stty", List.of("size"), List.of())
                  .withDescriptors(Map.of(0, pair.slave())),
              new byte[0],
              Duration.ofSeconds(60),
              100);
      assertThat(new String(finished.output(), UTF_8)).isEqualTo("43 132\n");
      assertThat(Terminals.size(pair.slave())).isEqualTo(new Terminals.WindowSize(132, 43));
    }
  }

  @Test
  void a_terminal_sent_to_the_console_socket_is_the_same_terminal() throws Exception {
    Path path = folder.resolve("console.sock");
    try (Terminals.Pair pair = Terminals.open();
        ConsoleSocket socket = ConsoleSocket.listen(path)) {
      assertThat(socket.received()).isEmpty();
      ConsoleSocket.send(path, pair.master(), "/dev/ptmx");
      try (OwnedDescriptor received = socket.received().orElseThrow()) {
        pair.slave().write(ByteBuffer.allocateDirect(3).put("hey".getBytes(UTF_8)).flip());
        ByteBuffer buffer = ByteBuffer.allocateDirect(16);
        received.read(buffer);
        assertThat(UTF_8.decode(buffer.flip()).toString()).isEqualTo("hey");
      }
    }
    assertThat(Files.exists(path)).isFalse();
  }

  @Test
  void a_path_too_long_for_a_socket_is_refused_and_leaves_nothing() {
    Path path = folder.resolve("x".repeat(108));
    assertThatThrownBy(() -> ConsoleSocket.listen(path))
        .isInstanceOf(ErrnoException.class)
        .hasMessageContaining("file name too long");
    assertThat(Files.exists(path)).isFalse();
  }
}
