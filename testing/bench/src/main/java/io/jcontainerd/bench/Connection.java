package io.jcontainerd.bench;

import io.grpc.Channel;
import io.grpc.ClientInterceptors;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.MetadataUtils;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioDomainSocketChannel;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Path;

/** A channel to a daemon whose calls name a namespace; for many threads. */
final class Connection implements AutoCloseable {
  /** What Go clients take. */
  private static final int MESSAGE_BYTES = 16 << 20;

  private static final MultiThreadIoEventLoopGroup LOOP =
      new MultiThreadIoEventLoopGroup(
          1, Thread.ofPlatform().daemon().name("bench-io").factory(), NioIoHandler.newFactory());

  private final ManagedChannel channel;
  private final Channel named;

  Connection(Path socket, String namespace) {
    channel =
        NettyChannelBuilder.forAddress(
                UnixDomainSocketAddress.of(socket), InsecureChannelCredentials.create())
            .channelType(NioDomainSocketChannel.class, UnixDomainSocketAddress.class)
            .eventLoopGroup(LOOP)
            .directExecutor()
            .maxInboundMessageSize(MESSAGE_BYTES)
            .build();
    var headers = new Metadata();
    headers.put(header("containerd-namespace"), namespace);
    named =
        ClientInterceptors.intercept(channel, MetadataUtils.newAttachHeadersInterceptor(headers));
  }

  static Metadata.Key<String> header(String name) {
    return Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER);
  }

  Channel channel() {
    return named;
  }

  @Override
  public void close() {
    channel.shutdownNow();
  }
}
