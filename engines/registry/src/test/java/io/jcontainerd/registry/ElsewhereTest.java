package io.jcontainerd.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.PermissionDeniedException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.registry.Skipping;
import io.jcontainerd.oci.image.MediaTypes;
import io.jcontainerd.testkit.registry.Reply;
import io.jcontainerd.testkit.registry.Script;
import io.jcontainerd.testkit.registry.ScriptedRegistry;
import io.jcontainerd.testkit.registry.Seen;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Layers that a registry does not hold, and whose descriptors say where else they are. */
@Timeout(60)
class ElsewhereTest {
  private static final byte[] BLOB = random();

  private final FakeTime time = new FakeTime();
  private final ScriptedRegistry registry = new ScriptedRegistry(_ -> Reply.of(404));
  private ScriptedRegistry server = new ScriptedRegistry(ElsewhereTest::serve);

  private static byte[] random() {
    byte[] bytes = new byte[100_000];
    new Random(5).nextBytes(bytes);
    return bytes;
  }

  private static Reply serve(Seen seen) {
    Optional<String> range = seen.header("Range");
    if (range.isEmpty()) {
      return Reply.of(200).body(BLOB);
    }
    int from = Integer.parseInt(range.get().replaceAll("[^0-9]", ""));
    return Reply.of(206)
        .header("Content-Range", "bytes " + from + "-" + (BLOB.length - 1) + "/" + BLOB.length)
        .body(Arrays.copyOfRange(BLOB, from, BLOB.length));
  }

  private void server(Script script) {
    server.close();
    server = new ScriptedRegistry(script);
  }

  @AfterEach
  void close() {
    registry.close();
    server.close();
  }

  private String url() {
    return "http://" + server.address() + "/layers/one?sig=secret";
  }

  private static Descriptor layer(String... urls) {
    return new Descriptor(
        MediaTypes.DOCKER_FOREIGN_LAYER_GZIP,
        Digest.sha256(BLOB),
        BLOB.length,
        Map.of(),
        List.of(urls));
  }

  private byte[] fetch(ScriptedRegistry from, Descriptor layer, long offset) throws IOException {
    RegistryOptions options =
        RegistryOptions.defaults()
            .withTime(time)
            .withAttempts(3)
            .withHeaders(Map.of("X-Own", "only for the registry"))
            .withCredentials(_ -> Optional.of(new Credentials("me", "password")));
    try (DistributionRegistry client = new DistributionRegistry(options);
        InputStream in = client.fetch(from.address() + "/a/b:c", layer, offset)) {
      return in.readAllBytes();
    }
  }

  private byte[] fetch(String... urls) throws IOException {
    return fetch(registry, layer(urls), 0);
  }

  @Test
  void what_the_registry_does_not_have_comes_from_elsewhere() throws Exception {
    assertThat(fetch(url())).isEqualTo(BLOB);
    assertThat(server.seen()).hasSize(1);
  }

  @Test
  void nothing_of_what_the_registry_knows_of_us_is_told_elsewhere() throws Exception {
    try (ScriptedRegistry guarded =
        new ScriptedRegistry(
            seen ->
                seen.header("Authorization").isPresent()
                    ? Reply.of(404)
                    : Reply.of(401).header("WWW-Authenticate", "Basic realm=\"r\""))) {
      assertThat(fetch(guarded, layer(url()), 0)).isEqualTo(BLOB);
      assertThat(guarded.seen()).anyMatch(seen -> seen.header("X-Own").isPresent());
      assertThat(guarded.seen()).anyMatch(seen -> seen.header("Authorization").isPresent());
    }
    assertThat(server.seen())
        .singleElement()
        .satisfies(
            seen -> {
              assertThat(seen.header("Authorization")).isEmpty();
              assertThat(seen.header("X-Own")).isEmpty();
            });
  }

  @Test
  void who_asks_elsewhere_for_a_password_does_not_get_it() {
    server(_ -> Reply.of(401).header("WWW-Authenticate", "Basic realm=\"r\""));
    assertThatThrownBy(() -> fetch(url()))
        .isInstanceOf(UnavailableException.class)
        .hasMessageContaining("answered 401")
        .hasMessageNotContaining("secret");
    assertThat(server.seen()).hasSize(1);
    assertThat(server.seen()).allMatch(seen -> seen.header("Authorization").isEmpty());
  }

