package io.jcontainerd.registry;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.registry.Referrer;
import io.jcontainerd.oci.image.Descriptors;
import io.jcontainerd.oci.image.Manifest;
import io.jcontainerd.oci.image.MediaTypes;
import io.jcontainerd.oci.json.JsonObject;
import io.jcontainerd.testkit.registry.DockerRegistry;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Against Debian's docker-registry. */
@Timeout(120)
class RealRegistryTest {
  @TempDir private static Path folder;
  private static DockerRegistry server;
  private static DistributionRegistry registry;

  @BeforeAll
  static void start() throws IOException, InterruptedException {
    server = DockerRegistry.start(folder.resolve("registry"));
    registry = new DistributionRegistry(RegistryOptions.defaults());
  }

  @AfterAll
  static void stop() {
    registry.close();
    server.close();
  }

  private static byte[] random(int length, int seed) {
    byte[] bytes = new byte[length];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }

  private static boolean push(String reference, Descriptor descriptor, byte[] bytes) {
    return registry.push(reference, descriptor, () -> new ByteArrayInputStream(bytes));
  }

  @Test
  void what_is_pushed_is_resolved_and_fetched() throws IOException {
    String name = server.address() + "/dir/image:v1";
    byte[] config = "{\"architecture\":\"amd64\",\"os\":\"linux\"}".getBytes(UTF_8);
    byte[] layer = random(3_000_000, 1);
    Descriptor configAt = Descriptors.of(MediaTypes.CONFIG, config);
    Descriptor layerAt = Descriptors.of(MediaTypes.LAYER, layer);
    byte[] manifest = new Manifest(configAt, List.of(layerAt)).toBytes();
    Descriptor manifestAt = Descriptors.of(MediaTypes.MANIFEST, manifest);

    assertThatThrownBy(() -> push(name, manifestAt, manifest))
        .isInstanceOf(ContainerdException.class)
        .hasMessageContaining(server.address());
    assertThat(push(name, configAt, config)).isTrue();
    assertThat(push(name, layerAt, layer)).isTrue();
    assertThat(push(name, layerAt, layer)).isFalse();
    assertThat(push(name, manifestAt, manifest)).isTrue();
    assertThat(push(name, manifestAt, manifest)).isFalse();

    assertThat(registry.resolve(name)).isEqualTo(manifestAt);
    assertThat(registry.resolve(server.address() + "/dir/image@" + manifestAt.digest()))
        .isEqualTo(manifestAt);
    assertThat(registry.tags(name)).containsExactly("v1");
    try (InputStream in = registry.fetch(name, manifestAt, 0)) {
      assertThat(in.readAllBytes()).isEqualTo(manifest);
    }
    try (InputStream in = registry.fetch(name, layerAt, 1_000_000)) {
      assertThat(in.readAllBytes()).isEqualTo(Arrays.copyOfRange(layer, 1_000_000, layer.length));
    }
    Descriptor elsewhere =
        new Descriptor(
            layerAt.mediaType(),
            layerAt.digest(),
            layerAt.size(),
            Map.of("containerd.io/distribution.source." + server.address(), "dir/image"));
    assertThat(push(server.address() + "/second:x", elsewhere, new byte[0]))
        .as("mounted from the first repository")
        .isFalse();
  }

  @Test
  void a_blob_in_pieces_is_the_same_blob() throws IOException {
    byte[] blob = random(3_000_000, 6);
    Descriptor at = Descriptors.of(MediaTypes.LAYER, blob);
    String name = server.address() + "/pieces:1";
    try (DistributionRegistry pieces =
        new DistributionRegistry(RegistryOptions.defaults().withPiece(700_000))) {
      assertThat(pieces.push(name, at, () -> new ByteArrayInputStream(blob))).isTrue();
    }
    try (InputStream in = registry.fetch(name, at, 0)) {
      assertThat(in.readAllBytes()).isEqualTo(blob);
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 700_000})
  void an_upload_that_is_cut_in_the_middle_arrives(long piece) throws IOException {
    byte[] blob = random(3_000_000, 7 + (int) piece);
    Descriptor at = Descriptors.of(MediaTypes.LAYER, blob);
    try (CuttingRelay relay = new CuttingRelay(server.address(), 1_500_000);
        DistributionRegistry client =
            new DistributionRegistry(RegistryOptions.defaults().withPiece(piece))) {
      assertThat(client.push(relay.address() + "/cut:1", at, () -> new ByteArrayInputStream(blob)))
          .isTrue();
      assertThat(relay.hasCut()).isTrue();
    }
    try (InputStream in = registry.fetch(server.address() + "/cut:1", at, 0)) {
      assertThat(in.readAllBytes()).isEqualTo(blob);
    }
  }

