package io.jcontainerd.shim.launch;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import io.jcontainerd.api.runtime.bootstrap.v1.BootstrapParams;
import io.jcontainerd.api.runtime.bootstrap.v1.BootstrapResult;
import io.jcontainerd.api.runtime.bootstrap.v1.Extension;
import io.jcontainerd.api.runtime.bootstrap.v1.LogLevel;
import io.jcontainerd.api.runtime.task.v3.DeleteRequest;
import io.jcontainerd.api.runtime.task.v3.DeleteResponse;
import io.jcontainerd.api.runtime.task.v3.KillRequest;
import io.jcontainerd.api.types.RuntimeInfo;
import io.jcontainerd.api.types.runc.options.Options;
import java.time.Instant;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Read and written by hand, and by the generated classes: the same. */
class LaunchMessagesTest {
  private static final Any OPTIONS =
      Any.newBuilder()
          .setTypeUrl("type.example/containerd.runc.v1.Options")
          .setValue(
              Options.newBuilder()
                  .setShimCgroup("/shims")
                  .setBinaryName("crun")
                  .setIoUid(7)
                  .build()
                  .toByteString())
          .build();

  @Test
  void parameters_are_read() {
    BootstrapParams parameters =
        BootstrapParams.newBuilder()
            .setInstanceId("one")
            .setNamespace("space")
            .setLogLevel(LogLevel.LOG_LEVEL_DEBUG)
            .setContainerdVersion("2.3.4")
            .setContainerdTtrpcAddress("/t")
            .setContainerdGrpcAddress("/g")
            .setContainerdBinary("/bin/containerd")
            .setSocketDir("/sockets")
            .addExtensions(Extension.newBuilder().setValue(OPTIONS))
            .build();
    LaunchMessages.Parameters read =
        LaunchMessages.Parameters.parse(parameters.toByteArray()).orElseThrow();
    assertThat(read.id()).isEqualTo("one");
    assertThat(read.namespace()).isEqualTo("space");
    assertThat(read.logLevel()).isEqualTo(-4);
    assertThat(read.ttrpcAddress()).isEqualTo("/t");
    assertThat(read.grpcAddress()).isEqualTo("/g");
    assertThat(read.socketFolder()).isEqualTo("/sockets");
    assertThat(read.extensions()).singleElement().satisfies(LaunchMessagesTest::isOptions);
  }

  private static void isOptions(LaunchMessages.Any any) throws Exception {
    assertThat(any.type()).isEqualTo("containerd.runc.v1.Options");
    assertThat(LaunchMessages.text(any.value(), 3)).isEqualTo("/shims");
    assertThat(LaunchMessages.text(any.value(), 6)).isEqualTo("crun");
    assertThat(LaunchMessages.text(any.value(), 7)).isEmpty();
    assertThat(Any.parseFrom(any.encode())).isEqualTo(OPTIONS);
  }

  @Test
  void what_is_no_message_is_no_parameters() {
    assertThat(
            LaunchMessages.Parameters.parse(
                "{\"a\":1}".getBytes(java.nio.charset.StandardCharsets.UTF_8)))
        .isEmpty();
  }

  @Test
  void answers_are_those_of_the_generated_classes() throws Exception {
    BootstrapResult result =
        BootstrapResult.parseFrom(LaunchMessages.result(3, "unix:///s", "ttrpc"));
    assertThat(result)
        .isEqualTo(
            BootstrapResult.newBuilder()
                .setVersion(3)
                .setAddress("unix:///s")
                .setProtocol("ttrpc")
                .build());
    DeleteResponse deleted =
        DeleteResponse.parseFrom(
            LaunchMessages.deleted(4_194_303, 137, Instant.ofEpochSecond(1_795_788_461, 250)));
    assertThat(deleted.getPid()).isEqualTo(4_194_303);
    assertThat(deleted.getExitStatus()).isEqualTo(137);
    assertThat(deleted.getExitedAt().getSeconds()).isEqualTo(1_795_788_461);
    assertThat(deleted.getExitedAt().getNanos()).isEqualTo(250);
    byte[] features = {'{', '}'};
    RuntimeInfo info =
        RuntimeInfo.parseFrom(
            LaunchMessages.info(
                "name",
                "1.0",
                Optional.of(LaunchMessages.Any.parse(OPTIONS.toByteArray())),
                Optional.of(features)));
    assertThat(info.getName()).isEqualTo("name");
    assertThat(info.getVersion().getVersion()).isEqualTo("1.0");
    assertThat(info.getOptions()).isEqualTo(OPTIONS);
    assertThat(info.getFeatures().getTypeUrl())
        .isEqualTo("types.containerd.io/opencontainers/runtime-spec/1/features/Features");
    assertThat(info.getFeatures().getValue()).isEqualTo(ByteString.copyFrom(features));
  }

  @Test
  void requests_are_those_of_the_generated_classes() throws Exception {
    assertThat(KillRequest.parseFrom(LaunchMessages.kill("one", 9)))
        .isEqualTo(KillRequest.newBuilder().setId("one").setSignal(9).setAll(true).build());
    assertThat(DeleteRequest.parseFrom(LaunchMessages.container("one")))
        .isEqualTo(DeleteRequest.newBuilder().setId("one").build());
    assertThat(NamespaceRequest.parse(new NamespaceRequest("space", "/s").encode()))
        .isEqualTo(new NamespaceRequest("space", "/s"));
  }
}
