package io.jcontainerd.registry;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpExchange;
import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.failure.CancelledException;
import io.jcontainerd.core.failure.DataLossException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.PermissionDeniedException;
import io.jcontainerd.core.failure.UnauthenticatedException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.oci.image.MediaTypes;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class DistributionRegistryTest {
  private static final byte[] MANIFEST =
      "{\"schemaVersion\":2,\"config\":{\"digest\":\"sha256:%s\",\"size\":1},\"layers\":[]}"
          .formatted("a".repeat(64))
          .getBytes(UTF_8);
  private static final Digest DIGEST = Digest.sha256(MANIFEST);

  private final FakeTime time = new FakeTime();

  private DistributionRegistry client() {
    return new DistributionRegistry(RegistryOptions.defaults().withTime(time));
  }

  private DistributionRegistry client(Credentials credentials) {
    return new DistributionRegistry(
        RegistryOptions.defaults().withTime(time).withCredentials(_ -> Optional.of(credentials)));
  }

  private static void manifest(HttpExchange exchange) throws IOException {
    exchange.getResponseHeaders().set("Content-Type", MediaTypes.MANIFEST + "; charset=utf-8");
    exchange.getResponseHeaders().set("Docker-Content-Digest", DIGEST.toString());
    StandIn.answer(exchange, 200, MANIFEST);
  }

  @Test
  void a_tag_is_resolved_by_its_headers_alone() {
    try (StandIn server = new StandIn(DistributionRegistryTest::manifest);
        DistributionRegistry registry = client()) {
      assertThat(registry.resolve(server.address() + "/a/b:c"))
          .isEqualTo(new Descriptor(MediaTypes.MANIFEST, DIGEST, MANIFEST.length));
      assertThat(server.requests).containsExactly("HEAD /v2/a/b/manifests/c");
    }
  }

  @Test
  void a_server_that_refuses_head_is_asked_for_the_whole() {
    StandIn.Handler handler =
        exchange -> {
          if (exchange.getRequestMethod().equals("HEAD")) {
            StandIn.answer(exchange, 405, new byte[0]);
          } else {
            exchange.getResponseHeaders().set("Content-Type", "application/json");
            StandIn.answer(exchange, 200, MANIFEST);
          }
        };
    try (StandIn server = new StandIn(handler);
        DistributionRegistry registry = client()) {
      assertThat(registry.resolve(server.address() + "/a"))
          .isEqualTo(new Descriptor(MediaTypes.MANIFEST, DIGEST, MANIFEST.length));
      assertThat(server.requests)
          .containsExactly("HEAD /v2/a/manifests/latest", "GET /v2/a/manifests/latest");
    }
  }

  @Test
  void another_digest_than_the_asked_one_is_an_alarm() {
    try (StandIn server = new StandIn(DistributionRegistryTest::manifest);
        DistributionRegistry registry = client()) {
      assertThatThrownBy(() -> registry.resolve(server.address() + "/a@sha256:" + "b".repeat(64)))
          .isInstanceOf(DataLossException.class);
    }
  }

  @Test
  void a_refusal_names_image_host_status_and_reason() {
    StandIn.Handler handler =
        exchange ->
            StandIn.answer(
                exchange,
                exchange.getRequestURI().getPath().contains("secret") ? 403 : 404,
                "{\"errors\":[{\"code\":\"MANIFEST_UNKNOWN\",\"message\":\"no such thing\"}]}"
                    .getBytes(UTF_8));
    try (StandIn server = new StandIn(handler);
        DistributionRegistry registry = client()) {
      assertThatThrownBy(() -> registry.resolve(server.address() + "/a:b"))
          .isInstanceOf(NotFoundException.class)
          .hasMessage(
              "image %1$s/a:b: registry %1$s answered 404 to GET /v2/a/manifests/b (anonymous):"
                      .formatted(server.address())
                  + " MANIFEST_UNKNOWN, no such thing");
      assertThatThrownBy(() -> registry.resolve(server.address() + "/secret:b"))
          .isInstanceOf(PermissionDeniedException.class);
    }
  }

  @Test
  void a_server_that_is_not_there_is_named() {
    String address;
    try (StandIn server = new StandIn(DistributionRegistryTest::manifest)) {
      address = server.address();
    }
    try (DistributionRegistry registry = client()) {
      assertThatThrownBy(() -> registry.resolve(address + "/a:b"))
          .isInstanceOf(UnavailableException.class)
          .hasMessageContaining("image " + address + "/a:b: registry " + address);
      assertThat(time.sleeps).hasSize(4);
    }
  }

  @Test
  void a_busy_server_is_asked_again_when_it_says() {
    AtomicInteger calls = new AtomicInteger();
    StandIn.Handler handler =
        exchange -> {
          switch (calls.incrementAndGet()) {
            case 1 -> {
              exchange.getResponseHeaders().set("Retry-After", "7");
              StandIn.answer(exchange, 429, new byte[0]);
            }
            case 2 -> {
              exchange.getResponseHeaders().set("Retry-After", "Thu, 01 Jan 2026 00:00:10 GMT");
              StandIn.answer(exchange, 503, new byte[0]);
            }
            case 3 -> StandIn.answer(exchange, 502, new byte[0]);
            default -> manifest(exchange);
          }
        };
    try (StandIn server = new StandIn(handler);
        DistributionRegistry registry = client()) {
      assertThat(registry.resolve(server.address() + "/a").digest()).isEqualTo(DIGEST);
      assertThat(time.sleeps)
          .containsExactly(Duration.ofSeconds(7), Duration.ofSeconds(3), Duration.ofMillis(800));
    }
  }

  @Test
  void a_server_that_wants_us_to_wait_for_an_hour_is_not_waited_for() {
    StandIn.Handler handler =
        exchange -> {
          exchange.getResponseHeaders().set("Retry-After", "3600");
          StandIn.answer(exchange, 503, new byte[0]);
        };
    try (StandIn server = new StandIn(handler);
        DistributionRegistry registry = client()) {
      assertThatThrownBy(() -> registry.resolve(server.address() + "/a"))
          .isInstanceOf(UnavailableException.class)
          .hasMessageContaining("503");
      assertThat(time.sleeps).isEmpty();
    }
  }

  @Test
  void a_broken_download_goes_on_where_it_broke() throws IOException {
    byte[] blob = random(300_000);
    AtomicInteger calls = new AtomicInteger();
    StandIn.Handler handler =
        exchange -> {
          String range = exchange.getRequestHeaders().getFirst("Range");
          int from = range == null ? 0 : Integer.parseInt(range.substring(6, range.length() - 1));
          if (range != null) {
            exchange
                .getResponseHeaders()
                .set(
                    "Content-Range",
                    "bytes %d-%d/%d".formatted(from, blob.length - 1, blob.length));
          }
          exchange.sendResponseHeaders(range == null ? 200 : 206, blob.length - from);
          int until = calls.incrementAndGet() < 4 ? from + 80_000 : blob.length;
          exchange.getResponseBody().write(blob, from, until - from);
          exchange.getResponseBody().flush();
        };
    try (StandIn server = new StandIn(handler);
        DistributionRegistry registry = client();
        InputStream in = registry.fetch(server.address() + "/a", layer(blob), 0)) {
      assertThat(in.readAllBytes()).isEqualTo(blob);
      assertThat(calls).hasValue(4);
    }
  }

  @Test
  void a_server_without_ranges_is_read_from_the_start_again() throws IOException {
    byte[] blob = random(10_000);
    try (StandIn server = new StandIn(e -> StandIn.answer(e, 200, blob));
        DistributionRegistry registry = client();
        InputStream in = registry.fetch(server.address() + "/a", layer(blob), 4_000)) {
      assertThat(in.readAllBytes()).isEqualTo(Arrays.copyOfRange(blob, 4_000, 10_000));
    }
  }

  @Test
  void the_end_of_a_blob_needs_no_request() throws IOException {
    byte[] blob = random(10);
    try (StandIn server = new StandIn(e -> StandIn.answer(e, 500, blob));
        DistributionRegistry registry = client();
        InputStream in = registry.fetch(server.address() + "/a", layer(blob), 10)) {
      assertThat(in.read()).isEqualTo(-1);
      assertThat(server.requests).isEmpty();
    }
  }

  @Test
  void more_or_fewer_bytes_than_announced_fail() throws IOException {
    byte[] blob = random(1_000);
    StandIn.Handler always =
        exchange -> {
          exchange.sendResponseHeaders(200, 0);
          exchange.getResponseBody().write(blob);
        };
    try (StandIn server = new StandIn(always);
        DistributionRegistry registry = client()) {
      Descriptor shorter = new Descriptor(MediaTypes.LAYER, Digest.sha256(blob), 999);
      Descriptor longer = new Descriptor(MediaTypes.LAYER, Digest.sha256(blob), 1_001);
      try (InputStream in = registry.fetch(server.address() + "/a", shorter, 0)) {
        assertThatThrownBy(in::readAllBytes)
            .isInstanceOf(IOException.class)
            .hasMessageContaining("more than the announced 999");
      }
      try (InputStream in = registry.fetch(server.address() + "/a", longer, 0)) {
        assertThatThrownBy(in::readAllBytes)
            .isInstanceOf(IOException.class)
            .hasMessageContaining("only 1000 of 1001");
      }
    }
  }

  @Test
  void a_body_that_stalls_is_given_up() throws Exception {
    CountDownLatch done = new CountDownLatch(1);
    StandIn.Handler handler =
        exchange -> {
          exchange.sendResponseHeaders(200, 100);
          exchange.getResponseBody().write(1);
          exchange.getResponseBody().flush();
          try {
            done.await(30, TimeUnit.SECONDS);
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
        };
    RegistryOptions quick =
        RegistryOptions.defaults()
            .withTime(time)
            .withTimeouts(Duration.ofSeconds(20), Duration.ofMillis(500));
    try (StandIn server = new StandIn(handler);
        DistributionRegistry registry = new DistributionRegistry(quick);
        InputStream in =
            registry.fetch(
                server.address() + "/a", new Descriptor(MediaTypes.LAYER, DIGEST, 100), 0)) {
      assertThatThrownBy(in::readAllBytes)
          .isInstanceOf(IOException.class)
          .hasMessageStartingWith("content " + DIGEST + " of image " + server.address() + "/a: ")
          .hasMessageContaining("only 1 of 100 bytes came; registry " + server.address() + ": ")
          .hasMessageContaining("no bytes for 500 ms");
      assertThat(server.requests).hasSize(5);
      done.countDown();
    }
  }

  @Test
  void waiting_for_an_answer_ends_by_interruption() throws Exception {
    CountDownLatch asked = new CountDownLatch(1);
    CountDownLatch done = new CountDownLatch(1);
    StandIn.Handler handler =
        exchange -> {
          asked.countDown();
          try {
            done.await(30, TimeUnit.SECONDS);
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
          StandIn.answer(exchange, 200, new byte[0]);
        };
    List<Throwable> failures = new CopyOnWriteArrayList<>();
    try (StandIn server = new StandIn(handler);
        DistributionRegistry registry = client()) {
      Thread thread =
          Thread.ofVirtual()
              .start(
                  () -> {
                    try {
                      registry.resolve(server.address() + "/a");
                    } catch (RuntimeException e) {
                      failures.add(e);
                    }
                  });
      asked.await();
      thread.interrupt();
      thread.join();
      done.countDown();
      assertThat(failures).singleElement().isInstanceOf(CancelledException.class);
    }
  }

  @Test
  void basic_credentials_are_sent_when_asked_for_and_then_at_once() {
    String proof = "Basic " + Base64.getEncoder().encodeToString("me:pass".getBytes(UTF_8));
    StandIn.Handler handler =
        exchange -> {
          if (proof.equals(exchange.getRequestHeaders().getFirst("Authorization"))) {
            manifest(exchange);
          } else {
            exchange.getResponseHeaders().set("WWW-Authenticate", "Basic realm=\"r\"");
            StandIn.answer(exchange, 401, new byte[0]);
          }
        };
    try (StandIn server = new StandIn(handler);
        DistributionRegistry registry = client(new Credentials("me", "pass"))) {
      registry.resolve(server.address() + "/a");
      registry.resolve(server.address() + "/a");
      assertThat(server.authorizations).containsExactly("null", proof, proof);
    }
    try (StandIn server = new StandIn(handler);
        DistributionRegistry registry = client(new Credentials("me", "wrong"))) {
      assertThatThrownBy(() -> registry.resolve(server.address() + "/a"))
          .isInstanceOf(UnauthenticatedException.class);
    }
  }

  @Test
  void a_token_is_fetched_with_its_scope_and_renewed_when_it_expires() {
    AtomicInteger tokens = new AtomicInteger();
    try (StandIn auth =
            new StandIn(
                exchange ->
                    StandIn.answer(
                        exchange,
                        200,
                        "{\"token\":\"t%d\",\"expires_in\":300}"
                            .formatted(tokens.incrementAndGet())
                            .getBytes(UTF_8)));
        StandIn server =
            new StandIn(
                exchange -> {
                  String proof = exchange.getRequestHeaders().getFirst("Authorization");
                  if (("Bearer t" + tokens.get()).equals(proof)) {
                    manifest(exchange);
                    return;
                  }
                  exchange
                      .getResponseHeaders()
                      .set(
                          "WWW-Authenticate",
                          "Bearer realm=\"http://%s/token?x=1\",service=\"the registry\",scope=\"repository:a/b:pull\",error=\"invalid_token\""
                              .formatted(auth.address()));
                  StandIn.answer(exchange, 401, new byte[0]);
                });
        DistributionRegistry registry = client(new Credentials("me", "pass"))) {
      registry.resolve(server.address() + "/a/b");
      registry.resolve(server.address() + "/a/b");
      assertThat(auth.requests)
          .containsExactly("GET /token?x=1&service=the+registry&scope=repository%3Aa%2Fb%3Apull");
      assertThat(auth.authorizations.getFirst()).startsWith("Basic ");
      time.sleep(Duration.ofSeconds(291));
      registry.resolve(server.address() + "/a/b");
      assertThat(auth.requests).hasSize(2);
      assertThat(server.authorizations)
          .containsExactly("null", "Bearer t1", "Bearer t1", "null", "Bearer t2");
    }
  }

  @Test
  void an_identity_token_is_exchanged() {
    List<String> forms = new CopyOnWriteArrayList<>();
    try (StandIn auth =
            new StandIn(
                exchange -> {
                  forms.add(new String(exchange.getRequestBody().readAllBytes(), UTF_8));
                  StandIn.answer(exchange, 200, "{\"access_token\":\"t\"}".getBytes(UTF_8));
                });
        StandIn server =
            new StandIn(
                exchange -> {
                  if ("Bearer t".equals(exchange.getRequestHeaders().getFirst("Authorization"))) {
                    manifest(exchange);
                    return;
                  }
                  exchange
                      .getResponseHeaders()
                      .set(
                          "WWW-Authenticate",
                          "Bearer realm=\"http://%s/t\",service=s".formatted(auth.address()));
                  StandIn.answer(exchange, 401, new byte[0]);
                });
        DistributionRegistry registry = client(new Credentials("", "refresh"))) {
      registry.resolve(server.address() + "/a");
      assertThat(auth.requests).containsExactly("POST /t");
      assertThat(forms.getFirst())
          .contains("grant_type=refresh_token", "refresh_token=refresh", "service=s");
    }
  }

  @Test
  void a_token_server_that_refuses_is_named() {
    try (StandIn auth = new StandIn(e -> StandIn.answer(e, 401, new byte[0]));
        StandIn server =
            new StandIn(
                exchange -> {
                  exchange
                      .getResponseHeaders()
                      .set("WWW-Authenticate", "Bearer realm=\"http://" + auth.address() + "/t\"");
                  StandIn.answer(exchange, 401, new byte[0]);
                });
        DistributionRegistry registry = client()) {
      assertThatThrownBy(() -> registry.resolve(server.address() + "/a"))
          .isInstanceOf(UnauthenticatedException.class)
          .hasMessageContaining("token server " + auth.address())
          .hasMessageContaining("no credentials are known");
    }
  }

  @Test
  void a_token_server_without_tls_elsewhere_is_refused() {
    StandIn.Handler handler =
        exchange -> {
          exchange
              .getResponseHeaders()
              .set("WWW-Authenticate", "Bearer realm=\"ftp://tokens.example/t\"");
          StandIn.answer(exchange, 401, new byte[0]);
        };
    try (StandIn server = new StandIn(handler);
        DistributionRegistry registry = client(new Credentials("me", "pass"))) {
      assertThatThrownBy(() -> registry.resolve(server.address() + "/a"))
          .isInstanceOf(UnavailableException.class)
          .hasMessageContaining("is no https address");
    }
  }

  @Test
  void a_redirect_to_another_host_takes_no_credentials_along() throws IOException {
    byte[] blob = random(100);
    try (StandIn store = new StandIn(e -> StandIn.answer(e, 200, blob));
        StandIn server =
            new StandIn(
                exchange -> {
                  if (exchange.getRequestHeaders().getFirst("Authorization") == null) {
                    exchange.getResponseHeaders().set("WWW-Authenticate", "Basic realm=\"r\"");
                    StandIn.answer(exchange, 401, new byte[0]);
                    return;
                  }
                  exchange
                      .getResponseHeaders()
                      .set("Location", "http://" + store.address() + "/blob?signature=s");
                  StandIn.answer(exchange, 307, new byte[0]);
                });
        DistributionRegistry registry = client(new Credentials("me", "pass"));
        InputStream in = registry.fetch(server.address() + "/a", layer(blob), 0)) {
      assertThat(in.readAllBytes()).isEqualTo(blob);
      assertThat(store.authorizations).containsExactly("null");
      assertThat(store.requests).containsExactly("GET /blob?signature=s");
    }
  }

  @Test
  void redirects_in_circles_end() {
    StandIn.Handler handler =
        exchange -> {
          exchange.getResponseHeaders().set("Location", "/again");
          StandIn.answer(exchange, 302, new byte[0]);
        };
    try (StandIn server = new StandIn(handler);
        DistributionRegistry registry = client()) {
      assertThatThrownBy(() -> registry.resolve(server.address() + "/a"))
          .isInstanceOf(UnavailableException.class)
          .hasMessageContaining("more than 10 redirects");
    }
  }

  @Test
  void a_lost_upload_is_begun_again_twice_and_cancelled() {
    byte[] blob = random(1_000);
    StandIn.Handler handler =
        exchange -> {
          switch (exchange.getRequestMethod()) {
            case "HEAD" -> StandIn.answer(exchange, 404, new byte[0]);
            case "POST" -> {
              exchange.getResponseHeaders().set("Location", "/v2/a/blobs/uploads/u?state=x");
              StandIn.answer(exchange, 202, new byte[0]);
            }
            case "PUT" -> {
              exchange.getRequestBody().readAllBytes();
              StandIn.answer(exchange, 404, new byte[0]);
            }
            default -> StandIn.answer(exchange, 204, new byte[0]);
          }
        };
    try (StandIn server = new StandIn(handler);
        DistributionRegistry registry = client()) {
      assertThatThrownBy(
              () ->
                  registry.push(
                      server.address() + "/a", layer(blob), () -> new ByteArrayInputStream(blob)))
          .isInstanceOf(UnavailableException.class)
          .hasMessageContaining("lost an upload");
      String put = "PUT /v2/a/blobs/uploads/u?state=x&digest=" + Digest.sha256(blob);
      String cancel = "DELETE /v2/a/blobs/uploads/u?state=x";
      assertThat(server.requests.stream().filter(r -> r.startsWith("PUT") || r.startsWith("D")))
          .containsExactly(put, cancel, put, cancel, put, cancel);
    }
  }

  @Test
  void a_blob_of_another_repository_is_mounted() {
    StandIn.Handler handler =
        exchange ->
            StandIn.answer(
                exchange, exchange.getRequestMethod().equals("POST") ? 201 : 404, new byte[0]);
    byte[] blob = random(10);
    try (StandIn server = new StandIn(handler);
        DistributionRegistry registry = client()) {
      Descriptor known =
          new Descriptor(
              MediaTypes.LAYER,
              Digest.sha256(blob),
              10,
              Map.of("containerd.io/distribution.source." + server.address(), "a,other/b"));
      boolean sent =
          registry.push(
              server.address() + "/a",
              known,
              () -> {
                throw new IOException("not to be read");
              });
      assertThat(sent).isFalse();
      assertThat(server.requests.getLast())
          .isEqualTo("POST /v2/a/blobs/uploads/?mount=" + known.digest() + "&from=other/b");
    }
  }

  @Test
  void tags_come_in_pages() {
    StandIn.Handler handler =
        exchange -> {
          if (exchange.getRequestURI().getQuery().contains("last")) {
            StandIn.answer(exchange, 200, "{\"name\":\"a\",\"tags\":[\"1\"]}".getBytes(UTF_8));
          } else {
            exchange
                .getResponseHeaders()
                .set("Link", "</v2/a/tags/list?n=1000&last=3>; rel=\"next\"");
            StandIn.answer(exchange, 200, "{\"tags\":[\"2\",\"3\"]}".getBytes(UTF_8));
          }
        };
    try (StandIn server = new StandIn(handler);
        DistributionRegistry registry = client()) {
      assertThat(registry.tags(server.address() + "/a")).containsExactly("1", "2", "3");
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"</v2/a; rel=\"next\"", "<ftp://x/y>; rel=\"next\"", "<a b>; rel=\"next\""})
  void a_next_page_without_a_usable_address_is_a_failure_of_the_registry(String link) {
    StandIn.Handler handler =
        exchange -> {
          exchange.getResponseHeaders().set("Link", link);
          StandIn.answer(exchange, 200, "{\"tags\":[\"2\"]}".getBytes(UTF_8));
        };
    try (StandIn server = new StandIn(handler);
        DistributionRegistry registry = client()) {
      assertThatThrownBy(() -> registry.tags(server.address() + "/a"))
          .isInstanceOf(UnavailableException.class)
          .hasMessageContaining(server.address());
    }
  }

  @Test
  void an_upload_to_an_unusable_address_is_a_failure_of_the_registry() {
    StandIn.Handler handler =
        exchange -> {
          exchange.getResponseHeaders().set("Location", "ftp://elsewhere/x");
          StandIn.answer(
              exchange, exchange.getRequestMethod().equals("POST") ? 202 : 404, new byte[0]);
        };
    byte[] blob = random(10);
    try (StandIn server = new StandIn(handler);
        DistributionRegistry registry = client()) {
      assertThatThrownBy(
              () ->
                  registry.push(
                      server.address() + "/a",
                      layer(blob),
                      () -> {
                        throw new IOException("not to be read");
                      }))
          .isInstanceOf(UnavailableException.class)
          .hasMessageContaining("ftp://elsewhere/x");
    }
  }

  @Test
  void an_odd_name_of_another_repository_is_escaped() {
    StandIn.Handler handler =
        exchange ->
            StandIn.answer(
                exchange, exchange.getRequestMethod().equals("POST") ? 201 : 404, new byte[0]);
    byte[] blob = random(10);
    try (StandIn server = new StandIn(handler);
        DistributionRegistry registry = client()) {
      Descriptor known =
          new Descriptor(
              MediaTypes.LAYER,
              Digest.sha256(blob),
              10,
              Map.of("containerd.io/distribution.source." + server.address(), "other/b c&d"));
      registry.push(
          server.address() + "/a",
          known,
          () -> {
            throw new IOException("not to be read");
          });
      assertThat(server.requests.getLast()).endsWith("&from=other/b+c%26d");
    }
  }

  private static Descriptor layer(byte[] blob) {
    return new Descriptor(MediaTypes.LAYER, Digest.sha256(blob), blob.length);
  }

  private static byte[] random(int length) {
    byte[] bytes = new byte[length];
    new Random(7).nextBytes(bytes);
    return bytes;
  }
}
