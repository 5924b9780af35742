package io.jcontainerd.registry;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.failure.UnauthenticatedException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.oci.image.Descriptors;
import io.jcontainerd.oci.image.Manifest;
import io.jcontainerd.oci.image.MediaTypes;
import io.jcontainerd.registry.docker.DockerCredentials;
import io.jcontainerd.registry.hosts.HostsDirectory;
import io.jcontainerd.testkit.registry.DockerRegistry;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Against Debian's docker-registry, behind TLS with an authority of our own, with passwords. */
@Timeout(120)
class GuardedRegistryTest {
  private static final String PASSWORD = "open sesame";

  /** Of {@link #PASSWORD}. */
  private static final String HASH = "$2y$05$abcdefghijklmnopqrstuupx2xBUC4954936wVIjyyPHmUBFu0wCW";

  private static final String IMAGE = "r.example/dir/image:v1";

  @TempDir private static Path shared;
  private static TestAuthority authority;
  private static DockerRegistry server;

  @TempDir private Path folder;

  @BeforeAll
  static void start() throws IOException, InterruptedException, GeneralSecurityException {
    authority = TestAuthority.make(shared.resolve("authority"));
    Path certificate =
        Files.writeString(shared.resolve("server.pem"), authority.certificate("server"));
    Path key = Files.writeString(shared.resolve("server.key"), authority.key("server"));
    Path passwords = Files.writeString(shared.resolve("passwords"), "me:" + HASH + "\n");
    server =
        DockerRegistry.start(
            shared.resolve("registry"), new DockerRegistry.Guarded(certificate, key, passwords));
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  private DistributionRegistry client(String password)
      throws IOException, GeneralSecurityException {
    Path hosts = Files.createDirectories(folder.resolve("certs.d/r.example"));
    Files.writeString(hosts.resolve("ca.pem"), authority.certificate("ca"));
    Files.writeString(
        hosts.resolve("hosts.toml"),
        "server = \"https://" + server.address() + "\"\nca = \"ca.pem\"\n");
    String auth = Base64.getEncoder().encodeToString(("me:" + password).getBytes(UTF_8));
    Files.writeString(
        folder.resolve("config.json"),
        "{\"auths\":{\"https://" + server.address() + "\":{\"auth\":\"" + auth + "\"}}}");
    return new DistributionRegistry(
        RegistryOptions.defaults()
            .withHosts(new HostsDirectory(List.of(folder.resolve("certs.d"))))
            .withCredentials(DockerCredentials.of(Map.of("DOCKER_CONFIG", folder.toString()))));
  }

  private static boolean push(DistributionRegistry registry, Descriptor descriptor, byte[] bytes) {
    return registry.push(IMAGE, descriptor, () -> new ByteArrayInputStream(bytes));
  }

  @Test
  void what_is_pushed_is_resolved_and_fetched() throws IOException, GeneralSecurityException {
    byte[] config = "{\"architecture\":\"amd64\",\"os\":\"linux\"}".getBytes(UTF_8);
    byte[] layer = new byte[1_000_000];
    Descriptor configAt = Descriptors.of(MediaTypes.CONFIG, config);
    Descriptor layerAt = Descriptors.of(MediaTypes.LAYER, layer);
    byte[] manifest = new Manifest(configAt, List.of(layerAt)).toBytes();
    Descriptor manifestAt = Descriptors.of(MediaTypes.MANIFEST, manifest);
    try (DistributionRegistry registry = client(PASSWORD)) {
      assertThat(push(registry, configAt, config)).isTrue();
      assertThat(push(registry, layerAt, layer)).isTrue();
      assertThat(push(registry, manifestAt, manifest)).isTrue();
      assertThat(registry.resolve(IMAGE)).isEqualTo(manifestAt);
      assertThat(registry.tags(IMAGE)).containsExactly("v1");
      try (InputStream in = registry.fetch(IMAGE, layerAt, 0)) {
        assertThat(in.readAllBytes()).isEqualTo(layer);
      }
    }
  }

  @Test
  void a_wrong_password_is_refused_and_the_user_is_named()
      throws IOException, GeneralSecurityException {
    try (DistributionRegistry registry = client("open barley")) {
      assertThatThrownBy(() -> registry.resolve(IMAGE))
          .isInstanceOf(UnauthenticatedException.class)
          .hasMessageContaining("registry " + server.address() + " answered 401")
          .hasMessageContaining("(as \"me\" of " + folder.resolve("config.json") + ")")
          .message()
          .doesNotContain("barley");
    }
  }

  @Test
  void without_the_authority_it_is_not_spoken_to() throws IOException, GeneralSecurityException {
    try (DistributionRegistry registry = client(PASSWORD)) {
      Files.writeString(
          folder.resolve("certs.d/r.example/hosts.toml"),
          "server = \"https://" + server.address() + "\"\n");
      assertThatThrownBy(() -> registry.resolve(IMAGE))
          .isInstanceOf(UnavailableException.class)
          .hasMessageContaining("certification path");
    }
  }
}
