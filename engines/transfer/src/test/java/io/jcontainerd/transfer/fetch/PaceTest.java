package io.jcontainerd.transfer.fetch;

import static org.assertj.core.api.Assertions.assertThat;

import io.jcontainerd.transfer.fetch.Pace.Advice;
import org.junit.jupiter.api.Test;

/** How many connections are worth their while. */
class PaceTest {
  private static final long WINDOW = 1000;
  private static final long MEGA = 1 << 20;

  private final Pace pace = new Pace(WINDOW, 0);
  private long now;
  private long received;

  /** One window in which so much came, and the taker waited for so much of it. */
  private Advice window(long bytes, double waiting) {
    now += WINDOW;
    received += bytes;
    pace.waited((long) (WINDOW * waiting));
    return pace.look(received, now);
  }

  @Test
  void who_does_not_wait_needs_no_company() {
    for (int i = 0; i < 5; i++) {
      assertThat(window(10 * MEGA, 0.1)).isEqualTo(Advice.STAY);
    }
  }

  @Test
  void connections_are_doubled_while_that_brings_more() {
    assertThat(window(10 * MEGA, 0.9)).isEqualTo(Advice.MORE);
    assertThat(window(1 * MEGA, 0.9)).as("while they begin").isEqualTo(Advice.STAY);
    assertThat(window(20 * MEGA, 0.9)).isEqualTo(Advice.MORE);
    assertThat(window(1 * MEGA, 0.9)).as("while they begin").isEqualTo(Advice.STAY);
    assertThat(window(40 * MEGA, 0.1)).as("nobody waits any more").isEqualTo(Advice.STAY);
  }

  @Test
  void what_brought_nothing_is_taken_back_for_good() {
    assertThat(window(10 * MEGA, 0.9)).isEqualTo(Advice.MORE);
    assertThat(window(1 * MEGA, 0.9)).isEqualTo(Advice.STAY);
    assertThat(window(11 * MEGA, 0.9)).isEqualTo(Advice.FEWER);
    assertThat(window(10 * MEGA, 0.9)).isEqualTo(Advice.STAY);
    assertThat(window(10 * MEGA, 0.9)).isEqualTo(Advice.STAY);
  }

  @Test
  void a_moment_is_too_short_to_tell() {
    pace.waited(WINDOW);
    assertThat(pace.look(10 * MEGA, WINDOW / 2)).isEqualTo(Advice.STAY);
    assertThat(pace.look(10 * MEGA + 1, WINDOW)).isEqualTo(Advice.MORE);
  }
}
