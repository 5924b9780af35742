package io.jcontainerd.registry;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpExchange;
import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.failure.UnauthenticatedException;
import io.jcontainerd.oci.image.Descriptors;
import io.jcontainerd.oci.image.MediaTypes;
import io.jcontainerd.testkit.registry.DockerRegistry;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URLDecoder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.Signature;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Against Debian's docker-registry, which wants tokens of a server of the test: whoever has the
 * password may push and pull, anybody else only pull.
 */
@Timeout(120)
class TokenRegistryTest {
  private static final String SERVICE = "the registry";
  private static final String PROOF =
      "Basic " + Base64.getEncoder().encodeToString("me:open sesame".getBytes(UTF_8));

  @TempDir private static Path shared;
  private static TestAuthority authority;
  private static StandIn tokens;
  private static DockerRegistry server;

  @BeforeAll
  static void start() throws IOException, InterruptedException, GeneralSecurityException {
    authority = TestAuthority.make(shared.resolve("authority"));
    tokens = new StandIn(TokenRegistryTest::give);
    server =
        DockerRegistry.start(
            shared.resolve("registry"),
            new DockerRegistry.Tokens(
                "http://" + tokens.address() + "/token",
                SERVICE,
                "the test",
                Files.writeString(shared.resolve("roots.pem"), authority.certificate("ca"))));
  }

  @AfterAll
  static void stop() {
    server.close();
    tokens.close();
  }

  private static void give(HttpExchange exchange) throws IOException {
    boolean known = PROOF.equals(exchange.getRequestHeaders().getFirst("Authorization"));
    if (!known && exchange.getRequestHeaders().containsKey("Authorization")) {
      StandIn.answer(exchange, 401, new byte[0]);
      return;
    }
    List<String> access = new ArrayList<>();
    for (String pair : exchange.getRequestURI().getRawQuery().split("&", -1)) {
      Map.Entry<String, String> field =
          Map.entry(
              pair.replaceFirst("=.*", ""),
              URLDecoder.decode(pair.replaceFirst("^[^=]*=", ""), UTF_8));
      if (field.getKey().equals("scope")) {
        String[] parts = field.getValue().split(":", -1);
        List<String> actions =
            List.of(parts[2].split(",", -1)).stream()
                .filter(action -> known || action.equals("pull"))
                .toList();
        access.add(
            "{\"type\":\"%s\",\"name\":\"%s\",\"actions\":[%s]}"
                .formatted(
                    parts[0],
                    parts[1],
                    actions.stream()
                        .map(action -> "\"" + action + "\"")
                        .collect(Collectors.joining(","))));
      }
    }
    try {
      StandIn.answer(exchange, 200, "{\"token\":\"%s\"}".formatted(token(access)).getBytes(UTF_8));
    } catch (GeneralSecurityException e) {
      throw new IOException(e);
    }
  }

  /** A signed token (RFC 7519) with the certificate of who signed it. */
  private static String token(List<String> access) throws IOException, GeneralSecurityException {
    long now = Instant.now().getEpochSecond();
    String certificate =
        authority.certificate("client").replaceAll("-----[A-Z ]+-----", "").replaceAll("\\s", "");
    String head =
        encoded(
            "{\"typ\":\"JWT\",\"alg\":\"RS256\",\"x5c\":[\"%s\"]}"
                .formatted(certificate)
                .getBytes(UTF_8));
    String claims =
        encoded(
            "{\"iss\":\"the test\",\"sub\":\"me\",\"aud\":\"%s\",\"exp\":%d,\"nbf\":%d,\"iat\":%d,\"jti\":\"%d\",\"access\":[%s]}"
                .formatted(SERVICE, now + 300, now - 60, now, now, String.join(",", access))
                .getBytes(UTF_8));
    Path key = shared.resolve("client.key");
    Files.writeString(key, authority.key("client"));
    PrivateKey signer = Pem.key(key);
    Signature signature = Signature.getInstance("SHA256withRSA");
    signature.initSign(signer);
    signature.update((head + "." + claims).getBytes(UTF_8));
    return head + "." + claims + "." + encoded(signature.sign());
  }

  private static String encoded(byte[] bytes) {
    return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
  }

  private static DistributionRegistry client(Optional<Credentials> known) {
    return new DistributionRegistry(
        RegistryOptions.defaults().withCredentials((String _) -> known));
  }

  private static boolean push(
      DistributionRegistry registry, String name, Descriptor descriptor, byte[] bytes) {
    return registry.push(name, descriptor, () -> new ByteArrayInputStream(bytes));
  }

  @Test
  void who_has_the_password_pushes_and_anybody_pulls() throws IOException {
    byte[] layer = new byte[300_000];
    Descriptor at = Descriptors.of(MediaTypes.LAYER, layer);
    String first = server.address() + "/first:1";
    String second = server.address() + "/second:1";
    try (DistributionRegistry registry =
        client(Optional.of(new Credentials("me", "open sesame")))) {
      assertThat(push(registry, first, at, layer)).isTrue();
      int before = tokens.requests.size();
      assertThat(push(registry, first, at, layer)).isFalse();
      assertThat(tokens.requests).as("the token is kept").hasSize(before);
      Descriptor elsewhere =
          new Descriptor(
              at.mediaType(),
              at.digest(),
              at.size(),
              Map.of("containerd.io/distribution.source." + server.address(), "first"));
      assertThat(push(registry, second, elsewhere, new byte[0])).as("mounted").isFalse();
    }
    try (DistributionRegistry registry = client(Optional.empty());
        InputStream in = registry.fetch(second, at, 0)) {
      assertThat(in.readAllBytes()).isEqualTo(layer);
      assertThatThrownBy(
              () ->
                  push(registry, first, Descriptors.of(MediaTypes.LAYER, new byte[9]), new byte[9]))
          .isInstanceOf(UnauthenticatedException.class)
          .hasMessageContaining("(by an anonymous token)");
    }
  }

  @Test
  void a_wrong_password_is_told_by_the_token_server() {
    try (DistributionRegistry registry =
        client(Optional.of(new Credentials("me", "open barley")))) {
      assertThatThrownBy(() -> registry.resolve(server.address() + "/first:1"))
          .isInstanceOf(UnauthenticatedException.class)
          .hasMessageContaining("token server " + tokens.address() + " of registry ")
          .hasMessageContaining("answered 401 (as \"me\")")
          .message()
          .doesNotContain("barley");
    }
  }
}
