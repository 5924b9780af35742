package io.jcontainerd.registry;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpExchange;
import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.failure.DataLossException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.UnauthenticatedException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.oci.image.MediaTypes;
import io.jcontainerd.registry.hosts.HostsDirectory;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A registry with a mirror before it, and what becomes of a pull when the mirror misbehaves. */
@Timeout(60)
class MirrorsTest {
  private static final byte[] BLOB = random();
  private static final Descriptor LAYER =
      new Descriptor(MediaTypes.LAYER, Digest.sha256(BLOB), BLOB.length);
  private static final byte[] MANIFEST =
      "{\"schemaVersion\":2,\"config\":{\"digest\":\"sha256:%s\",\"size\":1},\"layers\":[]}"
          .formatted("a".repeat(64))
          .getBytes(UTF_8);
  private static final Digest DIGEST = Digest.sha256(MANIFEST);

  @TempDir private Path folder;
  private final FakeTime time = new FakeTime();

  private static byte[] random() {
    byte[] bytes = new byte[100_000];
    new Random(11).nextBytes(bytes);
    return bytes;
  }

  private static void serve(HttpExchange exchange) throws IOException {
    if (exchange.getRequestURI().getPath().contains("/blobs/")) {
      String range = exchange.getRequestHeaders().getFirst("Range");
      int from = range == null ? 0 : Integer.parseInt(range.substring(6, range.length() - 1));
      if (range != null) {
        exchange
            .getResponseHeaders()
            .set("Content-Range", "bytes " + from + "-" + (BLOB.length - 1) + "/" + BLOB.length);
      }
      exchange.sendResponseHeaders(range == null ? 200 : 206, BLOB.length - from);
      exchange.getResponseBody().write(BLOB, from, BLOB.length - from);
      return;
    }
    exchange.getResponseHeaders().set("Content-Type", MediaTypes.MANIFEST);
    exchange.getResponseHeaders().set("Docker-Content-Digest", DIGEST.toString());
    StandIn.answer(exchange, 200, MANIFEST);
  }

  private static StandIn.Handler always(int status, String... headers) {
    return exchange -> {
      for (int i = 0; i < headers.length; i += 2) {
        exchange.getResponseHeaders().set(headers[i], headers[i + 1]);
      }
      StandIn.answer(exchange, status, "{\"errors\":[{\"code\":\"NO\"}]}".getBytes(UTF_8));
    };
  }

  private RegistryOptions options() {
    return RegistryOptions.defaults().withTime(time).withHosts(new HostsDirectory(List.of(folder)));
  }

  private void hosts(String text) throws IOException {
    Path file = folder.resolve("r.example/hosts.toml");
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
  }

  private void mirrored(StandIn registry, String... mirrors) throws IOException {
    StringBuilder text = new StringBuilder("server = \"http://" + registry.address() + "\"\n");
    for (String mirror : mirrors) {
      text.append("[host.\"http://").append(mirror).append("\"]\n");
    }
    hosts(text.toString());
  }

  /** A mirror that does not serve, and what is said of it. */
  record Bad(String name, StandIn.Handler handler, String said) {
    @Override
    public String toString() {
      return name;
    }
  }

  static Stream<Bad> mirrors() {
    return Stream.of(
        new Bad("does not know", always(404), "answered 404 to GET"),
        new Bad("breaks", always(500), "answered 500 to GET"),
        new Bad("is overloaded", always(503, "Retry-After", "5"), "answered 503 to GET"),
        new Bad("limits", always(429, "Retry-After", "3600"), "answered 429 to HEAD"),
        new Bad("forbids", always(403), "answered 403 to GET"),
        new Bad(
            "wants credentials",
            always(401, "WWW-Authenticate", "Basic realm=\"m\""),
            "401 to GET"),
        new Bad(
            "has a broken token server",
            always(401, "WWW-Authenticate", "Bearer realm=\"ftp://t\""),
            "is no https address"),
        new Bad("redirects in circles", always(302, "Location", "/x"), "more than 10 redirects"),
        new Bad("is a teapot", always(418), "answered 418 to GET"),
        new Bad(
            "answers nonsense",
            exchange -> StandIn.answer(exchange, 200, "<p>".getBytes(UTF_8)),
            "what is no manifest"),
        new Bad("hangs up", exchange -> exchange.close(), "registry 127.0.0.1:"));
  }

