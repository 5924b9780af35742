package io.jcontainerd.linux.memory;

import static org.assertj.core.api.Assertions.assertThat;

import io.jcontainerd.linux.ErrnoException;
import io.jcontainerd.testkit.time.VirtualTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(180)
class IdleTrimTest {
  private final List<String> given = new ArrayList<>();
  private long used;
  private long cost;

  private final IdleTrim trim =
      new IdleTrim(
          new VirtualTime(),
          () -> used,
          () -> {
            given.add("first");
            used += cost;
          });

  /** Periods in each of which so much was used. */
  private void periods(int count, int millis) throws ErrnoException {
    for (int i = 0; i < count; i++) {
      used += Duration.ofMillis(millis).toNanos();
      trim.round();
    }
  }

  @Test
  void memory_is_given_back_once_when_work_is_over() throws ErrnoException {
    periods(1, 4000);
    periods(1, 10);
    assertThat(given).as("after one calm period").isEmpty();
    periods(1, 10);
    assertThat(given).as("after two").containsExactly("first");
    periods(40, 0);
    assertThat(given).as("later").containsExactly("first");
  }

  @Test
  void new_work_is_worth_it_again() throws ErrnoException {
    periods(1, 4000);
    periods(2, 10);
    periods(1, 200);
    periods(11, 10);
    assertThat(given).as("less than is worth it").containsExactly("first");
    periods(1, 400);
    periods(3, 10);
    assertThat(given).containsExactly("first", "first");
  }

  @Test
  void nothing_is_given_back_under_load() throws ErrnoException {
    for (int i = 0; i < 100; i++) {
      periods(1, 200);
      periods(1, 50);
    }
    assertThat(given).isEmpty();
  }

  @Test
  void a_little_work_is_not_worth_it() throws ErrnoException {
    periods(1, 400);
    periods(4, 10);
    assertThat(given).isEmpty();
  }

  @Test
  void little_by_little_it_becomes_worth_it() throws ErrnoException {
    periods(250, 20);
    assertThat(given).filteredOn("first"::equals).hasSize(10);
  }

  @Test
  void what_giving_back_costs_is_no_work() throws ErrnoException {
    cost = Duration.ofSeconds(3).toNanos();
    periods(1, 4000);
    periods(20, 0);
    assertThat(given).containsExactly("first");
  }

  @Test
  void one_that_fails_does_not_end_the_looking() throws ErrnoException {
    var work = new long[1];
    var failing =
        new IdleTrim(
            new VirtualTime(),
            () -> work[0],
            () -> {
              given.add("tried");
              throw new IllegalStateException("closed");
            });
    for (int i = 0; i < 2; i++) {
      work[0] += Duration.ofSeconds(1).toNanos();
      for (int j = 0; j < 3; j++) {
        failing.round();
      }
    }
    assertThat(given).containsExactly("tried", "tried");
  }

  @Test
  void it_looks_every_two_seconds_until_it_is_closed() throws InterruptedException {
    var time = new VirtualTime();
    var looks = new LinkedBlockingQueue<Long>();
    var looking =
        new IdleTrim(
            time,
            () -> {
              looks.add(time.nanoTime());
              return 0;
            },
            () -> {});
    Thread thread = looking.begin();
    for (int i = 1; i <= 3; i++) {
      time.awaitSleepers(1);
      time.advance(Duration.ofMillis(1999));
      assertThat(looks).isEmpty();
      time.advance(Duration.ofMillis(1));
      assertThat(looks.poll(60, TimeUnit.SECONDS)).isEqualTo(i * 2_000_000_000L);
    }
    looking.close();
    assertThat(thread.join(Duration.ofSeconds(60))).isTrue();
    assertThat(looks).isEmpty();
  }

  @Test
  void this_process_knows_what_it_used() throws ErrnoException {
    long before = ProcessorTime.OF_THIS_PROCESS.nanos();
    assertThat(before).isPositive();
    long begun = System.nanoTime();
    long after = before;
    while (after - before < 10_000_000) {
      assertThat(System.nanoTime() - begun).isLessThan(Duration.ofSeconds(30).toNanos());
      after = ProcessorTime.OF_THIS_PROCESS.nanos();
    }
  }
}
