package io.jcontainerd.linux.descriptor;

import static org.assertj.core.api.Assertions.assertThat;

import io.jcontainerd.testkit.time.Soon;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ReactorTest {
  /** What a handler that failed is given. */
  private static final Duration REST = Duration.ofSeconds(1);

  private Reactor reactor;

  @BeforeEach
  void open() throws IOException {
    reactor = Reactor.start("reactor-test");
  }

  @AfterEach
  void close() throws IOException {
    reactor.close();
  }

  private static void put(OwnedDescriptor to, byte value) throws IOException {
    assertThat(to.write(ByteBuffer.allocateDirect(1).put(value).flip())).isEqualTo(1);
  }

  @Test
  void a_handler_that_throws_is_given_a_rest_and_the_others_go_on() throws Exception {
    try (Pipe bad = Pipe.open();
        Pipe good = Pipe.open()) {
      AtomicInteger failures = new AtomicInteger();
      BlockingQueue<Byte> seen = new LinkedBlockingQueue<>();
      CountDownLatch second = new CountDownLatch(2);
      reactor.register(
          bad.reading(),
          Reactor.READABLE,
          _ -> {
            failures.incrementAndGet();
            second.countDown();
            throw new IllegalStateException("deliberate");
          });
      reactor.register(
          good.reading(),
          Reactor.READABLE,
          _ -> {
            ByteBuffer buffer = ByteBuffer.allocateDirect(1);
            good.reading().read(buffer);
            seen.add(buffer.get(0));
          });
      long begun = System.nanoTime();
      put(bad.writing(), (byte) 1);
      put(good.writing(), (byte) 2);
      assertThat(seen.poll(60, TimeUnit.SECONDS)).isEqualTo((byte) 2);
      put(good.writing(), (byte) 3);
      assertThat(seen.poll(60, TimeUnit.SECONDS)).isEqualTo((byte) 3);
      int seenFailures = failures.get();
      long rests = (System.nanoTime() - begun) / REST.toNanos();
      assertThat(seenFailures).isBetween(1, Math.toIntExact(1 + rests));
      assertThat(second.await(60, TimeUnit.SECONDS)).isTrue(); // looked at again after its rest
    }
  }

  @Test
  void a_closed_registration_is_never_called_again_though_its_number_is_reused() throws Exception {
    for (int i = 0; i < 200; i++) {
      Pipe first = Pipe.open();
      AtomicInteger calls = new AtomicInteger();
      Reactor.Registration registration =
          reactor.register(first.reading(), Reactor.READABLE, _ -> calls.incrementAndGet());
      registration.close();
      CountDownLatch closed = new CountDownLatch(1);
      reactor.execute(closed::countDown);
      assertThat(closed.await(60, TimeUnit.SECONDS)).isTrue();
      assertThat(first.reading().isClosed()).isTrue();
      first.writing().close();
      try (Pipe second = Pipe.open()) { // gets the same numbers
        put(second.writing(), (byte) 1);
        CountDownLatch turn = new CountDownLatch(1);
        reactor.execute(turn::countDown);
        assertThat(turn.await(60, TimeUnit.SECONDS)).isTrue();
      }
      assertThat(calls.get()).isZero();
    }
    assertThat(reactor.watched()).isZero();
  }

  @Test
  void timers_run_in_the_order_of_their_times_and_tasks_before_them() throws Exception {
    BlockingQueue<String> seen = new LinkedBlockingQueue<>();
    reactor.execute( // so that none runs before all are there
        () -> {
          reactor.schedule(Duration.ofMillis(1500), () -> seen.add("late"));
          reactor.schedule(Duration.ofMillis(300), () -> seen.add("early"));
          reactor.execute(() -> seen.add("now"));
        });
    assertThat(
            List.of(
                seen.poll(60, TimeUnit.SECONDS),
                seen.poll(60, TimeUnit.SECONDS),
                seen.poll(60, TimeUnit.SECONDS)))
        .containsExactly("now", "early", "late");
  }

  @Test
  void a_task_that_throws_does_not_stop_the_next() throws Exception {
    CountDownLatch ran = new CountDownLatch(1);
    reactor.execute(
        () -> {
          throw new IllegalStateException("deliberate");
        });
    reactor.execute(ran::countDown);
    assertThat(ran.await(60, TimeUnit.SECONDS)).isTrue();
  }

  @Test
  void a_hangup_alone_can_be_waited_for() throws Exception {
    Pipe pipe = Pipe.open();
    BlockingQueue<Integer> seen = new LinkedBlockingQueue<>();
    Reactor.Registration registration = reactor.register(pipe.reading(), Reactor.HANGUP, seen::add);
    put(pipe.writing(), (byte) 1);
    turn();
    assertThat(seen).isEmpty();
    pipe.writing().close();
    Integer events = seen.poll(60, TimeUnit.SECONDS);
    assertThat(events).isNotNull();
    assertThat(events & Reactor.HANGUP).isNotZero();
    registration.close();
  }

  @Test
  void who_wants_nothing_is_not_told_of_a_hangup_until_it_wants_something() throws Exception {
    Pipe pipe = Pipe.open();
    AtomicInteger calls = new AtomicInteger();
    Reactor.Registration registration =
        reactor.register(pipe.reading(), Reactor.READABLE, _ -> calls.incrementAndGet());
    registration.interest(0);
    pipe.writing().close();
    for (int i = 0; i < 100; i++) {
      turn();
    }
    assertThat(calls.get()).isZero();
    registration.interest(Reactor.READABLE);
    Soon.until("it is told", () -> calls.get() > 0);
    registration.close();
  }

  /** Until the reactor has looked at all descriptors. */
  private void turn() throws InterruptedException {
    CountDownLatch turn = new CountDownLatch(1);
    reactor.execute(turn::countDown);
    assertThat(turn.await(60, TimeUnit.SECONDS)).isTrue();
  }
}
