package io.jcontainerd.registry;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.Digest;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.oci.image.MediaTypes;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class EnvironmentProxiesTest {
  private static EnvironmentProxies proxies(String... namesAndValues) {
    Map<String, String> environment = new HashMap<>();
    for (int i = 0; i < namesAndValues.length; i += 2) {
      environment.put(namesAndValues[i], namesAndValues[i + 1]);
    }
    return EnvironmentProxies.of(environment);
  }

  private static String via(EnvironmentProxies proxies, String uri) {
    Proxy proxy = proxies.select(URI.create(uri)).getFirst();
    return proxy.address() instanceof InetSocketAddress address
        ? address.getHostString() + ":" + address.getPort()
        : "direct";
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "                     | https://r.example/      | proxied",
        "*                    | https://r.example/      | direct",
        "a.example            | https://r.example/      | proxied",
        "r.example            | https://r.example/      | direct",
        "R.Example            | https://r.EXAMPLE/      | direct",
        "a, r.example ,b      | https://r.example/      | direct",
        "r.example            | https://x.r.example/    | direct",
        "example              | https://r.example/      | direct",
        "r.example            | https://xr.example/     | proxied",
        ".r.example           | https://r.example/      | proxied",
        ".r.example           | https://x.r.example/    | direct",
        "*.r.example          | https://r.example/      | proxied",
        "*.r.example          | https://x.r.example/    | direct",
        "r.example:443        | https://r.example/      | direct",
        "r.example:443        | https://r.example:5000/ | proxied",
        "r.example:5000       | https://r.example:5000/ | direct",
        "r.example:80         | http://r.example/       | direct",
        ".example:443         | https://r.example/      | direct",
        "10.1.2.3             | https://10.1.2.3/       | direct",
        "10.1.2.3             | https://10.1.2.4/       | proxied",
        "10.1.2.3:5000        | https://10.1.2.3:5000/  | direct",
        "10.1.2.3:5000        | https://10.1.2.3/       | proxied",
        "10.0.0.0/8           | https://10.200.3.4/     | direct",
        "10.0.0.0/8           | https://11.0.0.1/       | proxied",
        "10.1.2.128/25        | https://10.1.2.127/     | proxied",
        "10.1.2.128/25        | https://10.1.2.129/     | direct",
        "0.0.0.0/0            | https://8.8.8.8/        | direct",
        "0.0.0.0/0            | https://[2001:db8::1]/  | proxied",
        "10.0.0.0/33          | https://10.0.0.1/       | proxied",
        "10.0.0.0/x           | https://10.0.0.1/       | proxied",
        "10.0.0.0/8           | https://r.example/      | proxied",
        "2001:db8::/32        | https://[2001:db8:1::2]/ | direct",
        "2001:db8::1          | https://[2001:db8:0::1]/ | direct",
        "[2001:db8::1]:5000   | https://[2001:db8::1]:5000/ | direct",
        "[2001:db8::1]:5000   | https://[2001:db8::1]/  | proxied",
        "                     | https://localhost/      | direct",
        "                     | http://127.0.0.1:5000/  | direct",
        "                     | https://127.8.8.8/      | direct",
        "                     | https://[::1]:5000/     | direct",
        "                     | http://localhost.example/ | proxied",
      })
  void what_goes_through_the_proxy(String exceptions, String uri, String how) {
    EnvironmentProxies proxies =
        proxies(
            "HTTP_PROXY", "http://127.0.0.1:3128",
            "HTTPS_PROXY", "http://127.0.0.1:3128",
            "NO_PROXY", exceptions == null ? "" : exceptions);
    assertThat(via(proxies, uri)).isEqualTo(how.equals("proxied") ? "127.0.0.1:3128" : how);
  }

  @Test
  void each_scheme_has_its_proxy_in_upper_or_lower_case() {
    EnvironmentProxies both =
        proxies("http_proxy", "127.0.0.1:1", "HTTPS_PROXY", "127.0.0.1", "https_proxy", "x:9");
    assertThat(via(both, "http://r.example")).isEqualTo("127.0.0.1:1");
    assertThat(via(both, "https://r.example")).isEqualTo("127.0.0.1:80");
    assertThat(via(proxies("HTTP_PROXY", "127.0.0.1:1"), "https://r.example")).isEqualTo("direct");
    assertThat(via(proxies(), "http://r.example")).isEqualTo("direct");
    assertThat(
            via(proxies("HTTP_PROXY", "127.0.0.1:1", "no_proxy", "r.example"), "http://r.example"))
        .isEqualTo("direct");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"https://p:3128", "socks5://p", "http://", "http://me:hush word@p", "ftp://p"})
  void other_proxies_are_refused_without_telling_the_secret(String proxy) {
    assertThatThrownBy(() -> proxies("HTTPS_PROXY", proxy))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessageStartingWith("HTTPS_PROXY")
        .message()
        .doesNotContain("hush");
  }

  @Test
  void a_request_without_tls_goes_through_with_credentials_of_its_own() {
    byte[] manifest = "{}".getBytes(UTF_8);
    List<String> proofs = new CopyOnWriteArrayList<>();
    StandIn.Handler proxy =
        exchange -> {
          proofs.add(String.valueOf(exchange.getRequestHeaders().getFirst("Proxy-Authorization")));
          exchange.getResponseHeaders().set("Content-Type", MediaTypes.MANIFEST);
          exchange
              .getResponseHeaders()
              .set("Docker-Content-Digest", Digest.sha256(manifest).toString());
          StandIn.answer(exchange, 200, manifest);
        };
    try (StandIn server = new StandIn(proxy);
        DistributionRegistry registry =
            new DistributionRegistry(
                RegistryOptions.defaults()
                    .withPlainHttp(_ -> true)
                    .withProxies(proxies("HTTP_PROXY", "http://me:p%40ss@" + server.address())))) {
      registry.resolve("r.example:5000/x");
      assertThat(server.requests)
          .containsExactly("HEAD http://r.example:5000/v2/x/manifests/latest");
      assertThat(proofs)
          .containsExactly(
              "Basic " + Base64.getEncoder().encodeToString("me:p@ss".getBytes(UTF_8)));
      assertThat(server.authorizations).containsExactly("null");
    }
  }

  @Test
  void with_tls_it_goes_through_a_tunnel() throws Exception {
    List<String> heard = new CopyOnWriteArrayList<>();
    try (ServerSocket proxy = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
      Thread listener = Thread.startVirtualThread(() -> refuseAll(proxy, heard));
      RegistryOptions options =
          RegistryOptions.defaults()
              .withTime(new FakeTime())
              .withProxies(proxies("HTTPS_PROXY", "me:pass@127.0.0.1:" + proxy.getLocalPort()));
      try (DistributionRegistry registry = new DistributionRegistry(options)) {
        assertThatThrownBy(() -> registry.resolve("r.example/x"))
            .isInstanceOf(UnavailableException.class)
            .hasMessageStartingWith("image r.example/x:latest: registry r.example");
      }
      proxy.close();
      listener.join();
    }
    assertThat(heard.getFirst()).isEqualTo("CONNECT r.example:443 HTTP/1.1");
    assertThat(heard)
        .contains(
            "Proxy-Authorization: Basic "
                + Base64.getEncoder().encodeToString("me:pass".getBytes(UTF_8)));
  }

  private static void refuseAll(ServerSocket proxy, List<String> heard) {
    while (!proxy.isClosed()) {
      try (Socket socket = proxy.accept()) {
        heard.addAll(head(socket));
        socket
            .getOutputStream()
            .write("HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n".getBytes(UTF_8));
      } catch (IOException _) {
        // closed by the test, or a client went away
      }
    }
  }

  private static List<String> head(Socket socket) throws IOException {
    List<String> lines = new ArrayList<>();
    BufferedReader reader =
        new BufferedReader(new InputStreamReader(socket.getInputStream(), UTF_8));
    String line = reader.readLine();
    while (line != null && !line.isEmpty()) {
      lines.add(line);
      line = reader.readLine();
    }
    return lines;
  }
}
