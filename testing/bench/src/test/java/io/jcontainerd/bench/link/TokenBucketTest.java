package io.jcontainerd.bench.link;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class TokenBucketTest {
  private static final long SECOND = 1_000_000_000;

  @Test
  void aBurstGoesAtOnceAndTheRestWaits() {
    var bucket = new TokenBucket(1000, 100);
    assertThat(bucket.take(100, 0)).isZero();
    assertThat(bucket.take(50, 0)).isEqualTo(SECOND / 20);
    assertThat(bucket.take(50, 0)).isEqualTo(SECOND / 10);
  }

  @Test
  void waitingPaysAndRestingSavesNoMoreThanABurst() {
    var bucket = new TokenBucket(1000, 100);
    assertThat(bucket.take(1100, 5 * SECOND)).isEqualTo(SECOND);
    assertThat(bucket.take(100, 6 * SECOND)).isEqualTo(SECOND / 10);
    assertThat(bucket.take(100, 60 * SECOND)).isZero();
    assertThat(bucket.take(100, 60 * SECOND)).isEqualTo(SECOND / 10);
  }

  @Test
  void manyTakersKeepToTheRateTogether() {
    var bucket = new TokenBucket(125_000_000, 1000);
    long now = -7 * SECOND; // clocks may be negative
    long wait = 0;
    for (int i = 0; i < 1000; i++) {
      wait = bucket.take(65_536, now);
    }
    assertThat(wait / 1e9).isBetween(0.524, 0.525);
  }
}
