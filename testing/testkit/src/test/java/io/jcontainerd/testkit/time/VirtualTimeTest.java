package io.jcontainerd.testkit.time;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class VirtualTimeTest {
  @Test
  void time_passes_only_when_told() throws Exception {
    var time = new VirtualTime(Instant.EPOCH);
    long before = time.nanoTime();
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<Instant> sleeper =
          threads.submit(
              () -> {
                time.sleep(Duration.ofHours(1));
                return time.now();
              });
      time.awaitSleepers(1);
      time.advance(Duration.ofMinutes(59));
      assertThat(sleeper.isDone()).isFalse();
      time.advance(Duration.ofMinutes(2));
      assertThat(sleeper.get()).isEqualTo(Instant.EPOCH.plus(Duration.ofMinutes(61)));
    }
    assertThat(time.nanoTime() - before).isEqualTo(Duration.ofMinutes(61).toNanos());
  }
}
