package io.jcontainerd.runtime.shim;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.api.runtime.bootstrap.v1.BootstrapResult;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.NotImplementedException;
import io.jcontainerd.core.failure.UnknownException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ShimAddressTest {
  private static ShimAddress parse(String printed) {
    return ShimAddress.parse(printed.getBytes(UTF_8));
  }

  @Test
  void a_protobuf_reply_is_read() {
    byte[] reply =
        BootstrapResult.newBuilder()
            .setVersion(3)
            .setAddress("unix:///run/containerd/s/abc")
            .setProtocol("ttrpc")
            .putMetadata("k", "v")
            .build()
            .toByteArray();
    assertThat(ShimAddress.parse(reply))
        .isEqualTo(new ShimAddress(3, "unix:///run/containerd/s/abc", "ttrpc"));
  }

  @Test
  void a_json_reply_is_read() {
    assertThat(parse("{\"version\":2,\"address\":\"unix:///s/x\",\"protocol\":\"ttrpc\"}\n"))
        .isEqualTo(new ShimAddress(2, "unix:///s/x", "ttrpc"));
  }

  @Test
  void a_bare_address_means_version_2_over_ttrpc() {
    assertThat(parse("unix:///run/containerd/s/0123\n"))
        .isEqualTo(new ShimAddress(2, "unix:///run/containerd/s/0123", "ttrpc"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "\n", "warning: one\nunix:///s/x", "\u0001\u0002"})
  void what_is_no_reply_is_refused(String printed) {
    assertThatThrownBy(() -> parse(printed)).isInstanceOf(UnknownException.class);
  }

  @Test
  void a_version_to_come_is_not_implemented_and_one_of_old_is_wrong() {
    assertThatThrownBy(() -> parse("{\"version\":4,\"address\":\"unix:///s/x\"}"))
        .isInstanceOf(NotImplementedException.class)
        .hasMessage("unsupported shim version (4)");
    assertThatThrownBy(() -> parse("{\"version\":1,\"address\":\"unix:///s/x\"}"))
        .isInstanceOf(InvalidArgumentException.class);
  }

  @Test
  void what_is_written_to_the_bundle_is_read_back() {
    var address = new ShimAddress(3, "unix:///run/s/\"x", "ttrpc");
    assertThat(ShimAddress.json(new String(address.toJson(), UTF_8))).isEqualTo(address);
    assertThat(new String(new ShimAddress(2, "/a", "ttrpc").toJson(), UTF_8))
        .isEqualTo("{\"version\":2,\"address\":\"/a\",\"protocol\":\"ttrpc\"}");
  }

  @Test
  void endpoints_of_clients_name_protocol_and_place() {
    assertThat(ShimAddress.endpoint("ttrpc+unix:///a/b", 3))
        .isEqualTo(new ShimAddress(3, "unix:///a/b", "ttrpc"));
    assertThat(ShimAddress.endpoint("unix:///a+b", 2))
        .isEqualTo(new ShimAddress(2, "unix:///a+b", "ttrpc"));
    assertThat(ShimAddress.endpoint("grpc+unix:///a", 3).protocol()).isEqualTo("grpc");
  }

  @Test
  void sockets_are_unix_paths_with_or_without_scheme() {
    assertThat(new ShimAddress(2, "unix:///a/b", "").socket()).isEqualTo(Path.of("/a/b"));
    assertThat(new ShimAddress(2, "/a/b", "").socket()).isEqualTo(Path.of("/a/b"));
  }

  @Test
  void what_this_daemon_does_not_speak_is_refused_with_a_reason() {
    assertThatThrownBy(() -> new ShimAddress(3, "unix:///a", "grpc").socket())
        .isInstanceOf(NotImplementedException.class)
        .hasMessageContaining("speaks grpc");
    assertThatThrownBy(() -> new ShimAddress(3, "vsock://3:1024", "ttrpc").socket())
        .isInstanceOf(NotImplementedException.class)
        .hasMessageContaining("vsock://3:1024");
  }
}