  @Test
  void what_refers_to_a_manifest_is_listed_where_the_registry_keeps_no_list() {
    String name = server.address() + "/subject:1";
    byte[] empty = "{}".getBytes(UTF_8);
    Descriptor config = Descriptors.of(MediaTypes.CONFIG, empty);
    push(name, config, empty);
    byte[] image = new Manifest(config, List.of()).toBytes();
    Descriptor imageAt = Descriptors.of(MediaTypes.MANIFEST, image);
    push(name, imageAt, image);
    for (String type : List.of("application/vnd.example.one", "application/vnd.example.two")) {
      byte[] referrer =
          JsonObject.parse(image)
              .with("artifactType", type)
              .with("subject", Descriptors.json(imageAt))
              .toBytes();
      Descriptor at = Descriptors.of(MediaTypes.MANIFEST, referrer);
      push(server.address() + "/subject@" + at.digest(), at, referrer);
      push(server.address() + "/subject@" + at.digest(), at, referrer);
    }
    assertThat(registry.referrers(name, imageAt.digest(), ""))
        .extracting(Referrer::artifactType)
        .containsExactly("application/vnd.example.one", "application/vnd.example.two");
    assertThat(registry.referrers(name, imageAt.digest(), "application/vnd.example.two"))
        .singleElement()
        .satisfies(
            one -> {
              try (InputStream in = registry.fetch(name, one.descriptor(), 0)) {
                assertThat(new String(in.readAllBytes(), UTF_8)).contains("example.two");
              }
            });
    assertThat(registry.referrers(name, config.digest(), "")).isEmpty();
  }

  @Test
  void an_empty_blob_can_be_pushed() throws IOException {
    Descriptor empty = Descriptors.of(MediaTypes.LAYER, new byte[0]);
    assertThat(push(server.address() + "/empty:1", empty, new byte[0])).isTrue();
    try (InputStream in = registry.fetch(server.address() + "/empty:1", empty, 0)) {
      assertThat(in.read()).isEqualTo(-1);
    }
  }

  @Test
  void bytes_that_do_not_fit_their_digest_are_refused_by_the_registry() {
    byte[] right = random(1_000, 2);
    byte[] wrong = random(1_000, 3);
    assertThatThrownBy(
            () ->
                push(server.address() + "/wrong:1", Descriptors.of(MediaTypes.LAYER, right), wrong))
        .isInstanceOf(ContainerdException.class)
        .hasMessageContaining("DIGEST_INVALID");
  }

  @Test
  void a_source_that_fails_is_told_with_its_reason() {
    Descriptor blob = Descriptors.of(MediaTypes.LAYER, random(1_000, 4));
    assertThatThrownBy(
            () ->
                registry.push(
                    server.address() + "/source:1",
                    blob,
                    () -> {
                      throw new IOException("disk on fire");
                    }))
        .isInstanceOf(ContainerdException.class)
        .hasMessageContaining("disk on fire");
  }

  @Test
  void what_is_not_there_is_not_found() {
    assertThatThrownBy(() -> registry.resolve(server.address() + "/no/such:thing"))
        .isInstanceOf(NotFoundException.class)
        .hasMessageContaining("no/such:thing")
        .hasMessageContaining("404");
    assertThatThrownBy(() -> registry.tags(server.address() + "/no/such"))
        .isInstanceOf(NotFoundException.class);
    assertThatThrownBy(
            () ->
                registry.fetch(
                    server.address() + "/no/such",
                    Descriptors.of(MediaTypes.LAYER, random(5, 5)),
                    0))
        .isInstanceOf(NotFoundException.class);
  }
}
