package io.jcontainerd.daemon.assembly;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.jcontainerd.api.services.events.v1.EventsGrpc;
import io.jcontainerd.api.services.events.v1.SubscribeRequest;
import io.jcontainerd.api.services.images.v1.GetImageRequest;
import io.jcontainerd.api.services.images.v1.ImagesGrpc;
import io.jcontainerd.api.types.Envelope;
import io.jcontainerd.daemon.BuildInfo;
import io.jcontainerd.daemon.config.ConfigLoader;
import io.jcontainerd.daemon.graph.PluginGraph;
import io.jcontainerd.testkit.time.Soon;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioDomainSocketChannel;
import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.URI;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The daemon's numbers, as a Prometheus server gets them. */
@Tag("root")
@Timeout(180)
class MetricsTest {
  private static final String METRICS = "io.containerd.server.v1.metrics";

  private static final String SUBSCRIBE =
      "grpc_type=\"server_stream\",grpc_service=\"containerd.services.events.v1.Events\","
          + "grpc_method=\"Subscribe\"";
  private static final String STARTED = "grpc_server_started_total{" + SUBSCRIBE + "}";
  private static final String HANDLED =
      "grpc_server_handled_total[{]" + SUBSCRIBE + ",grpc_code=\"%s\"[}] .*";

  @TempDir Path folder;

  private PluginGraph graph(String address) throws IOException {
    Files.createDirectories(folder.resolve("state"));
    String config =
        "version = 4\nimports = []\n[plugins.'%s']\naddress = '%s'\n".formatted(METRICS, address)
            + "[plugins.'io.containerd.server.v1.grpc']\naddress = '%s'\n".formatted(socket())
            + "[plugins.'io.containerd.metrics.v1.grpc-prometheus']\ngrpc_histogram = true\n";
    PluginGraph graph =
        Assembly.of(
            ConfigLoader.parse(folder.resolve("config.toml"), config),
            new BuildInfo("1.2.3", "abc"),
            folder.resolve("root"),
            folder.resolve("state"),
            Path.of("store.db"));
    graph.start(
        List.of(
            "io.containerd.server.v1.ttrpc",
            "io.containerd.shim.v1.manager",
            "io.containerd.runtime.v2.task"),
        List.of("io.containerd.metadata.v1.bolt", "io.containerd.server.v1.grpc"));
    return graph;
  }

  private Path socket() {
    return folder.resolve("s.sock");
  }

  private static HttpURLConnection connection(PluginGraph graph, String path) throws IOException {
    int port = graph.wiring().get(Keys.METRICS).port();
    return (HttpURLConnection)
        URI.create("http://127.0.0.1:" + port + path).toURL().openConnection();
  }

  private static List<String> lines(PluginGraph graph) throws IOException {
    HttpURLConnection connection = connection(graph, "/v1/metrics");
    try (InputStream in = connection.getInputStream()) {
      assertThat(connection.getContentType()).isEqualTo("text/plain; version=0.0.4; charset=utf-8");
      return new String(in.readAllBytes(), UTF_8).lines().toList();
    }
  }

  /** Also begins to listen to events, and goes away. */
  private void askForAnImageThatIsNotThere(PluginGraph graph) throws Exception {
    var loop = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    ManagedChannel channel =
        NettyChannelBuilder.forAddress(
                UnixDomainSocketAddress.of(socket()), InsecureChannelCredentials.create())
            .channelType(NioDomainSocketChannel.class, UnixDomainSocketAddress.class)
            .eventLoopGroup(loop)
            .build();
    try {
      var stub = ImagesGrpc.newBlockingStub(channel).withDeadlineAfter(60, TimeUnit.SECONDS);
      assertThatThrownBy(() -> stub.get(GetImageRequest.newBuilder().setName("none").build()))
          .isInstanceOf(StatusRuntimeException.class);
      Iterator<Envelope> _ =
          EventsGrpc.newBlockingStub(channel).subscribe(SubscribeRequest.getDefaultInstance());
      Soon.until("it listens", () -> lines(graph).contains(STARTED + " 1"));
    } finally {
      channel.shutdownNow();
      loop.shutdownGracefully(0, 1, TimeUnit.SECONDS).await();
    }
  }

