package io.jcontainerd.registry.hosts;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class HostsTomlTest {
  /** A file, and what is said of it. */
  record Case(String toml, String said) {}

  private static HostsToml.Read read(String toml) {
    return HostsToml.read("/r/hosts.toml", Path.of("/r"), toml);
  }

  static Stream<Case> refused() {
    return Stream.of(
        new Case("server = 1", "line 1: server: must be a string, is a number"),
        new Case("server = \"http:/x\"", "line 1: server: \"http:/x\" is no address of http"),
        new Case("server = \"h:65536\"", "line 1: server: \"h:65536\": 65536 is no port"),
        new Case("server = \"h:99999999999\"", "line 1: server: \"h:99999999999\" is no address"),
        new Case("server = \"a b\"", "line 1: server: \"a b\" is no address"),
        new Case("server = \"https://u:p@h\"", "holds more than scheme, host, port and path"),
        new Case("server = \"https://h/?a=b\"", "holds more than scheme, host, port and path"),
        new Case(
            "\ncapabilities = [\"pul\"]",
            "line 2: capabilities: unknown capability \"pul\", did you mean pull?"),
        new Case("capabilities = [\"everything\"]", "known are pull, resolve, push, referrers"),
        new Case("capabilities = \"pull\"", "must be a list of strings, is a string"),
        new Case("capabilities = [1]", "capabilities: must be a list of strings, is a number"),
        new Case("ca = 7", "line 1: ca: must be a string or a list of strings, is a number"),
        new Case("ca = [[\"a\"]]", "must be a string or a list of strings, is a list"),
        new Case("client = true", "line 1: client: must be a string or a list of strings"),
        new Case("client = [[\"a\"]]", "line 1: client: a list in it must be [certificate, key]"),
        new Case("client = [[\"a\", 1]]", "client: a list in it must be [certificate, key]"),
        new Case("client = [[\"a\", \"b\", \"c\"]]", "must be [certificate, key]"),
        new Case("skip_verify = \"yes\"", "skip_verify: must be true or false, is a string"),
        new Case("override_path = 1", "override_path: must be true or false, is a number"),
        new Case("header = \"a\"", "line 1: header: must be a table, is a string"),
        new Case("[header]\nX = 1", "line 2: header.X: must be a string or a list of strings"),
        new Case("[header]\n\"a b\" = \"1\"", "\"a b\" cannot be sent as a header"),
        new Case("[header]\nX = \"1\\r\\nY: 2\"", "\"X\" cannot be sent as a header"),
        new Case("[header]\nHost = \"x\"", "\"Host\" cannot be sent as a header"),
        new Case("dial_timeout = 5", "dial_timeout: must be a string, is a number"),
        new Case("dial_timeout = \"soon\"", "dial_timeout: \"soon\" is no duration, such as 30s"),
        new Case("dial_timeout = \"-1s\"", "\"-1s\" is no duration"),
        new Case("dial_timeout = \"0s\"", "\"0s\" is no duration"),
        new Case("host = \"m\"", "line 1: host: must be a table, is a string"),
        new Case("[host]\nm = 1", "line 2: host.m: must be a table, is a number"),
        new Case(
            "[host.\"https://m\"]\nskip_verify = 1",
            "line 2: host.\"https://m\".skip_verify: must be true or false"),
        new Case("[host.\"https://\"]", "line 1: host.\"https://\": \"https://\" is no address"),
        new Case("server = \"a\"\nserver = \"b\"", "line 2: "),
        new Case("= 1", "line 1: "));
  }

  @ParameterizedTest
  @MethodSource("refused")
  void what_is_wrong_refuses_the_file_and_is_told_with_file_line_and_key(Case one) {
    HostsToml.Read read = read(one.toml);
    assertThat(read.config()).isEmpty();
    assertThat(read.errors())
        .isNotEmpty()
        .allSatisfy(error -> assertThat(error).startsWith("/r/hosts.toml"))
        .anySatisfy(error -> assertThat(error).contains(one.said));
  }

  static Stream<Case> passedOver() {
    return Stream.of(
        new Case(
            "skip_verfy = true",
            "line 1: skip_verfy: unknown key, it is ignored; did you mean skip_verify?"),
        new Case(
            "[host.\"https://m\"]\ncapabilites = [\"pull\"]",
            "line 2: host.\"https://m\".capabilites: unknown key, it is ignored; did you mean"
                + " capabilities?"),
        new Case("[host.\"https://m\"]\nserver = \"x\"", "server: unknown key, it is ignored"),
        new Case("hosts = 1", "did you mean host?"),
        new Case("zzzzzzzz = 1", "line 1: zzzzzzzz: unknown key, it is ignored"),
        new Case("ca = \"none.crt\"", "line 1: ca: /r/none.crt cannot be read"),
        new Case("client = \"none.pem\"", "line 1: client: /r/none.pem cannot be read"));
  }

  @ParameterizedTest
  @MethodSource("passedOver")
  void what_nobody_knows_is_a_warning_that_names_the_nearest(Case one) {
    HostsToml.Read read = read(one.toml);
    assertThat(read.config()).isPresent();
    assertThat(read.errors()).isEmpty();
    assertThat(read.warnings())
        .singleElement()
        .satisfies(warning -> assertThat(warning).startsWith("/r/hosts.toml").endsWith(one.said));
  }

  @Test
  void all_that_is_wrong_is_told_at_once() {
    assertThat(read("skip_verify = 1\nca = 2\n[host.\"https://m\"]\ndial_timeout = 3").errors())
        .hasSize(3);
  }

  @Test
  void mirrors_keep_the_order_of_the_file() {
    StringBuilder text = new StringBuilder();
    List<String> names = Stream.of("z", "a", "m", "b", "y", "c").map(n -> n + ".example").toList();
    names.forEach(name -> text.append("[host.\"https://").append(name).append("\"]\n"));
    assertThat(read(text.toString()).config().orElseThrow().mirrors())
        .extracting(mirror -> mirror.address().authority())
        .isEqualTo(names);
  }

  @Test
  void a_file_nested_without_end_is_refused() {
    assertThat(read("a = " + "[".repeat(100_000)).errors()).isNotEmpty();
  }
}