  @Test
  void addresses_are_tried_in_order() throws Exception {
    assertThat(
            fetch(
                "ftp://x.example/layer",
                "file:///etc/passwd",
                "/etc/passwd",
                "http://127.0.0.1:1/x",
                url()))
        .isEqualTo(BLOB);
  }

  @Test
  void when_none_has_it_all_are_told() {
    server(_ -> Reply.of(410));
    assertThatThrownBy(() -> fetch("file:///etc/passwd", url()))
        .isInstanceOf(NotFoundException.class)
        .hasMessageContaining("answered 404")
        .hasMessageContaining("file:///etc/passwd: is no address of http")
        .hasMessageContaining("/layers/one?…: answered 410");
  }

  @Test
  void who_is_down_is_asked_again_and_again_but_not_who_has_it_not() {
    server(_ -> Reply.of(404));
    assertThatThrownBy(() -> fetch("http://127.0.0.1:1/x", url()))
        .isInstanceOf(UnavailableException.class)
        .hasMessageContaining("http://127.0.0.1:1/x: ")
        .hasMessageContaining("/layers/one?…: answered 404");
    assertThat(time.sleeps).containsExactly(Exchange.backoff(1), Exchange.backoff(2));
    assertThat(server.seen()).hasSize(1);
  }

  @Test
  void what_may_pass_is_waited_for() throws Exception {
    Queue<Integer> failures = new ConcurrentLinkedQueue<>(List.of(503, 429));
    server(
        seen -> {
          Integer failure = failures.poll();
          return failure == null ? serve(seen) : Reply.of(failure);
        });
    assertThat(fetch(url())).isEqualTo(BLOB);
    assertThat(server.seen()).hasSize(3);
  }

  @Test
  void what_comes_before_the_rest_is_passed_over_while_it_is_read() throws Exception {
    server(_ -> Reply.of(200).body(BLOB));
    RegistryOptions options = RegistryOptions.defaults().withTime(time);
    try (DistributionRegistry client = new DistributionRegistry(options)) {
      for (String host : List.of(registry.address(), server.address())) {
        try (InputStream in = client.fetch(host + "/a/b:c", layer(url()), 70_000)) {
          Skipping skipping = (Skipping) in;
          assertThat(skipping.skipped()).isZero();
          assertThat(in.readAllBytes()).isEqualTo(Arrays.copyOfRange(BLOB, 70_000, BLOB.length));
          assertThat(skipping.skipped()).isEqualTo(70_000);
        }
      }
    }
  }

  @Test
  void what_the_registry_has_does_not_come_from_elsewhere() throws Exception {
    try (ScriptedRegistry full = new ScriptedRegistry(ElsewhereTest::serve)) {
      assertThat(fetch(full, layer(url()), 0)).isEqualTo(BLOB);
    }
    assertThat(server.seen()).isEmpty();
  }

  @Test
  void a_registry_that_forbids_it_is_not_gone_around() {
    try (ScriptedRegistry forbids = new ScriptedRegistry(_ -> Reply.of(403))) {
      assertThatThrownBy(() -> fetch(forbids, layer(url()), 0))
          .isInstanceOf(PermissionDeniedException.class);
    }
    assertThat(server.seen()).isEmpty();
  }

  @Test
  void the_rest_comes_as_a_part_or_out_of_the_whole() throws Exception {
    byte[] rest = Arrays.copyOfRange(BLOB, 70_000, BLOB.length);
    assertThat(fetch(registry, layer(url()), 70_000)).isEqualTo(rest);
    server(_ -> Reply.of(200).body(BLOB));
    assertThat(fetch(registry, layer(url()), 70_000)).isEqualTo(rest);
  }

  @Test
  void another_length_is_not_taken() {
    server(_ -> Reply.of(200).body(new byte[7]));
    assertThatThrownBy(() -> fetch(url()))
        .isInstanceOf(UnavailableException.class)
        .hasMessageContaining("announced 7 bytes where 100000 were to be expected");
  }

  @Test
  void a_line_that_breaks_is_taken_up_where_it_broke() throws Exception {
    server(
        new Script() {
          @Override
          public Reply reply(Seen seen) {
            return seen.header("Range").isEmpty()
                ? serve(seen).manner(Reply.Manner.RESET, 60_000)
                : serve(seen);
          }

          @Override
          public void beforeEnd(Seen seen, Reply reply) {
            LockSupport.parkNanos(
                Duration.ofSeconds(1).toNanos()); // a reset loses what is not read
          }
        });
    assertThat(fetch(url())).isEqualTo(BLOB);
    assertThat(server.seen()).hasSize(2);
  }
}
