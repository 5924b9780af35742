package io.jcontainerd.selfcheck;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.failure.CancelledException;
import io.jcontainerd.core.failure.DeadlineExceededException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.ports.Time;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class JoinedTest {
  private static final Duration LONG = Duration.ofHours(1);

  private final CountDownLatch begun = new CountDownLatch(1);
  private final CountDownLatch release = new CountDownLatch(1);
  private final AtomicInteger done = new AtomicInteger();

  private static Joined<String, Integer> joined(Duration longest) {
    return new Joined<>("test", Time.SYSTEM, longest);
  }

  private Integer work() throws InterruptedException {
    begun.countDown();
    release.await();
    return done.incrementAndGet();
  }

  private FutureTask<Integer> other(Joined<String, Integer> joined) throws InterruptedException {
    var task = new FutureTask<>(() -> joined.run("key", this::work));
    Thread.ofVirtual().start(task);
    begun.await();
    return task;
  }

  private static Call hurried() {
    return new Call(Optional.empty(), Optional.empty(), Optional.of(Instant.now().plusMillis(20)));
  }

  @Test
  void whoever_has_no_time_leaves_and_the_work_goes_on() throws Exception {
    try (var joined = joined(LONG)) {
      var patient = other(joined);
      assertThatThrownBy(() -> hurried().call(() -> joined.run("key", this::work)))
          .isInstanceOf(DeadlineExceededException.class)
          .hasMessageContaining("still being healed");
      release.countDown();
      assertThat(patient.get()).isEqualTo(1);
      assertThat(joined.run("key", this::work)).as("nothing to join any more").isEqualTo(2);
    }
  }

  @Test
  void work_that_takes_too_long_is_interrupted() throws Exception {
    var interrupted = new CountDownLatch(1);
    try (var joined = joined(Duration.ofMillis(20))) {
      assertThatThrownBy(
              () ->
                  joined.run(
                      "key",
                      () -> {
                        try {
                          return work();
                        } catch (InterruptedException e) {
                          interrupted.countDown();
                          throw e;
                        }
                      }))
          .isInstanceOf(DeadlineExceededException.class);
      interrupted.await();
    }
    assertThat(done).hasValue(0);
  }

  @Test
  void closing_interrupts_and_lets_nothing_begin() throws Exception {
    var joined = joined(LONG);
    var other = other(joined);
    joined.close();
    joined.close();
    assertThatThrownBy(other::get)
        .isInstanceOf(ExecutionException.class)
        .cause()
        .isInstanceOf(CancelledException.class);
    assertThatThrownBy(() -> joined.run("key", this::work))
        .isInstanceOf(UnavailableException.class);
    assertThat(done).hasValue(0);
  }

  @Test
  void whoever_knows_how_it_ended_and_tries_again_does() throws Exception {
    try (var joined = joined(LONG)) {
      release.countDown();
      for (int i = 1; i <= 1000; i++) {
        assertThat(joined.run("key", this::work)).isEqualTo(i);
      }
    }
  }

  @Test
  void a_failure_is_that_of_all_who_wait() throws Exception {
    try (var joined = joined(LONG)) {
      assertThatThrownBy(
              () ->
                  joined.run(
                      "key",
                      () -> {
                        throw new UnavailableException("no registry");
                      }))
          .isInstanceOf(UnavailableException.class)
          .hasMessage("no registry");
    }
  }
}
