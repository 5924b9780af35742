package io.jcontainerd.registry;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpExchange;
import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.oci.image.Descriptors;
import io.jcontainerd.oci.image.MediaTypes;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Bodies that come byte by byte, a second each: never silent, and never done. */
@Timeout(120)
class DripTest {
  private static final byte[] TEN_MINUTES = " ".repeat(600).getBytes(UTF_8);

  /** What nobody waits for, however late it is read. */
  private static final byte[] HOURS = " ".repeat(20_000).getBytes(UTF_8);

  private static final String LATE = "not all of it came within 120000 ms";

  private final Clock time = new Clock();

  private DistributionRegistry client() {
    return new DistributionRegistry(RegistryOptions.defaults().withTime(time).withAttempts(1));
  }

  private void drip(HttpExchange exchange, int status, byte[] bytes) throws IOException {
    exchange.sendResponseHeaders(status, bytes.length);
    OutputStream body = exchange.getResponseBody();
    for (byte one : bytes) {
      body.write(one);
      body.flush();
      try {
        Thread.sleep(2); // for the reader to come along
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IOException(e);
      }
      time.sleep(Duration.ofSeconds(1));
    }
  }

  @Test
  void a_manifest_is_not_waited_for_without_end() {
    StandIn.Handler handler =
        exchange -> {
          if (exchange.getRequestMethod().equals("HEAD")) {
            StandIn.answer(exchange, 405, new byte[0]);
          } else {
            drip(exchange, 200, HOURS);
          }
        };
    try (StandIn server = new StandIn(handler);
        DistributionRegistry registry = client()) {
      assertThatThrownBy(() -> registry.resolve(server.address() + "/a:1"))
          .isInstanceOf(UnavailableException.class)
          .hasMessageContaining(LATE);
    }
  }

  @Test
  void a_token_is_not_waited_for_without_end() {
    try (StandIn tokens = new StandIn(exchange -> drip(exchange, 200, HOURS));
        StandIn server =
            new StandIn(
                exchange -> {
                  exchange
                      .getResponseHeaders()
                      .set("WWW-Authenticate", "Bearer realm=\"http://" + tokens.address() + "/\"");
                  StandIn.answer(exchange, 401, new byte[0]);
                });
        DistributionRegistry registry = client()) {
      assertThatThrownBy(() -> registry.resolve(server.address() + "/a:1"))
          .isInstanceOf(UnavailableException.class)
          .hasMessageContaining(LATE);
    }
  }

  @Test
  void an_explanation_is_not_waited_for_without_end() {
    Descriptor blob = Descriptors.of(MediaTypes.LAYER, TEN_MINUTES);
    try (StandIn server = new StandIn(exchange -> drip(exchange, 400, HOURS));
        DistributionRegistry registry = client()) {
      assertThatThrownBy(() -> registry.fetch(server.address() + "/a:1", blob, 0))
          .isInstanceOf(InvalidArgumentException.class)
          .hasMessageContaining("the explanation could not be read: " + LATE);
    }
  }

  @Test
  void a_blob_may_take_its_time() throws IOException {
    Descriptor blob = Descriptors.of(MediaTypes.LAYER, TEN_MINUTES);
    try (StandIn server = new StandIn(exchange -> drip(exchange, 200, TEN_MINUTES));
        DistributionRegistry registry = client();
        InputStream in = registry.fetch(server.address() + "/a:1", blob, 0)) {
      assertThat(in.readAllBytes()).isEqualTo(TEN_MINUTES);
    }
    assertThat(time.nanoTime()).isGreaterThan(Duration.ofMinutes(9).toNanos());
  }

  /** A clock that goes when it is told to. */
  private static final class Clock implements Time {
    private final AtomicLong nanos = new AtomicLong();

    @Override
    public Instant now() {
      return Instant.EPOCH.plusNanos(nanos.get());
    }

    @Override
    public long nanoTime() {
      return nanos.get();
    }

    @Override
    public void sleep(Duration duration) {
      nanos.addAndGet(duration.toNanos());
    }
  }
}
