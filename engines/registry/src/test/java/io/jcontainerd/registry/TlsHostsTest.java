package io.jcontainerd.registry;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpExchange;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.oci.image.MediaTypes;
import io.jcontainerd.registry.hosts.HostsDirectory;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Registries behind TLS with an authority that only the configuration knows. */
@Timeout(120)
class TlsHostsTest {
  private static final byte[] MANIFEST = "{}".getBytes(UTF_8);
  @TempDir private static Path shared;
  private static TestAuthority authority;

  @TempDir private Path root;

  @BeforeAll
  static void makeAuthority() throws IOException, InterruptedException, GeneralSecurityException {
    authority = TestAuthority.make(shared.resolve("authority"));
  }

  private static void serve(HttpExchange exchange) throws IOException {
    exchange.getResponseHeaders().set("Content-Type", MediaTypes.MANIFEST);
    exchange.getResponseHeaders().set("Docker-Content-Digest", Digest.sha256(MANIFEST).toString());
    StandIn.answer(exchange, 200, MANIFEST);
  }

  private DistributionRegistry client() {
    return new DistributionRegistry(
        RegistryOptions.defaults()
            .withTime(new FakeTime())
            .withHosts(new HostsDirectory(List.of(root))));
  }

  /** The folder of r.example, with the authority, the client and this file in it. */
  private Path folder(String toml) throws IOException, GeneralSecurityException {
    Path folder = Files.createDirectories(root.resolve("r.example"));
    Files.writeString(folder.resolve("hosts.toml"), toml);
    Files.writeString(folder.resolve("ca.pem"), authority.certificate("ca"));
    Files.writeString(folder.resolve("client.pem"), authority.certificate("client"));
    Files.writeString(folder.resolve("client-key.pem"), authority.key("client"));
    Files.writeString(
        folder.resolve("both.pem"), authority.key("client") + authority.certificate("client"));
    return folder;
  }

  /** A way of TLS, with %s for the port, and what is said when it does not work. */
  record Way(String toml, boolean needClient, String said) {
    @Override
    public String toString() {
      return toml.replace("\n", "; ") + (needClient ? ", a client certificate is needed" : "");
    }
  }

