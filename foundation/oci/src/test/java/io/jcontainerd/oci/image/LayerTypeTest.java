package io.jcontainerd.oci.image;

import static org.assertj.core.api.Assertions.assertThat;

import io.jcontainerd.oci.image.LayerType.Family;
import io.jcontainerd.oci.image.LayerType.Packing;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class LayerTypeTest {
  @ParameterizedTest
  @CsvSource({
    "application/vnd.oci.image.layer.v1.tar, OCI, NONE",
    "application/vnd.oci.image.layer.v1.tar+gzip, OCI, GZIP",
    "application/vnd.oci.image.layer.v1.tar+zstd, OCI, ZSTD",
    "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip, OCI_FOREIGN, GZIP",
    "application/vnd.docker.image.rootfs.diff.tar, DOCKER, NONE",
    "application/vnd.docker.image.rootfs.diff.tar.gzip, DOCKER, GZIP",
    "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip, DOCKER_FOREIGN, GZIP"
  })
  void types_are_taken_apart_and_put_together(String type, Family family, Packing packing) {
    assertThat(LayerType.parse(type)).contains(new LayerType(family, packing));
    assertThat(new LayerType(family, packing).mediaType()).isEqualTo(type);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "application/vnd.oci.image.layer.v1.tar+gzip+encrypted",
        "application/vnd.in-toto+json",
        "application/vnd.oci.image.config.v1+json"
      })
  void other_types_are_none_of_layers(String type) {
    assertThat(LayerType.parse(type)).isEmpty();
  }

  @Test
  void what_may_not_be_passed_on_has_a_word_like_what_may() {
    for (Packing packing : Packing.values()) {
      assertThat(new LayerType(Family.DOCKER_FOREIGN, packing).distributable())
          .isEqualTo(new LayerType(Family.DOCKER, packing))
          .isEqualTo(new LayerType(Family.DOCKER, packing).distributable());
      assertThat(new LayerType(Family.OCI_FOREIGN, packing).distributable())
          .isEqualTo(new LayerType(Family.OCI, packing))
          .isEqualTo(new LayerType(Family.OCI, packing).distributable());
    }
  }

  @Test
  void oci_has_a_word_for_each_of_docker() {
    assertThat(new LayerType(Family.DOCKER_FOREIGN, Packing.GZIP).toOci())
        .isEqualTo(new LayerType(Family.OCI_FOREIGN, Packing.GZIP));
    assertThat(new LayerType(Family.DOCKER, Packing.GZIP).toOci().packed(Packing.NONE).mediaType())
        .isEqualTo(MediaTypes.LAYER);
  }
}
