package io.jcontainerd.shim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.failure.InvalidArgumentException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class HostArgumentsTest {
  @Test
  void the_whole_command_line_is_understood() {
    HostArguments arguments =
        HostArguments.parse(
            "--socket",
            "/s",
            "--state",
            "/d",
            "--events",
            "/e",
            "--grpc-address",
            "/g",
            "--idle",
            "7",
            "--linger",
            "60",
            "--orphans",
            "remove",
            "--debug");
    assertThat(arguments.socket()).isEqualTo(Path.of("/s"));
    assertThat(arguments.state()).isEqualTo(Path.of("/d"));
    assertThat(arguments.events()).isEqualTo(Path.of("/e"));
    assertThat(arguments.idle()).contains(Duration.ofSeconds(7));
    assertThat(arguments.linger()).contains(Duration.ofSeconds(60));
    assertThat(arguments.removeOrphans()).isTrue();
    assertThat(arguments.debug()).isTrue();
  }

  @Test
  void what_is_wrong_is_named() {
    assertThatThrownBy(() -> HostArguments.parse("--state", "/d", "--events", "/e"))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessageContaining("--socket is missing");
    assertThatThrownBy(() -> HostArguments.parse("--sokcet", "/d"))
        .hasMessageContaining("unknown option --sokcet");
    assertThatThrownBy(() -> HostArguments.parse("--socket")).hasMessageContaining("needs a value");
    assertThatThrownBy(
            () ->
                HostArguments.parse(
                    "--socket", "/s", "--state", "/d", "--events", "/e", "--idle", "soon"))
        .hasMessageContaining("soon");
    assertThatThrownBy(() -> HostArguments.parse("--orphans", "keep"))
        .hasMessageContaining("adopt or remove, not keep");
  }

  @Test
  void stream_names_are_told_apart() {
    assertThat(StdioUri.parse("/run/fifo"))
        .isEqualTo(new StdioUri("fifo", Path.of("/run/fifo"), List.of()));
    assertThat(StdioUri.parse("fifo:///run/fifo").isPath()).isTrue();
    assertThat(StdioUri.parse("file:///a%20b").path()).isEqualTo(Path.of("/a b"));
    assertThat(StdioUri.parse("binary:///p?a=b+c&flag&x=%3D").query())
        .containsExactly("a", "b+c", "flag", "", "x", "=");
    assertThatThrownBy(() -> StdioUri.parse("relative"))
        .isInstanceOf(InvalidArgumentException.class);
    assertThatThrownBy(() -> StdioUri.path("file:///x"))
        .isInstanceOf(InvalidArgumentException.class);
  }
}
