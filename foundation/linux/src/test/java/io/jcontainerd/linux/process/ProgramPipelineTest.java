package io.jcontainerd.linux.process;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.ports.Processes;
import io.jcontainerd.core.ports.Processes.Filter;
import io.jcontainerd.core.ports.Processes.Finished;
import io.jcontainerd.core.ports.Processes.Pipeline;
import io.jcontainerd.linux.descriptor.Reactor;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ProgramPipelineTest {
  private static final Duration LONG = Duration.ofSeconds(60);
  private static final Duration SHORT = Duration.ofMillis(100);

  /** Often enough for one open file each time to be seen beside those that the JDK opens. */
  private static final int TIMES = 10;

  private LinuxProcesses processes;

  @BeforeEach
  void open() throws IOException {
    processes = LinuxProcesses.open();
  }

  @AfterEach
  void close() throws IOException {
    processes.close();
  }

  private static Filter filter(String... command) {
    return filter(Optional.empty(), command);
  }

  private static Filter filter(Optional<byte[]> extra, String... command) {
    return new Filter(
        new Processes.Spawn(
            List.of(command),
            Map.of("PATH", "/usr/bin:/bin", "A", "b c"),
            Path.of("/"),
            new byte[0],
            false),
        extra);
  }

  private static Filter shell(String script) {
    return filter("/bin/sh", "-c", script);
  }

  private static ByteBuffer direct(String text) {
    byte[] bytes = text.getBytes(UTF_8);
    return ByteBuffer.allocateDirect(bytes.length).put(bytes).flip();
  }

  private static String rest(Pipeline programs) throws Exception {
    var all = new ByteArrayOutputStream();
    ByteBuffer piece = ByteBuffer.allocateDirect(1000);
    int count = programs.take(piece, LONG);
    while (count > 0) {
      byte[] bytes = new byte[count];
      piece.flip().get(bytes);
      all.writeBytes(bytes);
      count = programs.take(piece.clear(), LONG);
    }
    assertThat(count).isEqualTo(-1);
    return all.toString(UTF_8);
  }

  private static long openFiles() throws IOException {
    try (Stream<Path> files = Files.list(Path.of("/proc/self/fd"))) {
      return files.count();
    }
  }

  @Test
  void bytes_go_through_all_programs() throws Exception {
    try (Pipeline programs =
        processes.pipe(List.of(filter("tr", "a-z", "A-Z"), shell("sed \"s/O/$A/\"")), 1000)) {
      assertThat(programs.give(direct("hello\n"), LONG)).isEqualTo(6);
      programs.finish();
      assertThat(rest(programs)).isEqualTo("HELLb c\n");
      assertThat(programs.ends(LONG))
          .allSatisfy(
              end -> assertThat(end).hasValueSatisfying(e -> assertThat(e.status()).isZero()));
    }
  }

  @Test
  void more_is_at_descriptor_three() throws Exception {
    Filter first =
        filter(Optional.of("extra ".getBytes(UTF_8)), "/bin/sh", "-c", "cat <&3; exec cat");
    Filter second = shell("test -e /proc/self/fd/3 && echo surprise; exec cat");
    try (Pipeline programs = processes.pipe(List.of(first, second), 1000)) {
      assertThat(programs.give(direct("usual"), LONG)).isEqualTo(5);
      programs.finish();
      assertThat(rest(programs)).isEqualTo("extra usual");
    }
  }

  @Test
  void how_each_ended_is_told_with_what_it_complained_of() throws Exception {
    try (Pipeline programs =
        processes.pipe(
            List.of(shell("cat >/dev/null; echo no key >&2; exit 3"), shell("exec cat")), 4)) {
      programs.finish();
      assertThat(rest(programs)).isEmpty();
      List<Optional<Finished>> ends = programs.ends(LONG);
      assertThat(ends.getFirst().orElseThrow().status()).isEqualTo(3);
      assertThat(new String(ends.getFirst().orElseThrow().error(), UTF_8)).isEqualTo("no k");
      assertThat(ends.getLast().orElseThrow().status()).isZero();
    }
  }

  @Test
  void nobody_waits_longer_than_it_wants() throws Exception {
    try (Pipeline programs = processes.pipe(List.of(shell("exec sleep 1000")), 1000)) {
      ByteBuffer much = ByteBuffer.allocateDirect(1 << 20);
      int given = programs.give(much, SHORT);
      while (given > 0) {
        given = programs.give(much, SHORT);
      }
      assertThat(given).isZero();
      assertThat(programs.take(ByteBuffer.allocateDirect(10), SHORT)).isZero();
      assertThat(programs.ends(SHORT)).containsExactly(Optional.empty());
    }
  }

  @Test
  void who_has_ended_takes_no_more() throws Exception {
    try (Pipeline programs = processes.pipe(List.of(shell("exit 0")), 1000)) {
      assertThat(rest(programs)).isEmpty();
      assertThat(programs.ends(LONG).getFirst()).isPresent();
      assertThat(programs.give(direct("more"), LONG)).isEqualTo(-1);
    }
  }

  @Test
  void who_waits_can_be_interrupted() throws Exception {
    try (Pipeline programs = processes.pipe(List.of(shell("exec sleep 1000")), 1000)) {
      Thread.currentThread().interrupt();
      assertThatThrownBy(() -> programs.take(ByteBuffer.allocateDirect(10), LONG))
          .isInstanceOf(InterruptedException.class);
    }
  }

  @Test
  void closing_kills_the_programs_and_what_they_started() throws Exception {
    long before = openFiles();
    int pid = 0;
    for (int i = 0; i < TIMES; i++) {
      try (Pipeline programs =
          processes.pipe(
              List.of(shell("sleep 1000 & echo $!; exec sleep 1000"), shell("exec cat")), 1000)) {
        ByteBuffer said = ByteBuffer.allocateDirect(100);
        assertThat(programs.take(said, LONG)).isPositive();
        pid = Integer.parseInt(UTF_8.decode(said.flip()).toString().strip());
        assertThat(ProcessIdentity.of(pid)).isPresent();
      }
    }
    assertThat(openFiles()).isLessThan(before + TIMES);
    try (Reactor reactor = Reactor.start("probe");
        var probe = Waiting.foreign(new Children(reactor, Clock.systemUTC()), pid)) {
      assertThat(probe.ended()).isTrue();
    }
  }

  @Test
  void if_one_cannot_be_started_none_goes_on() throws Exception {
    long before = openFiles();
    for (int i = 0; i < TIMES; i++) {
      assertThatThrownBy(
              () -> processes.pipe(List.of(shell("exec sleep 1000"), filter("/no/such")), 1000))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("/no/such");
    }
    assertThat(ProcessHandle.current().descendants()).isEmpty();
    assertThat(openFiles()).isLessThan(before + TIMES);
  }
}
