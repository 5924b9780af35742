package io.jcontainerd.registry.hosts;

import static io.jcontainerd.registry.hosts.Operation.PULL;
import static io.jcontainerd.registry.hosts.Operation.PUSH;
import static io.jcontainerd.registry.hosts.Operation.REFERRERS;
import static io.jcontainerd.registry.hosts.Operation.RESOLVE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.words.Durations;
import io.jcontainerd.oci.reference.Reference;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The table of who is asked for what. */
class ResolutionTest {
  private static final String DIGEST = "@sha256:" + "a".repeat(64);
  private static final String MIRROR = "[host.\"https://m.example\"]\n";

  /** A file, what is asked, and the attempts in the words of {@link #line}. */
  record Case(String toml, String reference, Operation operation, List<String> attempts) {
    @Override
    public String toString() {
      return operation.word() + " " + reference + " with " + toml.replace("\n", "; ");
    }
  }

  private static Case nothing(String reference, String... attempts) {
    return new Case("", reference, RESOLVE, List.of(attempts));
  }

  private static Case with(String toml, String reference, Operation what, String... attempts) {
    return new Case(toml, reference, what, List.of(attempts));
  }

  static Stream<Case> withoutConfiguration() {
    return Stream.of(
        nothing("docker.io/library/x", "https://registry-1.docker.io/v2 as docker.io"),
        nothing("x", "https://registry-1.docker.io/v2 as docker.io"),
        nothing("index.docker.io/a/x", "https://registry-1.docker.io/v2 as docker.io"),
        nothing("quay.io/a/x", "https://quay.io/v2"),
        nothing("r.example:5000/x", "https://r.example:5000/v2"),
        nothing("r.example:80/x", "https://r.example:80/v2"),
        nothing("localhost/x", "https://localhost/v2 skip-verify"),
        nothing("localhost:443/x", "https://localhost:443/v2 skip-verify"),
        nothing("localhost:80/x", "http://localhost:80/v2"),
        nothing("localhost:5000/x", "https|http://localhost:5000/v2 skip-verify"),
        nothing("127.0.0.1:5000/x", "https|http://127.0.0.1:5000/v2 skip-verify"),
        nothing("127.8.9.1:5000/x", "https|http://127.8.9.1:5000/v2 skip-verify"),
        nothing("[::1]:5000/x", "https|http://[::1]:5000/v2 skip-verify"),
        nothing("[::1]/x", "https://[::1]/v2 skip-verify"),
        nothing("localhost.example:5000/x", "https://localhost.example:5000/v2"),
        nothing("10.0.0.1:5000/x", "https://10.0.0.1:5000/v2"));
  }

  static Stream<Case> mirrorsAndServer() {
    String own = "https://r.example/v2";
    String mirror = "https://m.example/v2 ns=r.example";
    String three = MIRROR + "[host.\"http://b.example:81\"]\n[host.\"a.example\"]\n";
    return Stream.of(
        with(MIRROR, "r.example/x", RESOLVE, mirror, own),
        with(MIRROR, "r.example/x" + DIGEST, PULL, mirror, own),
        with(
            three,
            "r.example/x",
            PULL,
            mirror,
            "http://b.example:81/v2 ns=r.example",
            "https://a.example/v2 ns=r.example",
            own),
        with(
            MIRROR,
            "x",
            PULL,
            "https://m.example/v2 ns=docker.io",
            "https://registry-1.docker.io/v2 as docker.io"),
        with(
            "server = \"https://registry-1.docker.io\"",
            "x",
            PULL,
            "https://registry-1.docker.io/v2 as docker.io"),
        with("server = \"https://r.example\"", "r.example/x", PULL, own),
        with("server = \"r.example\"", "r.example/x", PULL, own),
        with("server = \"\"", "r.example/x", PULL, own),
        with("server = \"https://r.example/\"", "r.example/x", PULL, own),
        with("server = \"https://r.example/v2\"", "r.example/x", PULL, own),
        with("server = \"https://r.example/v2/\"", "r.example/x", PULL, own),
        with(
            "server = \"https://r.example//a//b\"",
            "r.example/x",
            PULL,
            "https://r.example/a/b/v2"),
        with("server = \"http://r.example\"", "r.example/x", PULL, "http://r.example/v2"),
        with(
            "server = \"https://other.example:444\"",
            "r.example/x",
            PULL,
            "https://other.example:444/v2 ns=r.example"),
        with(
            "server = \"https://r.example:5000\"",
            "r.example/x",
            PULL,
            "https://r.example:5000/v2 ns=r.example"),
        with(
            "server = \"https://r.example/p\"\noverride_path = true",
            "r.example/x",
            PULL,
            "https://r.example/p"),
        with(
            "server = \"https://r.example\"\noverride_path = true",
            "r.example/x",
            PULL,
            "https://r.example"),
        with("override_path = true", "r.example/x", PULL, own),
        with(
            "[host.\"https://m.example/proxy/v2\"]",
            "r.example/x",
            PULL,
            "https://m.example/proxy/v2 ns=r.example",
            own),
        with(
            "[host.\"https://m.example/proxy\"]\noverride_path = true",
            "r.example/x",
            PULL,
            "https://m.example/proxy ns=r.example",
            own));
  }

