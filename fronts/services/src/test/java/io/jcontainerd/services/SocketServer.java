package io.jcontainerd.services;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientInterceptors;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.ServerServiceDefinition;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.MetadataUtils;
import io.jcontainerd.core.Call;
import io.jcontainerd.wire.Calls;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioDomainSocketChannel;
import io.netty.channel.socket.nio.NioServerDomainSocketChannel;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * The services behind a real unix socket. The server calls back on its own input threads, so a
 * service that blocked a callback would stop every other call.
 */
final class SocketServer implements AutoCloseable {
  private static final int MAX_MESSAGE = 16 << 20;

  /** How long a call may take on a machine that has much else to do. */
  static final Duration PATIENCE = Duration.ofSeconds(100);

  private final EventLoopGroup loops =
      new MultiThreadIoEventLoopGroup(2, NioIoHandler.newFactory());
  private final Path path;
  private final Server server;
  private final ManagedChannel channel;

  SocketServer(Path folder, List<ServerServiceDefinition> services) throws IOException {
    path = folder.resolve("grpc.sock");
    var address = UnixDomainSocketAddress.of(path);
    server =
        NettyServerBuilder.forAddress(address)
            .channelType(NioServerDomainSocketChannel.class)
            .bossEventLoopGroup(loops)
            .workerEventLoopGroup(loops)
            .directExecutor()
            .maxInboundMessageSize(MAX_MESSAGE)
            .addServices(services)
            .build()
            .start();
    channel =
        NettyChannelBuilder.forAddress(address)
            .channelType(NioDomainSocketChannel.class)
            .eventLoopGroup(loops)
            .usePlaintext()
            .maxInboundMessageSize(MAX_MESSAGE)
            .build();
  }

  /** Where the server listens. */
  Path path() {
    return path;
  }

  /** A client that sends no headers. */
  Channel bare() {
    return channel;
  }

  /** A client in a namespace. */
  Channel in(String namespace) {
    return as(Call.in(namespace));
  }

  /** A client that sends the call's headers. */
  Channel as(Call call) {
    return ClientInterceptors.intercept(
        channel, MetadataUtils.newAttachHeadersInterceptor(Calls.toGrpc(call)));
  }

  /** Options of a call that must not hang a test. */
  static CallOptions patience() {
    return CallOptions.DEFAULT.withDeadlineAfter(PATIENCE.toSeconds(), TimeUnit.SECONDS);
  }

  @Override
  public void close() {
    try {
      channel.shutdownNow();
      server.shutdownNow();
      if (!channel.awaitTermination(60, TimeUnit.SECONDS)
          || !server.awaitTermination(60, TimeUnit.SECONDS)) {
        throw new IllegalStateException("server or client does not end");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      var _ = loops.shutdownGracefully(0, 1, TimeUnit.SECONDS);
    }
  }
}
