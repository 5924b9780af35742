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
import java.util.concurrent.TimeUnit;

/**
 * Serves gRPC on a unix socket. Callbacks of calls run on the connection's thread, so services must
 * answer on threads of their own.
 *
 * <p>Two threads do the socket's input and output. Closing refuses new calls, gives those under way
 * some seconds, and then ends them.
 */
public final class GrpcListener implements AutoCloseable {
  private static final Logger LOG = System.getLogger(GrpcListener.class.getName());
  private static final long GRACE_SECONDS = 3;
  private static final int WINDOW_BYTES = 1 << 20;

  private final SocketFile.Bound socket;
  private final Server server;
  private final Threads threads;

  private GrpcListener(SocketFile.Bound socket, Server server, Threads threads) {
    this.socket = socket;
    this.server = server;
    this.threads = threads;
  }

  /**
   * Listens.
   *
   * @param maxReceive the largest message accepted, in bytes
   * @param maxSend the largest message sent, in bytes; a larger one fails its call
   * @param interceptors see every call, the first one first, with the status that clients see
   */
  public static GrpcListener open(
      SocketFile socket,
      int maxReceive,
      int maxSend,
      List<ServerServiceDefinition> services,
      List<ServerInterceptor> interceptors)
      throws IOException {
    socket.prepare();
    Threads threads = Threads.start();
    Server server = null;
    try {
      NettyServerBuilder builder =
          NettyServerBuilder.forAddress(socket.address(), InsecureServerCredentials.create())
              .channelType(NioServerDomainSocketChannel.class)
              .bossEventLoopGroup(threads.acceptor())
              .workerEventLoopGroup(threads.workers())
              .directExecutor()
              .maxInboundMessageSize(maxReceive)
              .flowControlWindow(WINDOW_BYTES) // given, so that it is not probed for by pings
              .permitKeepAliveTime(1, TimeUnit.SECONDS)
              .permitKeepAliveWithoutCalls(true)
              .intercept(new SendLimit(maxSend));
      interceptors.reversed().forEach(builder::intercept); // the one added last comes first
      services.forEach(builder::addService);
      server = builder.build();
      server.start();
      return new GrpcListener(socket.bound(), server, threads);
    } catch (IOException | RuntimeException e) {
      if (server != null) {
        server.shutdownNow(); // which removes the socket, too
      }
      threads.end();
      throw e;
    }
  }

  /** What a server runs on. */
  private record Threads(EventLoopGroup acceptor, EventLoopGroup workers) {
    static Threads start() {
      return new Threads(loops(1, "grpc-accept"), loops(2, "grpc-io"));
    }

    void end() {
      var _ = acceptor.shutdownGracefully(0, 1, TimeUnit.SECONDS);
      var _ = workers.shutdownGracefully(0, 1, TimeUnit.SECONDS);
    }
  }

  private static EventLoopGroup loops(int threads, String name) {
    return new MultiThreadIoEventLoopGroup(
        threads, new DefaultThreadFactory(name, true), NioIoHandler.newFactory());
  }

  @Override
  public void close() {
    try {
      // first: until the calls are done, somebody else may listen in this place
      socket.remove();
    } catch (IOException e) {
      LOG.log(Level.WARNING, "socket " + socket.path() + " cannot be removed", e);
    }
    server.shutdown();
    try {
      if (!server.awaitTermination(GRACE_SECONDS, TimeUnit.SECONDS)) {
        server.shutdownNow();
        server.awaitTermination(GRACE_SECONDS, TimeUnit.SECONDS);
      }
    } catch (InterruptedException e) {
      server.shutdownNow();
      Thread.currentThread().interrupt();
    }
    threads.end();
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