  @ParameterizedTest(name = "a mirror that {0}")
  @MethodSource("mirrors")
  void the_registry_is_asked_when_a_mirror_does_not_serve(Bad bad) throws IOException {
    try (StandIn mirror = new StandIn(bad.handler);
        StandIn origin = new StandIn(MirrorsTest::serve);
        DistributionRegistry registry = new DistributionRegistry(options())) {
      mirrored(origin, mirror.address());
      assertThat(registry.resolve("r.example/x:1").digest()).isEqualTo(DIGEST);
      assertThat(mirror.requests.getFirst()).isEqualTo("HEAD /v2/x/manifests/1?ns=r.example");
      assertThat(origin.requests).containsExactly("HEAD /v2/x/manifests/1?ns=r.example");
    }
  }

  @ParameterizedTest(name = "a mirror that {0}")
  @MethodSource("mirrors")
  void when_nobody_serves_each_is_told_with_its_reason(Bad bad) throws IOException {
    try (StandIn mirror = new StandIn(bad.handler);
        StandIn origin = new StandIn(always(404));
        DistributionRegistry registry = new DistributionRegistry(options())) {
      mirrored(origin, mirror.address());
      assertThatThrownBy(() -> registry.resolve("r.example/x:1"))
          .isInstanceOf(NotFoundException.class)
          .hasMessageStartingWith("image r.example/x:1: none of 2 hosts served resolve: ")
          .hasMessageContaining(mirror.address())
          .hasMessageContaining(bad.said)
          .hasMessageContaining(
              "registry "
                  + origin.address()
                  + " answered 404 to GET /v2/x/manifests/1 (anonymous)");
    }
  }

  @Test
  void a_mirror_that_serves_spares_the_registry() throws IOException {
    try (StandIn mirror = new StandIn(MirrorsTest::serve);
        StandIn origin = new StandIn(MirrorsTest::serve);
        DistributionRegistry registry = new DistributionRegistry(options())) {
      mirrored(origin, mirror.address());
      registry.resolve("r.example/x:1");
      try (InputStream in = registry.fetch("r.example/x:1", LAYER, 0)) {
        assertThat(in.readAllBytes()).isEqualTo(BLOB);
      }
      assertThat(origin.requests).isEmpty();
    }
  }

  @Test
  void a_mirror_that_is_down_is_asked_last_for_a_while() throws IOException {
    String down;
    try (StandIn gone = new StandIn(MirrorsTest::serve)) {
      down = gone.address();
    }
    try (StandIn origin = new StandIn(MirrorsTest::serve);
        DistributionRegistry registry = new DistributionRegistry(options())) {
      mirrored(origin, down);
      for (int i = 0; i < 3; i++) {
        registry.resolve("r.example/x:1");
      }
      assertThat(origin.requests).hasSize(3);
    }
    try (StandIn slow = new StandIn(always(503));
        StandIn origin = new StandIn(MirrorsTest::serve);
        DistributionRegistry registry = new DistributionRegistry(options())) {
      mirrored(origin, slow.address());
      registry.resolve("r.example/x:1");
      int asked = slow.requests.size();
      registry.resolve("r.example/x:1");
      assertThat(slow.requests).as("within half a minute").hasSize(asked);
      time.sleep(Duration.ofSeconds(31));
      registry.resolve("r.example/x:1");
      assertThat(slow.requests).as("after it").hasSizeGreaterThan(asked);
    }
  }