  @Test
  void calls_the_store_the_collector_and_the_process_are_told() throws Exception {
    try (PluginGraph graph = graph("127.0.0.1:0")) {
      askForAnImageThatIsNotThere(graph);
      graph.wiring().get(Keys.COLLECTOR).collect();
      var lines = new ArrayList<String>();
      Soon.until( // the server learns of the listener's end when it is told
          "calls and writes are over",
          () -> {
            lines.clear();
            lines.addAll(lines(graph));
            return value(lines, STARTED) == ended(lines)
                && value(lines, "jcontainerd_store_queue_length") == 0;
          });
      String method =
          "grpc_type=\"unary\",grpc_service=\"containerd.services.images.v1.Images\","
              + "grpc_method=\"Get\"";
      assertThat(lines)
          .contains(
              "containerd_build_info_total{version=\"2.3.4+jcontainerd.1.2.3\",revision=\"abc\"} 1",
              "grpc_server_started_total{" + method + "} 1",
              "grpc_server_handled_total{" + method + ",grpc_code=\"FailedPrecondition\"} 1",
              "grpc_server_msg_received_total{" + method + "} 1",
              "grpc_server_msg_sent_total{" + method + "} 0",
              "grpc_server_handling_seconds_bucket{" + method + ",le=\"+Inf\"} 1",
              "grpc_server_handling_seconds_count{" + method + "} 1",
              "containerd_gc_collections_total{status=\"fail\"} 0",
              "jcontainerd_store_queue_length 0",
              "# TYPE jcontainerd_store_longest_hold_seconds gauge",
              "# TYPE process_resident_memory_bytes gauge");
      assertThat(value(lines, "containerd_gc_collections_total{status=\"success\"}")).isPositive();
      assertThat(value(lines, "jcontainerd_store_longest_hold_seconds")).isPositive();
      assertThat(value(lines, "process_resident_memory_bytes")).isGreaterThan(1 << 20);
      assertThat(value(lines, "process_open_fds")).isBetween(3.0, value(lines, "process_max_fds"));
      assertThat(lines)
          .allMatch(
              line ->
                  line.matches("# (HELP|TYPE) [a-z_]+ .+")
                      || line.matches("[a-z_]+([{].*[}])? [-0-9.E]+"));
    }
  }

  /** The listeners that went away. */
  private static double ended(List<String> lines) {
    return lines.stream()
        .filter(line -> line.matches(HANDLED.formatted("(Canceled|DeadlineExceeded)")))
        .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' '))))
        .sum();
  }

  private static double value(List<String> lines, String sample) {
    return lines.stream()
        .filter(line -> line.startsWith(sample + " "))
        .mapToDouble(line -> Double.parseDouble(line.substring(sample.length() + 1)))
        .findFirst()
        .orElseThrow(() -> new AssertionError(sample + " is not among " + lines));
  }

  @Test
  void other_paths_and_methods_are_refused() throws Exception {
    try (PluginGraph graph = graph("127.0.0.1:0")) {
      assertThat(connection(graph, "/metrics").getResponseCode()).isEqualTo(404);
      HttpURLConnection post = connection(graph, "/v1/metrics");
      post.setRequestMethod("POST");
      assertThat(post.getResponseCode()).isEqualTo(405);
      assertThat(post.getHeaderField("Allow")).isEqualTo("GET, HEAD");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"1338", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:65536", "::1:1338"})
  void an_address_that_is_none_fails_the_plugin_with_a_sentence(String address) throws Exception {
    try (PluginGraph graph = graph(address)) {
      assertThat(graph.plugins())
          .filteredOn(plugin -> plugin.id().equals("metrics"))
          .singleElement()
          .satisfies(
              plugin ->
                  assertThat(plugin.failure().orElseThrow().message())
                      .contains("metrics address \"" + address + "\" is not HOST:PORT"));
    }
  }
}
