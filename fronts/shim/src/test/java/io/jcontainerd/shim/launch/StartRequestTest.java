package io.jcontainerd.shim.launch;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.Any;
import io.jcontainerd.api.runtime.bootstrap.v1.BootstrapParams;
import io.jcontainerd.api.runtime.bootstrap.v1.BootstrapResult;
import io.jcontainerd.api.runtime.bootstrap.v1.LogLevel;
import io.jcontainerd.api.types.runc.options.Options;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What daemons of several releases ask for, and in which form they are answered. */
class StartRequestTest {
  private static final byte[] NOTHING = {};

  private static ShimArguments arguments(String... line) {
    return ShimArguments.parse(List.of(line));
  }

  private static final ShimArguments USUAL =
      arguments(
          "-namespace", "space", "-address", "/g", "-publish-binary", "/b", "-id", "one", "start");

  private static byte[] options() {
    return Any.newBuilder()
        .setTypeUrl("containerd.runc.v1.Options")
        .setValue(Options.newBuilder().setShimCgroup("/shims").build().toByteString())
        .build()
        .toByteArray();
  }

  @Test
  void release_1_6_gets_the_bare_address() {
    StartRequest request = StartRequest.of(USUAL, Map.of("TTRPC_ADDRESS", "/t"), options());
    assertThat(request.namespace()).isEqualTo("space");
    assertThat(request.id()).isEqualTo("one");
    assertThat(request.grpcAddress()).isEqualTo("/g");
    assertThat(request.ttrpcAddress()).isEqualTo("/t");
    assertThat(request.shimCgroup()).isEqualTo("/shims");
    assertThat(request.debug()).isFalse();
    assertThat(request.answer("unix:///s")).isEqualTo("unix:///s".getBytes(UTF_8));
  }

  @Test
  void releases_from_1_7_to_2_2_get_json_of_the_version_that_all_of_them_know() {
    StartRequest request =
        StartRequest.of(USUAL, Map.of("MAX_SHIM_VERSION", "2", "GRPC_ADDRESS", "/other"), NOTHING);
    assertThat(request.ttrpcAddress()).isEqualTo("/g.ttrpc");
    assertThat(new String(request.answer("unix:///s"), UTF_8))
        .isEqualTo("{\"version\":2,\"address\":\"unix:///s\",\"protocol\":\"ttrpc\"}");
  }

  @Test
  void release_2_3_gets_a_message() throws Exception {
    byte[] parameters =
        BootstrapParams.newBuilder()
            .setInstanceId("one")
            .setNamespace("space")
            .setLogLevel(LogLevel.LOG_LEVEL_TRACE)
            .setContainerdTtrpcAddress("/told.ttrpc")
            .setContainerdGrpcAddress("/told")
            .setSocketDir("/sockets")
            .build()
            .toByteArray();
    StartRequest request =
        StartRequest.of(USUAL, Map.of("MAX_SHIM_VERSION", "2", "TTRPC_ADDRESS", "/t"), parameters);
    assertThat(request.grpcAddress()).isEqualTo("/told");
    assertThat(request.ttrpcAddress()).isEqualTo("/told.ttrpc");
    assertThat(request.socketFolder()).isEqualTo("/sockets");
    assertThat(request.debug()).isTrue();
    assertThat(BootstrapResult.parseFrom(request.answer("unix:///s")).getVersion()).isEqualTo(3);
  }

  @Test
  void flags_are_those_of_go() {
    ShimArguments line =
        arguments("--namespace=space", "-debug", "--id", "one", "-bundle=/b", "delete");
    assertThat(line)
        .isEqualTo(new ShimArguments("space", "one", "", "/b", true, false, false, "delete"));
    assertThat(arguments("-info").info()).isTrue();
    assertThat(arguments("-v").version()).isTrue();
    assertThat(arguments("-debug=false", "start").debug()).isFalse();
    assertThatThrownBy(() -> arguments("-nonsense")).hasMessageContaining("not defined: -nonsense");
    assertThatThrownBy(() -> arguments("-id")).hasMessageContaining("needs an argument: -id");
    assertThatThrownBy(() -> arguments("-debug=maybe")).hasMessageContaining("maybe");
  }

  @Test
  void settings_come_from_the_environment() {
    assertThat(Settings.of(Map.of()).group()).isEqualTo(Settings.Group.NODE);
    Settings chosen =
        Settings.of(Map.of("JCONTAINERD_SHIM_GROUP", "pod", "JCONTAINERD_SHIM_LINGER", "3"));
    assertThat(chosen.group()).isEqualTo(Settings.Group.POD);
    assertThat(chosen.linger()).hasSeconds(3);
    assertThatThrownBy(() -> Settings.of(Map.of("JCONTAINERD_SHIM_GROUP", "planet")))
        .isInstanceOf(LaunchException.class)
        .hasMessageContaining("planet");
    assertThatThrownBy(() -> Settings.of(Map.of("JCONTAINERD_SHIM_LINGER", "long")))
        .hasMessageContaining("long");
  }
}
