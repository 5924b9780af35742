package io.jcontainerd.registry.conformance;

import io.jcontainerd.testkit.registry.Reply;
import io.jcontainerd.testkit.registry.Script;
import io.jcontainerd.testkit.registry.Seen;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http2.Http2FrameCodecBuilder;
import io.netty.handler.codec.http2.Http2MultiplexHandler;
import io.netty.handler.codec.http2.Http2StreamFrameToHttpObjectCodec;
import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.ApplicationProtocolNames;
import io.netty.handler.ssl.ApplicationProtocolNegotiationHandler;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.IdentityCipherSuiteFilter;
import io.netty.handler.ssl.JdkSslContext;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;

/** A server with TLS of HTTP/2 and, for who does not offer that, HTTP/1.1. It tells no lies. */
final class Http2Server implements AutoCloseable {
  private static final int LONGEST = 1 << 20;

  private final EventLoopGroup threads =
      new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
  private final Channel channel;

  /** Is told of each request with the protocol that it came by. */
  @FunctionalInterface
  interface Listener {
    void saw(String protocol, String method, Reply reply);
  }

  Http2Server(Script script, SSLContext tls, Listener listener) throws InterruptedException {
    JdkSslContext context =
        new JdkSslContext(
            tls,
            false,
            null,
            IdentityCipherSuiteFilter.INSTANCE,
            new ApplicationProtocolConfig(
                ApplicationProtocolConfig.Protocol.ALPN,
                ApplicationProtocolConfig.SelectorFailureBehavior.NO_ADVERTISE,
                ApplicationProtocolConfig.SelectedListenerFailureBehavior.ACCEPT,
                ApplicationProtocolNames.HTTP_2,
                ApplicationProtocolNames.HTTP_1_1),
            ClientAuth.NONE,
            null,
            false);
    channel =
        new ServerBootstrap()
            .group(threads)
            .channel(NioServerSocketChannel.class)
            .childHandler(
                new ChannelInitializer<Channel>() {
                  @Override
                  protected void initChannel(Channel child) {
                    child
                        .pipeline()
                        .addLast(context.newHandler(child.alloc()), new Choice(script, listener));
                  }
                })
            .bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
            .sync()
            .channel();
  }

  String address() {
    return "127.0.0.1:" + ((InetSocketAddress) channel.localAddress()).getPort();
  }

  /** Speaks as was agreed on. */
  private static final class Choice extends ApplicationProtocolNegotiationHandler {
    private final Script script;
    private final Listener listener;

    Choice(Script script, Listener listener) {
      super(ApplicationProtocolNames.HTTP_1_1);
      this.script = script;
      this.listener = listener;
    }

    @Override
    protected void configurePipeline(ChannelHandlerContext context, String protocol) {
      ChannelPipeline pipeline = context.pipeline();
      if (protocol.equals(ApplicationProtocolNames.HTTP_2)) {
        pipeline.addLast(
            Http2FrameCodecBuilder.forServer().build(),
            new Http2MultiplexHandler(
                new ChannelInitializer<Channel>() {
                  @Override
                  protected void initChannel(Channel stream) {
                    stream
                        .pipeline()
                        .addLast(
                            new Http2StreamFrameToHttpObjectCodec(true),
                            new HttpObjectAggregator(LONGEST),
                            new Answering("h2", script, listener));
                  }
                }));
      } else {
        pipeline.addLast(
            new HttpServerCodec(),
            new HttpObjectAggregator(LONGEST),
            new Answering("h1", script, listener));
      }
    }
  }

  /** Answers one request. */
  private static final class Answering extends SimpleChannelInboundHandler<FullHttpRequest> {
    private final String protocol;
    private final Script script;
    private final Listener listener;

    Answering(String protocol, Script script, Listener listener) {
      this.protocol = protocol;
      this.script = script;
      this.listener = listener;
    }

    @Override
    protected void channelRead0(ChannelHandlerContext context, FullHttpRequest request) {
      Map<String, List<String>> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
      request
          .headers()
          .forEach(
              header ->
                  headers
                      .computeIfAbsent(
                          header.getKey().toLowerCase(Locale.ROOT), _ -> new ArrayList<>())
                      .add(header.getValue()));
      byte[] body = new byte[request.content().readableBytes()];
      request.content().readBytes(body);
      Seen seen = new Seen(request.method().name(), request.uri(), headers, body);
      Reply reply = script.reply(seen);
      listener.saw(protocol, seen.method(), reply);
      if (reply.status() == 0) {
        return; // silence
      }
      FullHttpResponse response =
          new DefaultFullHttpResponse(
              HttpVersion.HTTP_1_1,
              HttpResponseStatus.valueOf(reply.status()),
              seen.is("HEAD") ? Unpooled.EMPTY_BUFFER : Unpooled.wrappedBuffer(reply.body()));
      for (String line : reply.headers()) {
        int colon = line.indexOf(':');
        response.headers().add(line.substring(0, colon), line.substring(colon + 1).strip());
      }
      response.headers().set("content-length", reply.length());
      context.writeAndFlush(response).addListener(ChannelFutureListener.CLOSE_ON_FAILURE);
    }
  }

  @Override
  public void close() {
    channel.close().awaitUninterruptibly();
    threads.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly();
  }
}
