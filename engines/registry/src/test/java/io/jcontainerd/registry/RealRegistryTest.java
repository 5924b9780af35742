package io.jcontainerd.registry;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.oci.image.Descriptors;
import io.jcontainerd.oci.image.Manifest;
import io.jcontainerd.oci.image.MediaTypes;
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

/** Against Debian's docker-registry. */
@Timeout(60)
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
