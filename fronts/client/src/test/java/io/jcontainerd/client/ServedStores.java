package io.jcontainerd.client;

import io.grpc.InsecureServerCredentials;
import io.grpc.Server;
import io.grpc.ServerServiceDefinition;
import io.grpc.netty.NettyServerBuilder;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerDomainSocketChannel;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Services of this process behind a real unix socket, and a client of them in one namespace. */
final class ServedStores implements AutoCloseable {
  private final EventLoopGroup loops =
      new MultiThreadIoEventLoopGroup(2, NioIoHandler.newFactory());
  private final Server server;
  private final Containerd connection;

  ServedStores(Path folder, List<ServerServiceDefinition> services) throws IOException {
    Path socket = folder.resolve("s.sock");
    server =
        NettyServerBuilder.forAddress(
                UnixDomainSocketAddress.of(socket), InsecureServerCredentials.create())
            .channelType(NioServerDomainSocketChannel.class)
            .bossEventLoopGroup(loops)
            .workerEventLoopGroup(loops)
            .directExecutor()
            .addServices(services)
            .build()
            .start();
    connection =
        Containerd.connect(new Containerd.Options(socket.toString(), Duration.ofSeconds(60)));
  }

  Containerd client() {
    return connection.in("contract");
  }

  /** A client without a namespace of its own. */
  Containerd connection() {
    return connection;
  }

  @Override
  public void close() throws InterruptedException {
    connection.close();
    server.shutdownNow().awaitTermination(60, TimeUnit.SECONDS);
    loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).await();
  }
}
