package io.jcontainerd.client;

import static java.nio.file.StandardOpenOption.WRITE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.InsecureServerCredentials;
import io.grpc.Server;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import io.jcontainerd.api.services.content.v1.ContentGrpc;
import io.jcontainerd.api.services.content.v1.ListContentRequest;
import io.jcontainerd.api.services.content.v1.ListContentResponse;
import io.jcontainerd.api.services.content.v1.ReadContentRequest;
import io.jcontainerd.api.services.content.v1.ReadContentResponse;
import io.jcontainerd.api.services.content.v1.WriteContentRequest;
import io.jcontainerd.api.services.content.v1.WriteContentResponse;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.content.IngestRequest;
import io.jcontainerd.core.failure.DeadlineExceededException;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerDomainSocketChannel;
import java.io.IOException;
import java.io.OutputStream;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A daemon that takes every call and answers none: nobody waits for it for ever. */
@Timeout(180)
class SilentDaemonTest {
  private static final Digest DIGEST = Digest.sha256(new byte[] {1});

  @TempDir Path folder;
  private EventLoopGroup loop;
  private Server server;
  private Containerd client;

  /** Takes calls and leaves them. */
  private static final class Silent extends ContentGrpc.ContentImplBase {
    @Override
    public void list(ListContentRequest request, StreamObserver<ListContentResponse> answers) {}

    @Override
    public void read(ReadContentRequest request, StreamObserver<ReadContentResponse> answers) {}

    @Override
    public StreamObserver<WriteContentRequest> write(StreamObserver<WriteContentResponse> answers) {
      return new StreamObserver<>() {
        @Override
        public void onNext(WriteContentRequest message) {}

        @Override
        public void onError(Throwable failure) {}

        @Override
        public void onCompleted() {}
      };
    }
  }

  @BeforeEach
  void start() throws IOException {
    Path socket = folder.resolve("s.sock");
    loop = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    server =
        NettyServerBuilder.forAddress(
                UnixDomainSocketAddress.of(socket), InsecureServerCredentials.create())
            .channelType(NioServerDomainSocketChannel.class)
            .bossEventLoopGroup(loop)
            .workerEventLoopGroup(loop)
            .directExecutor()
            .addService(new Silent())
            .build()
            .start();
    client =
        Containerd.connect(new Containerd.Options(socket.toString(), Duration.ofMillis(50)))
            .in("ns");
  }

  @AfterEach
  void stop() throws InterruptedException {
    client.close();
    server.shutdownNow().awaitTermination(60, TimeUnit.SECONDS);
    loop.shutdownGracefully(0, 1, TimeUnit.SECONDS).await();
  }

  @Test
  void a_list_ends() {
    assertThatThrownBy(() -> client.content().list(List.of(), _ -> {}))
        .isInstanceOf(DeadlineExceededException.class)
        .hasMessageContaining("did not go on for 500 ms");
  }

  @Test
  void a_read_ends() {
    try (var in = new ContentInputStream(client.content().read(DIGEST, 0, 0))) {
      assertThatThrownBy(in::read).isInstanceOf(DeadlineExceededException.class);
    }
  }

  @Test
  void an_ingest_ends() {
    assertThatThrownBy(() -> client.content().ingest(new IngestRequest("ref")))
        .isInstanceOf(DeadlineExceededException.class);
  }

  @Test
  void output_that_is_not_taken_does_not_hold_its_process() throws Exception {
    OutputStream full =
        new OutputStream() {
          @Override
          public void write(int b) throws IOException {
            throw new IOException("no space left");
          }
        };
    try (ProcessIo io = ProcessIo.below(folder).stdout(full).open();
        var process = Files.newByteChannel(Path.of(io.stdio().stdout()), WRITE)) {
      io.started();
      ByteBuffer much = ByteBuffer.allocate(1 << 20);
      while (much.hasRemaining()) {
        process.write(much);
      }
      process.close();
      io.drain(Duration.ofSeconds(60));
      assertThat(much.hasRemaining()).isFalse();
    }
  }
}
