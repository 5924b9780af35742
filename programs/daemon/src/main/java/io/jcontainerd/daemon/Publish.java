package io.jcontainerd.daemon;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.MetadataUtils;
import io.jcontainerd.api.services.events.v1.EventsGrpc;
import io.jcontainerd.api.services.events.v1.PublishRequest;
import io.jcontainerd.core.Call;
import io.jcontainerd.wire.Calls;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioDomainSocketChannel;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** Sends one event to a running daemon, for shims that start a program to do so. */
final class Publish {
  private static final long DEADLINE_SECONDS = 10;

  private Publish() {}

  /**
   * Returns when the daemon has accepted the event.
   *
   * @param event the bytes of an {@code Any}
   * @throws IOException if they are none, or the daemon refuses or does not answer
   */
  static void publish(String address, String namespace, String topic, byte[] event)
      throws IOException {
    Any payload;
    try {
      payload = Any.parseFrom(event);
    } catch (InvalidProtocolBufferException e) {
      throw new IOException("standard input holds no google.protobuf.Any", e);
    }
    var loop = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    ManagedChannel channel =
        NettyChannelBuilder.forAddress(
                UnixDomainSocketAddress.of(address), InsecureChannelCredentials.create())
            .channelType(NioDomainSocketChannel.class, UnixDomainSocketAddress.class)
            .eventLoopGroup(loop)
            .directExecutor()
            .build();
    try {
      var call = new Call(Optional.of(namespace), Optional.empty(), Optional.empty());
      EventsGrpc.newBlockingStub(channel)
          .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(Calls.toGrpc(call)))
          .withDeadlineAfter(DEADLINE_SECONDS, TimeUnit.SECONDS)
          .publish(PublishRequest.newBuilder().setTopic(topic).setEvent(payload).build());
    } catch (StatusRuntimeException e) {
      throw new IOException("event " + topic + " was not published: " + e.getStatus(), e);
    } finally {
      channel.shutdownNow();
      var _ = loop.shutdownGracefully(0, 1, TimeUnit.SECONDS);
    }
  }
}
