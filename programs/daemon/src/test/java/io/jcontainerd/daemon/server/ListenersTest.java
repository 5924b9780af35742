package io.jcontainerd.daemon.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.protobuf.services.HealthStatusManager;
import io.jcontainerd.daemon.settings.Identity;
import io.jcontainerd.testkit.time.Soon;
import io.jcontainerd.ttrpc.TtrpcServer;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioDomainSocketChannel;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class ListenersTest {
  private static final int LIMIT = 1 << 20;
  private static final long NOBODY =
      4_294_967_295L; // no user id: the owner cannot be changed to it

  @TempDir Path folder;

  private SocketFile socket(long uid) {
    return new SocketFile(folder.resolve("s.sock"), uid, Identity.gid());
  }

  private GrpcListener grpc(long uid) throws IOException {
    return GrpcListener.open(
        socket(uid),
        LIMIT,
        LIMIT,
        List.of(new HealthStatusManager().getHealthService().bindService()),
        List.of());
  }

  @Test
  void grpc_is_served_until_it_is_closed() throws Exception {
    var loop = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    try (GrpcListener _ = grpc(Identity.uid())) {
      ManagedChannel channel =
          NettyChannelBuilder.forAddress(
                  UnixDomainSocketAddress.of(folder.resolve("s.sock")),
                  InsecureChannelCredentials.create())
              .channelType(NioDomainSocketChannel.class, UnixDomainSocketAddress.class)
              .eventLoopGroup(loop)
              .build();
      try {
        assertThat(
                HealthGrpc.newBlockingStub(channel)
                    .withDeadlineAfter(60, TimeUnit.SECONDS)
                    .check(HealthCheckRequest.getDefaultInstance())
                    .getStatus())
            .isEqualTo(ServingStatus.SERVING);
      } finally {
        channel.shutdownNow();
        loop.shutdownGracefully(0, 1, TimeUnit.SECONDS).await();
      }
    }
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void a_grpc_socket_that_cannot_be_given_away_is_not_left() {
    assertThatThrownBy(() -> grpc(NOBODY)).isInstanceOf(ArithmeticException.class);
    assertGone();
  }

  @Test
  void a_ttrpc_socket_that_cannot_be_given_away_is_not_left() {
    try (var server = new TtrpcServer(List.of())) {
      assertThatThrownBy(() -> TtrpcListener.open(socket(NOBODY), server))
          .isInstanceOf(ArithmeticException.class);
    }
    assertGone();
  }

  private void assertGone() {
    Soon.until("the socket is gone", () -> Files.notExists(folder.resolve("s.sock")));
  }

  @Test
  void a_ttrpc_socket_is_served_until_it_is_closed() throws IOException {
    SocketFile socket = socket(Identity.uid());
    try (TtrpcListener _ = TtrpcListener.open(socket, new TtrpcServer(List.of()))) {
      assertThatThrownBy(socket::requireFree).hasMessageContaining("is in use");
    }
    assertThat(folder).isEmptyDirectory();
  }
}