  static Stream<Way> ways() {
    String at = "server = \"https://127.0.0.1:%s\"\n";
    String named = "server = \"https://localhost:%s\"\n";
    String maybe = "server = \"http://127.0.0.1:%s\"\n";
    String ca = "ca = \"ca.pem\"\n";
    return Stream.of(
        new Way(at + ca, false, ""),
        new Way(at + "ca = [\"client.pem\", \"ca.pem\"]", false, ""),
        new Way(at, false, "unable to find valid certification path"),
        new Way(at + "ca = \"client.pem\"", false, "certification path"),
        new Way(at + "skip_verify = true", false, ""),
        new Way(named + ca, false, "No name matching localhost found"),
        new Way(named + ca + "skip_verify = true", false, ""),
        new Way(maybe + ca, false, ""),
        new Way(maybe + "skip_verify = true", false, ""),
        new Way(maybe + "skip_verify = false", false, "certification path"),
        new Way(at + ca, true, "registry 127.0.0.1:"),
        new Way(at + ca + "client = [[\"client.pem\", \"client-key.pem\"]]", true, ""),
        new Way(at + ca + "client = \"both.pem\"", true, ""),
        new Way(at + ca + "client = [\"both.pem\"]", true, ""),
        new Way(at + ca + "client = \"client.pem\"", false, "client.pem holds no private key"),
        new Way(at + "ca = \"client-key.pem\"", false, "client-key.pem holds no certificate"),
        new Way(at + "ca = \"none.pem\"", false, "none.pem"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("ways")
  void tls_is_as_it_is_configured(Way way) throws IOException, GeneralSecurityException {
    try (StandIn server = new StandIn(TlsHostsTest::serve, authority.server(), way.needClient);
        DistributionRegistry registry = client()) {
      String port = server.address().substring(server.address().indexOf(':') + 1);
      folder(way.toml.formatted(port));
      if (way.said.isEmpty()) {
        assertThat(registry.resolve("r.example/x").digest()).isEqualTo(Digest.sha256(MANIFEST));
      } else {
        assertThatThrownBy(() -> registry.resolve("r.example/x"))
            .isInstanceOf(UnavailableException.class)
            .hasMessageStartingWith("image r.example/x:latest: registry ")
            .hasMessageContaining(way.said);
        assertThat(server.requests).isEmpty();
      }
    }
  }

  @Test
  void certificates_in_a_folder_alone_are_used() throws IOException, GeneralSecurityException {
    try (StandIn server = new StandIn(TlsHostsTest::serve, authority.server(), true);
        DistributionRegistry registry = client()) {
      Path folder = Files.createDirectories(root.resolve(server.address()));
      Files.writeString(folder.resolve("x.crt"), authority.certificate("ca"));
      Files.writeString(folder.resolve("x.cert"), authority.certificate("client"));
      Files.writeString(folder.resolve("x.key"), authority.key("client"));
      registry.resolve(server.address() + "/x");
      assertThat(server.requests).hasSize(1);
    }
  }

  @Test
  void on_loopback_tls_is_spoken_with_who_speaks_it() throws IOException, GeneralSecurityException {
    try (StandIn secure = new StandIn(TlsHostsTest::serve, authority.server(), false);
        StandIn plain = new StandIn(TlsHostsTest::serve);
        DistributionRegistry registry = client()) {
      registry.resolve(secure.address() + "/x");
      registry.resolve(plain.address() + "/x");
      assertThat(secure.requests).hasSize(1);
      assertThat(plain.requests).hasSize(1);
    }
  }

  @Test
  void a_changed_certificate_is_read_again() throws IOException, GeneralSecurityException {
    try (StandIn server = new StandIn(TlsHostsTest::serve, authority.server(), false);
        DistributionRegistry registry = client()) {
      Path folder = folder("server = \"https://" + server.address() + "\"\nca = \"wrong.pem\"");
      Path file = folder.resolve("wrong.pem");
      Files.writeString(file, authority.certificate("client"));
      Files.setLastModifiedTime(file, FileTime.from(Instant.parse("2026-01-01T00:00:00Z")));
      assertThatThrownBy(() -> registry.resolve("r.example/x"))
          .isInstanceOf(UnavailableException.class);
      Files.writeString(file, authority.certificate("ca"));
      registry.resolve("r.example/x");
      assertThat(server.requests).hasSize(1);
    }
  }

  @Test
  void what_is_found_out_of_a_server() throws IOException, GeneralSecurityException {
    Duration wait = Duration.ofSeconds(20);
    int port;
    try (StandIn secure = new StandIn(TlsHostsTest::serve, authority.server(), true)) {
      port = port(secure);
      assertThat(TlsProbe.ask("127.0.0.1", port, wait, wait)).isEqualTo(TlsProbe.Answer.TLS);
    }
    assertThat(TlsProbe.ask("127.0.0.1", port, wait, wait))
        .isEqualTo(TlsProbe.Answer.NO_CONNECTION);
    try (StandIn plain = new StandIn(TlsHostsTest::serve)) {
      assertThat(TlsProbe.ask("127.0.0.1", port(plain), wait, wait))
          .isEqualTo(TlsProbe.Answer.NO_TLS);
      assertThat(plain.requests).isEmpty();
    }
    try (ServerSocket silent = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
      assertThat(TlsProbe.ask("127.0.0.1", silent.getLocalPort(), wait, Duration.ofMillis(50)))
          .isEqualTo(TlsProbe.Answer.NO_TLS);
    }
  }

  private static int port(StandIn server) {
    return Integer.parseInt(server.address().substring(server.address().indexOf(':') + 1));
  }
}