  @Test
  void a_mirror_that_does_not_answer_is_given_up() throws Exception {
    CountDownLatch done = new CountDownLatch(1);
    StandIn.Handler silent =
        exchange -> {
          try {
            done.await(30, TimeUnit.SECONDS);
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
        };
    RegistryOptions quick = options().withTimeouts(Duration.ofSeconds(6), Duration.ofSeconds(30));
    try (StandIn mirror = new StandIn(silent);
        StandIn origin = new StandIn(MirrorsTest::serve);
        DistributionRegistry registry = new DistributionRegistry(quick)) {
      mirrored(origin, mirror.address());
      try (InputStream in = registry.fetch("r.example/x:1", LAYER, 0)) {
        assertThat(in.readAllBytes()).isEqualTo(BLOB);
      }
      assertThat(mirror.requests).hasSize(1);
      done.countDown();
    }
  }

  @Test
  void a_line_that_breaks_goes_on_at_the_next_host() throws IOException {
    StandIn.Handler breaking =
        exchange -> {
          exchange.sendResponseHeaders(200, BLOB.length);
          exchange.getResponseBody().write(BLOB, 0, 40_000);
          exchange.getResponseBody().flush();
        };
    try (StandIn mirror = new StandIn(breaking);
        StandIn origin = new StandIn(MirrorsTest::serve);
        DistributionRegistry registry = new DistributionRegistry(options())) {
      mirrored(origin, mirror.address());
      try (InputStream in = registry.fetch("r.example/x:1", LAYER, 0)) {
        assertThat(in.readAllBytes()).isEqualTo(BLOB);
      }
      assertThat(mirror.requests).hasSize(1);
      assertThat(origin.requests).hasSize(1);
    }
  }

  @Test
  void what_one_host_does_not_bring_can_be_had_of_the_next_with_credentials_of_that()
      throws IOException {
    StandIn.Handler locked =
        exchange -> {
          if (exchange.getRequestHeaders().containsKey("Authorization")) {
            serve(exchange);
          } else {
            always(401, "WWW-Authenticate", "Basic realm=\"r\"").handle(exchange);
          }
        };
    try (StandIn mirror = new StandIn(MirrorsTest::serve);
        StandIn origin = new StandIn(locked);
        DistributionRegistry registry =
            new DistributionRegistry(
                options()
                    .withCredentials(
                        host ->
                            host.equals(origin.address())
                                ? Optional.of(new Credentials("user", "hush", "the test"))
                                : Optional.empty()))) {
      mirrored(origin, mirror.address());
      byte[] rest = Arrays.copyOfRange(BLOB, 60_000, BLOB.length);
      try (InputStream in = registry.fetchElsewhere("r.example/x:1", LAYER, 60_000, 1)) {
        assertThat(in.readAllBytes()).isEqualTo(rest);
      }
      try (InputStream in =
          registry
              .fetchPartElsewhere("r.example/x:1", LAYER, 60_000, rest.length, 1)
              .orElseThrow()) {
        assertThat(in.readAllBytes()).isEqualTo(rest);
      }
      assertThat(mirror.requests).isEmpty();
      try (InputStream in = registry.fetchElsewhere("r.example/x:1", LAYER, 60_000, 2)) {
        assertThat(in.readAllBytes()).as("all around, the first again").isEqualTo(rest);
      }
      assertThat(mirror.requests).hasSize(1);
      assertThat(mirror.authorizations).containsOnly("null");
    }
  }

  @Test
  void a_mirror_that_lies_about_a_digest_is_passed_over() throws IOException {
    String other = "sha256:" + "b".repeat(64);
    try (StandIn mirror = new StandIn(MirrorsTest::serve);
        StandIn origin = new StandIn(always(404));
        DistributionRegistry registry = new DistributionRegistry(options())) {
      mirrored(origin, mirror.address());
      assertThatThrownBy(() -> registry.resolve("r.example/x@" + other))
          .isInstanceOf(NotFoundException.class)
          .hasMessageContaining(mirror.address() + " answered with " + DIGEST)
          .hasSuppressedException(
              new DataLossException(
                  "image r.example/x@%s: registry %s answered with %s"
                      .formatted(other, mirror.address(), DIGEST)));
    }
  }

  @Test
  void each_host_sees_credentials_of_its_own_name_and_errors_name_them_without_the_secret()
      throws IOException {
    StandIn.Handler basic = always(401, "WWW-Authenticate", "Basic realm=\"r\"");
    try (StandIn mirror = new StandIn(basic);
        StandIn origin = new StandIn(basic)) {
      mirrored(origin, mirror.address());
      RegistryOptions known =
          options()
              .withCredentials(
                  host ->
                      host.equals(mirror.address())
                          ? Optional.of(new Credentials("mirror", "hush-1", "the test"))
                          : Optional.empty());
      try (DistributionRegistry registry = new DistributionRegistry(known)) {
        assertThatThrownBy(() -> registry.resolve("r.example/x:1"))
            .isInstanceOf(UnauthenticatedException.class)
            .hasMessageContaining(
                "registry "
                    + mirror.address()
                    + " answered 401 to GET /v2/x/manifests/1 (as \"mirror\" of the test)")
            .hasMessageContaining(
                "registry "
                    + origin.address()
                    + " answered 401 to GET /v2/x/manifests/1 (anonymous)")
            .message()
            .doesNotContain("hush");
      }
      String proof = "Basic " + Base64.getEncoder().encodeToString("mirror:hush-1".getBytes(UTF_8));
      assertThat(mirror.authorizations).contains(proof);
      assertThat(origin.authorizations).containsOnly("null");
    }
  }

  @Test
  void configured_headers_go_to_their_host_only() throws IOException {
    try (StandIn storage = new StandIn(MirrorsTest::serve);
        StandIn mirror =
            new StandIn(always(307, "Location", "http://" + storage.address() + "/blobs/x"));
        StandIn origin = new StandIn(always(404));
        DistributionRegistry registry = new DistributionRegistry(options())) {
      hosts(
          """
          server = "http://%s"
          [host."http://%s".header]
          Authorization = "Bearer configured"
          User-Agent = "mine"
          """
              .formatted(origin.address(), mirror.address()));
      try (InputStream in = registry.fetch("r.example/x:1", LAYER, 0)) {
        assertThat(in.readAllBytes()).isEqualTo(BLOB);
      }
      assertThat(mirror.authorizations).containsExactly("Bearer configured");
      assertThat(storage.authorizations).containsExactly("null");
    }
  }

  @Test
  void a_push_goes_to_the_first_that_may_take_it_and_to_no_other() throws IOException {
    try (StandIn mirror = new StandIn(always(500));
        StandIn second = new StandIn(always(500));
        StandIn origin = new StandIn(MirrorsTest::serve);
        DistributionRegistry registry = new DistributionRegistry(options())) {
      hosts(
          """
          server = "http://%s"
          [host."http://%s"]
          capabilities = ["pull"]
          [host."http://%s"]
          capabilities = ["push"]
          """
              .formatted(origin.address(), mirror.address(), second.address()));
      assertThatThrownBy(
              () -> registry.push("r.example/x:1", LAYER, () -> new ByteArrayInputStream(BLOB)))
          .isInstanceOf(UnavailableException.class)
          .hasMessageContaining(second.address());
      assertThat(second.requests).isNotEmpty();
      assertThat(mirror.requests).isEmpty();
      assertThat(origin.requests).isEmpty();
    }
  }

  @Test
  void a_configuration_that_leaves_nobody_is_told() throws IOException {
    hosts("server = \"http://127.0.0.1:1\"\ncapabilities = [\"pull\"]");
    try (DistributionRegistry registry = new DistributionRegistry(options())) {
      assertThatThrownBy(() -> registry.resolve("r.example/x:1"))
          .isInstanceOf(NotFoundException.class)
          .hasMessage(
              "image r.example/x:1: the configuration of registry r.example leaves no host to"
                  + " resolve");
    }
  }

  @Test
  void a_path_of_the_configuration_is_used() throws IOException {
    try (StandIn mirror = new StandIn(MirrorsTest::serve);
        StandIn origin = new StandIn(MirrorsTest::serve);
        DistributionRegistry registry = new DistributionRegistry(options())) {
      hosts(
          """
          server = "http://%s"
          [host."http://%s/proxy/r"]
          override_path = true
          """
              .formatted(origin.address(), mirror.address()));
      registry.resolve("r.example/x:1");
      assertThat(mirror.requests).containsExactly("HEAD /proxy/r/x/manifests/1?ns=r.example");
    }
  }

  @Test
  void a_change_of_the_file_needs_no_new_client() throws IOException {
    try (StandIn first = new StandIn(MirrorsTest::serve);
        StandIn second = new StandIn(MirrorsTest::serve);
        DistributionRegistry registry = new DistributionRegistry(options())) {
      mirrored(first);
      registry.resolve("r.example/x:1");
      mirrored(second);
      registry.resolve("r.example/x:1");
      assertThat(first.requests).hasSize(1);
      assertThat(second.requests).hasSize(1);
    }
  }
}