  static Stream<Case> capabilities() {
    String own = "https://r.example/v2";
    String pullOnly = MIRROR + "capabilities = [\"pull\"]";
    String pullResolve = MIRROR + "capabilities = [\"pull\", \"resolve\"]";
    String mirror = "https://m.example/v2 ns=r.example";
    return Stream.of(
        with(pullOnly, "r.example/x:1", RESOLVE, own),
        with(pullOnly, "r.example/x" + DIGEST, RESOLVE, mirror + " [pull]", own),
        with(pullOnly, "r.example/x:1" + DIGEST, RESOLVE, mirror + " [pull]", own),
        with(pullOnly, "r.example/x:1", PULL, mirror + " [pull]", own),
        with(pullOnly, "r.example/x:1", PUSH, own),
        with(pullOnly, "r.example/x:1", REFERRERS, own),
        with(pullResolve, "r.example/x:1", RESOLVE, mirror + " [pull,resolve]", own),
        with(pullResolve, "r.example/x:1", PUSH, own),
        with(MIRROR + "capabilities = [\"push\"]", "r.example/x", PUSH, mirror + " [push]"),
        with(MIRROR, "r.example/x", PUSH, mirror),
        with(
            MIRROR + "capabilities = [\"referrers\"]",
            "r.example/x",
            REFERRERS,
            mirror + " [referrers]",
            own),
        with(MIRROR + "capabilities = []", "r.example/x", RESOLVE, mirror, own),
        with("capabilities = [\"push\"]", "r.example/x", RESOLVE, own),
        with("server = \"https://r.example\"\ncapabilities = [\"push\"]", "r.example/x", RESOLVE),
        with(
            "server = \"https://r.example\"\ncapabilities = [\"pull\"]\n" + pullOnly,
            "r.example/x:1",
            RESOLVE),
        with(
            "server = \"https://r.example\"\ncapabilities = [\"pull\"]\n" + pullOnly,
            "r.example/x:1",
            PUSH));
  }

