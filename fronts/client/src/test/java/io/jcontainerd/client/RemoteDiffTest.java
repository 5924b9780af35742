package io.jcontainerd.client;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.diff.Applier;
import io.jcontainerd.core.failure.FailedPreconditionException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RemoteDiffTest {
  @TempDir Path folder;

  @Test
  void a_layer_is_not_sent_without_what_it_will_be_put_on() {
    Descriptor layer =
        new Descriptor(
            "application/vnd.oci.image.layer.v1.tar",
            Digest.sha256("layer".getBytes(StandardCharsets.UTF_8)),
            5);
    String nobody = folder.resolve("nobody.sock").toString();
    try (Containerd client =
        Containerd.connect(new Containerd.Options(nobody, Duration.ofSeconds(5)))) {
      assertThatThrownBy(
              () ->
                  Call.in("test")
                      .run(
                          () ->
                              client
                                  .diff()
                                  .apply(
                                      layer,
                                      List.of(),
                                      new Applier.Options(Map.of(), false, true))))
          .isInstanceOf(FailedPreconditionException.class)
          .hasMessageContaining(layer.digest().toString());
    }
  }
}
