package io.jcontainerd.daemon.server;

import com.google.protobuf.MessageLite;
import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.InsecureServerCredentials;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.netty.NettyServerBuilder;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerDomainSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/**
 * Serves gRPC on a unix socket, each call on a virtual thread of its own.
 *
 * <p>Two threads do the socket's input and output. Closing refuses new calls, gives those under way
 * some seconds, and then ends them.
 */
public final class GrpcListener implements AutoCloseable {
  private static final Logger LOG = System.getLogger(GrpcListener.class.getName());
  private static final long GRACE_SECONDS = 3;

  private final SocketFile socket;
  private final Server server;
  private final EventLoopGroup acceptor;
  private final EventLoopGroup workers;
  private final ExecutorService calls;

  private GrpcListener(
      SocketFile socket,
      Server server,
      EventLoopGroup acceptor,
      EventLoopGroup workers,
      ExecutorService calls) {
    this.socket = socket;
    this.server = server;
    this.acceptor = acceptor;
    this.workers = workers;
    this.calls = calls;
  }

  /**
   * Listens.
   *
   * @param maxReceive the largest message accepted, in bytes
   * @param maxSend the largest message sent, in bytes; a larger one fails its call
   */
  public static GrpcListener open(
      SocketFile socket, int maxReceive, int maxSend, List<ServerServiceDefinition> services)
      throws IOException {
    socket.prepare();
    EventLoopGroup acceptor = loops(1, "grpc-accept");
    EventLoopGroup workers = loops(2, "grpc-io");
    ExecutorService calls =
        Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("grpc-call-", 0).factory());
    NettyServerBuilder builder =
        NettyServerBuilder.forAddress(socket.address(), InsecureServerCredentials.create())
            .channelType(NioServerDomainSocketChannel.class)
            .bossEventLoopGroup(acceptor)
            .workerEventLoopGroup(workers)
            .executor(calls)
            .maxInboundMessageSize(maxReceive)
            .permitKeepAliveTime(1, TimeUnit.SECONDS)
            .permitKeepAliveWithoutCalls(true)
            .intercept(new SendLimit(maxSend));
    services.forEach(builder::addService);
    var listener = new GrpcListener(socket, builder.build(), acceptor, workers, calls);
    try {
      listener.server.start();
      socket.bound();
    } catch (IOException | RuntimeException e) {
      try {
        listener.close();
      } catch (RuntimeException closing) {
        e.addSuppressed(closing);
      }
      throw e;
    }
    return listener;
  }

  private static EventLoopGroup loops(int threads, String name) {
    return new MultiThreadIoEventLoopGroup(
        threads, new DefaultThreadFactory(name, true), NioIoHandler.newFactory());
  }

  @Override
  public void close() {
    server.shutdown();
    try {
      if (!server.awaitTermination(GRACE_SECONDS, TimeUnit.SECONDS)) {
        server.shutdownNow();
        server.awaitTermination(GRACE_SECONDS, TimeUnit.SECONDS);
      }
      socket.remove();
    } catch (InterruptedException e) {
      server.shutdownNow();
      Thread.currentThread().interrupt();
    } catch (IOException e) {
      LOG.log(Level.WARNING, "socket " + socket.path() + " cannot be removed", e);
    }
    calls.shutdownNow();
    var _ = acceptor.shutdownGracefully(0, 1, TimeUnit.SECONDS);
    var _ = workers.shutdownGracefully(0, 1, TimeUnit.SECONDS);
  }

  /** Fails a call whose answer is larger than clients accept. */
  private record SendLimit(int bytes) implements ServerInterceptor {
    @Override
    public <Q, A> ServerCall.Listener<Q> interceptCall(
        ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
      return next.startCall(
          new SimpleForwardingServerCall<>(call) {
            @Override
            public void sendMessage(A message) {
              if (message instanceof MessageLite lite && lite.getSerializedSize() > bytes) {
                throw Status.RESOURCE_EXHAUSTED
                    .withDescription(
                        "answer of "
                            + lite.getSerializedSize()
                            + " bytes is larger than the limit of "
                            + bytes)
                    .asRuntimeException();
              }
              super.sendMessage(message);
            }
          },
          headers);
    }
  }
}