  static Stream<Case> tlsAndHeaders() {
    String own = "https://r.example/v2";
    String mirror = "https://m.example/v2 ns=r.example";
    return Stream.of(
        with("ca = \"a.crt\"", "r.example/x", PULL, own + " ca=/base/a.crt"),
        with("ca = [\"a\", \"/b\"]", "r.example/x", PULL, own + " ca=/base/a,/b"),
        with("skip_verify = true", "r.example/x", PULL, own + " skip-verify"),
        with("skip_verify = false", "r.example/x", PULL, own),
        with("skip_verify = false", "localhost:5000/x", PULL, "https|http://localhost:5000/v2"),
        with("skip_verify = true", "localhost:80/x", PULL, "http://localhost:80/v2 skip-verify"),
        with(
            "ca = \"a\"",
            "localhost:5000/x",
            PULL,
            "https|http://localhost:5000/v2 skip-verify ca=/base/a"),
        with("client = \"c.pem\"", "r.example/x", PULL, own + " client=/base/c.pem"),
        with(
            "client = [\"c.pem\", \"d.pem\"]",
            "r.example/x",
            PULL,
            own + " client=/base/c.pem,/base/d.pem"),
        with(
            "client = [[\"c\", \"k\"], [\"d\", \"l\"]]",
            "r.example/x",
            PULL,
            own + " client=/base/c with /base/k,/base/d with /base/l"),
        with(
            "server = \"http://r.example:5000\"\nskip_verify = false",
            "r.example:5000/x",
            PULL,
            "https|http://r.example:5000/v2"),
        with(
            "server = \"http://r.example:80\"\nca = \"a\"",
            "r.example:80/x",
            PULL,
            "http://r.example:80/v2 ca=/base/a"),
        with(
            "[host.\"http://m.example:81\"]\nca = \"a\"",
            "r.example/x",
            PULL,
            "https|http://m.example:81/v2 ns=r.example ca=/base/a",
            own),
        with("skip_verify = true\n" + MIRROR, "r.example/x", PULL, mirror, own + " skip-verify"),
        with(
            "[host.\"http://localhost:5000\"]",
            "r.example/x",
            PULL,
            "http://localhost:5000/v2 ns=r.example",
            own),
        with(
            MIRROR + "[host.\"https://m.example\".header]\nX-A = \"1\"\nX-B = [\"2\", \"3\"]",
            "r.example/x",
            PULL,
            mirror + " X-A=1 X-B=2,3",
            own),
        with("[header]\nX-A = \"1\"", "r.example/x", PULL, own + " X-A=1"),
        with(
            "dial_timeout = \"5s\"\n" + MIRROR + "dial_timeout = \"1m30s\"",
            "r.example/x",
            PULL,
            mirror + " dial=1m30s",
            own + " dial=5s"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource({"withoutConfiguration", "mirrorsAndServer", "capabilities", "tlsAndHeaders"})
  void attempts(Case one) {
    HostsToml.Read read = HostsToml.read("hosts.toml", Path.of("/base"), one.toml);
    assertThat(read.errors()).isEmpty();
    assertThat(
            Resolution.attempts(
                    read.config().orElseThrow(),
                    Reference.parse(one.reference),
                    one.operation,
                    false)
                .stream()
                .map(ResolutionTest::line))
        .containsExactlyElementsOf(one.attempts);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource({"withoutConfiguration"})
  void without_tls_when_that_is_wanted(Case one) {
    assertThat(Resolution.attempts(HostsConfig.NONE, Reference.parse(one.reference), PULL, true))
        .singleElement()
        .satisfies(
            attempt -> {
              assertThat(attempt.transport()).isEqualTo(Attempt.Transport.HTTP);
              assertThat(attempt.tls()).isEqualTo(TlsSettings.USUAL);
            });
  }

  @Test
  void the_table_is_long() {
    assertThat(
            Stream.of(withoutConfiguration(), mirrorsAndServer(), capabilities(), tlsAndHeaders())
                .flatMap(cases -> cases))
        .hasSizeGreaterThanOrEqualTo(70);
  }

  @Test
  void ports_are_written_or_usual() {
    assertThat(ports("localhost:80/x", "r.example/x", "r.example:5000/x", "[::1]/x", "[::1]:7/x"))
        .containsExactly("localhost 80", "r.example 443", "r.example 5000", "[::1] 443", "[::1] 7");
  }

  @ParameterizedTest
  @ValueSource(strings = {"localhost:65536/x", "r.example:99999999999/x"})
  void what_is_no_port_is_refused(String reference) {
    Reference name = Reference.parse(reference);
    assertThatThrownBy(() -> Resolution.attempts(HostsConfig.NONE, name, PULL, false))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessageContaining("is no port");
  }

  private static List<String> ports(String... references) {
    return Stream.of(references)
        .map(r -> Resolution.attempts(HostsConfig.NONE, Reference.parse(r), PULL, false))
        .map(attempts -> attempts.getFirst().host() + " " + attempts.getFirst().port())
        .toList();
  }

  private static String line(Attempt attempt) {
    List<String> words = new ArrayList<>();
    words.add(attempt.toString());
    attempt.namespace().ifPresent(ns -> words.add("ns=" + ns));
    if (!attempt.credentials().equals(attempt.authority())) {
      words.add("as " + attempt.credentials());
    }
    if (attempt.capabilities().size() < Capability.values().length) {
      words.add(
          attempt.capabilities().stream()
              .map(Capability::word)
              .collect(Collectors.joining(",", "[", "]")));
    }
    if (attempt.tls().believesAll()) {
      words.add("skip-verify");
    }
    if (!attempt.tls().authorities().isEmpty()) {
      words.add("ca=" + joined(attempt.tls().authorities()));
    }
    if (!attempt.tls().clients().isEmpty()) {
      words.add("client=" + joined(attempt.tls().clients()));
    }
    attempt.headers().forEach((name, values) -> words.add(name + "=" + joined(values)));
    if (!attempt.dialTimeout().equals(Resolution.DIAL_TIMEOUT)) {
      words.add("dial=" + Durations.format(attempt.dialTimeout()));
    }
    return String.join(" ", words);
  }

  private static String joined(List<?> all) {
    return all.stream().map(Object::toString).collect(Collectors.joining(","));
  }
}
