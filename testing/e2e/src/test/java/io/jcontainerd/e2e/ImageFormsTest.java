package io.jcontainerd.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.TestInstance;

/** Images converted, measured, and put together of parts that registries do not hold. */
@Tag("root")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ImageFormsTest {
  private Scene scene;
  private Ctr ctr;
  private String image;
  private String index;

  @BeforeAll
  void open() {
    Assumptions.assumeTrue(Daemon.reference() == null, "jctr speaks the release of our day");
    scene =
        Scene.open(
            "forms",
            false,
            """
            [plugins."io.containerd.service.v1.diff-service"]
              default = ["erofs", "walking"]
            """);
    ctr = scene.ctr;
    image = scene.registry.host() + "/busybox:1";
    index = scene.registry.host() + "/busybox:index";
    scene.images.push(scene.registry, "busybox", "1", TestImage.Packing.GZIP);
    scene.images.pushIndex(scene.registry, "busybox", "index");
    jctr("pull", "--plain-http", image).ok();
    jctr("pull", "--plain-http", "--all-platforms", index).ok();
  }

  @AfterAll
  void close() {
    if (scene != null) {
      scene.close();
    }
  }

  private Command jctr(String... words) {
    List<String> line = Command.line(List.of(Daemon.launcher("jctr").toString()), words);
    return Command.run(
        Command.line(line, "-n", ctr.namespace(), "--address", scene.daemon.socket().toString()));
  }

  private String digest(String name) {
    Matcher digest =
        Pattern.compile("sha256:[0-9a-f]{64}")
            .matcher(ctr.ok("images", "ls", "name==" + name).out());
    assertThat(digest.find()).as("image %s", name).isTrue();
    return digest.group();
  }

  private String document(String name) {
    return ctr.ok("content", "get", digest(name)).out();
  }

  private void runs(String name) {
    assertThat(ctr.ok("run", "--rm", name, "converted", "cat", "/etc/version").text())
        .isEqualTo("2");
  }

  private static String named(String name) {
    return "docker.io/library/" + name;
  }

  /** By ctr and by jctr; both must make the same. */
  private String bothConvert(String from, String to, String... options) {
    ctr.ok(
        Command.line(Command.line(List.of("images", "convert"), options), from, named(to + "-ctr"))
            .toArray(String[]::new));
    jctr(Command.line(
                Command.line(List.of("images", "convert"), options), from, named(to + "-jctr"))
            .toArray(String[]::new))
        .ok();
    assertThat(document(named(to + "-jctr"))).isEqualTo(document(named(to + "-ctr")));
    assertThat(digest(named(to + "-jctr"))).isEqualTo(digest(named(to + "-ctr")));
    return named(to + "-jctr");
  }

  @TestFactory
  Stream<DynamicTest> conversion() {
    return new Cases("convert")
            .add(
                "plain layers are those that ctr makes, and run",
                () -> runs(bothConvert(image, "plain:1", "--uncompress", "--oci")))
            .add(
                "so are they of an index",
                () -> {
                  String all =
                      bothConvert(index, "all:1", "--uncompress", "--oci", "--all-platforms");
                  assertThat(document(all)).contains("s390x");
                  String one = bothConvert(index, "one:1", "--uncompress");
                  assertThat(document(one)).doesNotContain("s390x");
                  runs(one);
                })
            .add(
                "so are they of an image of docker's",
                () -> {
                  Path saved = scene.folder.resolve("saved.tar");
                  skopeo(
                      "docker://" + image,
                      "docker-archive:" + saved + ":docker.io/library/docker:1");
                  ctr.ok("images", "import", saved.toString());
                  String oci = bothConvert(named("docker:1"), "oci:1", "--oci");
                  assertThat(document(oci)).doesNotContain("docker");
                  runs(oci);
                })
            .add(
                "zstandard and back, each time the same",
                () -> {
                  jctr("images", "convert", "--zstd", image, "zstd:1").ok();
                  jctr("images", "convert", "--zstd", image, "zstd:2").ok();
                  assertThat(digest(named("zstd:2"))).isEqualTo(digest(named("zstd:1")));
                  assertThat(document(named("zstd:1"))).contains("tar+zstd").doesNotContain("gzip");
                  runs(named("zstd:1"));
                  jctr("images", "convert", "--gzip", named("zstd:1"), "gzip:1").ok();
                  assertThat(document(named("gzip:1"))).contains("tar+gzip").doesNotContain("zstd");
                  runs(named("gzip:1"));
                })
            .add(
                "skopeo takes what was converted to another registry and back",
                () -> {
                  String there = scene.registry.host() + "/converted:zstd";
                  jctr("images", "push", "--plain-http", there, named("zstd:1")).ok();
                  Path layout = scene.folder.resolve("layout.tar");
                  skopeo("docker://" + there, "oci-archive:" + layout + ":v1");
                  ctr.ok(
                      "images", "import", "--base-name", "layout.example/app", layout.toString());
                  assertThat(digest("layout.example/app:v1")).isEqualTo(digest(named("zstd:1")));
                })
            .add(
                "what is converted stays when its source is removed",
                () -> {
                  jctr("images", "convert", "--zstd", image, "stays:1").ok();
                  jctr("images", "tag", named("stays:1"), "stays:2").ok();
                  ctr.ok(
                      "images", "rm", "--sync", named("stays:1"), named("zstd:1"), named("zstd:2"));
                  runs(named("stays:2"));
                })
            .add(
                "images of erofs, each time the same",
                () -> {
                  jctr("images", "convert", "--erofs", image, "erofs:1").ok();
                  jctr("images", "convert", "--erofs", image, "erofs:2").ok();
                  assertThat(digest(named("erofs:2"))).isEqualTo(digest(named("erofs:1")));
                  assertThat(document(named("erofs:1"))).contains("application/vnd.erofs.layer.v1");
                  try (Stream<Path> left =
                      Files.list(scene.daemon.root().resolve("io.containerd.transfer.v1.local"))) {
                    for (Path folder : left.toList()) {
                      assertThat(folder).isEmptyDirectory();
                    }
                  }
                })
            .add(
                "what cannot be is said",
                () -> {
                  jctr("images", "convert", "--zstd", "--gzip", image, "no:1").refused("--zstd");
                  jctr("images", "convert", "--zstd", "nothing:1", "no:1").refused("nothing:1");
                  jctr("images", "convert", "--zstd", "--platform", "linux/mips64le", index, "no:1")
                      .refused("linux/mips64le");
                })
            .add(
                "nothing is left of it",
                () -> {
                  assertThat(ctr.ok("leases", "ls", "-q").lines()).isEmpty();
                  assertThat(ctr.ok("content", "active").lines()).hasSize(1);
                })
            .stream();
  }

  @TestFactory
  Stream<DynamicTest> usage() {
    return new Cases("usage")
            .add(
                "images and what they take",
                () -> {
                  assertThat(jctr("images", "ls").ok().out())
                      .contains("CONTENT", "UNPACKED", "UNIQUE", "SHARED", image);
                  assertThat(jctr("images", "ls", "--format", "json").ok().out())
                      .containsPattern("\"name\":\"" + image + "\"[^}]*\"snapshotBytes\":[1-9]");
                })
            .add(
                "the parts of an image",
                () ->
                    assertThat(jctr("images", "usage", index).ok().out())
                        .contains("index ", "manifest ", "config ", "layer ", "unpacked"))
            .add(
                "ctr tells it, where it can",
                () -> {
                  if (ctr.ok("images", "--help").out().contains("usage")) {
                    assertThat(ctr.ok("images", "usage", image).out()).contains("KEY", "SIZE");
                  }
                })
            .stream();
  }

  @TestFactory
  Stream<DynamicTest> foreignLayers() {
    return new Cases("foreign layers")
            .add(
                "come from where their manifest says",
                () -> {
                  scene.images.pushDeep(scene.registry, "deep", "1", 4);
                  String from = "http://" + scene.registry.host() + "/v2/deep/";
                  String document = new String(get(from + "manifests/1"), StandardCharsets.UTF_8);
                  try (Elsewhere server = new Elsewhere()) {
                    for (String digest : digests(document)) {
                      server.blobs.put(digest, get(from + "blobs/" + digest));
                    }
                    String foreign = server.push(document);
                    jctr("pull", "--plain-http", foreign).ok();
                    runs(foreign);
                    assertThat(server.asked).anyMatch(path -> path.startsWith("/layers/sha256:"));
                    // layers whose snapshots were there did not come
                    jctr("pull", "--plain-http", "--no-unpack", foreign).ok();
                    Path archive = scene.folder.resolve("foreign.tar");
                    jctr("images", "export", "--skip-non-distributable", archive + "", foreign)
                        .ok();
                    Path whole = scene.folder.resolve("whole.tar");
                    jctr("images", "export", whole.toString(), foreign).ok();
                    assertThat(blobs(whole) - blobs(archive)).isEqualTo(4);
                  }
                })
            .stream();
  }

  private static long blobs(Path archive) {
    return Command.run("tar", "-tf", archive.toString()).ok().lines().stream()
        .filter(line -> line.startsWith("blobs/sha256/") && !line.endsWith("/"))
        .count();
  }

  private static List<String> digests(String document) {
    List<String> all = new ArrayList<>();
    Matcher digest = Pattern.compile("sha256:[0-9a-f]{64}").matcher(document);
    while (digest.find()) {
      all.add(digest.group());
    }
    return all;
  }

  private static byte[] get(String url) throws IOException, InterruptedException {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(url)).header("Accept", TestImage.MANIFEST).build();
    try (HttpClient http = HttpClient.newHttpClient()) {
      HttpResponse<byte[]> response = http.send(request, HttpResponse.BodyHandlers.ofByteArray());
      assertThat(response.statusCode()).as(url).isEqualTo(200);
      return response.body();
    }
  }

  /** A registry with one image, that keeps its layers at another address. */
  private static final class Elsewhere implements AutoCloseable {
    final Map<String, byte[]> blobs = new ConcurrentHashMap<>();
    final List<String> asked = new CopyOnWriteArrayList<>();
    private final HttpServer server;
    private byte[] manifest = {};

    Elsewhere() throws IOException {
      server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
      server.createContext("/", this::answer);
      server.start();
    }

    String push(String document) {
      String host = "127.0.0.1:" + server.getAddress().getPort();
      String foreign = "application/vnd.oci.image.layer.nondistributable.v1.tar";
      manifest =
          document
              .replaceAll(
                  "\"mediaType\":\"application/vnd.oci.image.layer.v1.tar\","
                      + "\"digest\":\"([^\"]*)\"",
                  Matcher.quoteReplacement("\"mediaType\":\"" + foreign + "\",")
                      + "\"urls\":[\"http://"
                      + host
                      + "/layers/$1\"],\"digest\":\"$1\"")
              .getBytes(StandardCharsets.UTF_8);
      return host + "/foreign:1";
    }

    private void answer(HttpExchange exchange) throws IOException {
      try (exchange) {
        String path = exchange.getRequestURI().getPath();
        asked.add(path);
        String last = path.substring(path.lastIndexOf('/') + 1);
        byte[] blob = blobs.get(last);
        boolean isLayer = new String(manifest, StandardCharsets.UTF_8).contains("/layers/" + last);
        if (path.contains("/manifests/")) {
          exchange.getResponseHeaders().set("Content-Type", TestImage.MANIFEST);
          exchange.getResponseHeaders().set("Docker-Content-Digest", TestImage.digest(manifest));
          send(exchange, manifest);
        } else if (blob != null && (path.startsWith("/layers/") || !isLayer)) {
          send(exchange, blob);
        } else {
          exchange.sendResponseHeaders(404, -1);
        }
      }
    }

    private static void send(HttpExchange exchange, byte[] bytes) throws IOException {
      boolean head = exchange.getRequestMethod().equals("HEAD");
      if (head) {
        exchange.getResponseHeaders().set("Content-Length", String.valueOf(bytes.length));
      }
      exchange.sendResponseHeaders(200, head ? -1 : bytes.length);
      if (!head) {
        exchange.getResponseBody().write(bytes);
      }
    }

    @Override
    public void close() {
      server.stop(0);
    }
  }

  private static void skopeo(String from, String to) {
    Command.run(
            "skopeo",
            "--insecure-policy",
            "copy",
            "--src-tls-verify=false",
            "--dest-tls-verify=false",
            from,
            to)
        .ok();
  }
}
