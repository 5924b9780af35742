package io.jcontainerd.shim;

import static org.assertj.core.api.Assertions.assertThat;

import io.jcontainerd.testkit.time.Soon;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(180)
class RuntimeTurnsTest {
  private final AtomicLong clock = new AtomicLong();
  private final BlockingQueue<String> ran = new LinkedBlockingQueue<>();
  private final List<Thread> threads = new ArrayList<>();

  @AfterEach
  void end() throws InterruptedException {
    for (Thread thread : threads) {
      thread.interrupt();
      thread.join();
    }
  }

  /** A command that comes, and ends as soon as it had its turn. */
  private Thread arrives(RuntimeTurns turns, String command) throws InterruptedException {
    int before = turns.waiting();
    Thread thread =
        Thread.ofVirtual()
            .start(
                () -> {
                  try (RuntimeTurns.Turn _ = turns.take(command)) {
                    ran.add(command);
                  } catch (InterruptedException e) {
                    ran.add("interrupted " + command);
                  }
                });
    threads.add(thread);
    Soon.until("it waits", () -> turns.waiting() != before);
    return thread;
  }

  private List<String> next(int count) throws InterruptedException {
    var order = new ArrayList<String>();
    for (int i = 0; i < count; i++) {
      order.add(String.valueOf(ran.poll(60, TimeUnit.SECONDS)));
    }
    return order;
  }

  private void pass(Duration time) {
    clock.addAndGet(time.toNanos());
  }

  @Test
  void what_ends_soonest_goes_first() throws Exception {
    var turns = new RuntimeTurns(1, clock::get);
    try (RuntimeTurns.Turn _ = turns.take("create")) {
      for (String command : List.of("create", "exec", "delete", "start", "kill")) {
        arrives(turns, command);
      }
    }
    assertThat(next(5)).containsExactly("kill", "start", "delete", "exec", "create");
  }

  @Test
  void nobody_is_put_off_for_ever() throws Exception {
    var turns = new RuntimeTurns(1, clock::get);
    try (RuntimeTurns.Turn _ = turns.take("create")) {
      arrives(turns, "start");
      pass(Duration.ofMillis(100));
      arrives(turns, "kill");
      pass(Duration.ofMillis(200)); // a start lets others go first for 200
      arrives(turns, "pause");
    }
    assertThat(next(3)).containsExactly("kill", "start", "pause");
  }

  @Test
  void one_that_hangs_keeps_nobody_waiting() throws Exception {
    var turns = new RuntimeTurns(2, clock::get);
    RuntimeTurns.Turn first = turns.take("create");
    RuntimeTurns.Turn second = turns.take("create");
    arrives(turns, "start");
    assertThat(ran.poll(200, TimeUnit.MILLISECONDS)).isNull();
    pass(RuntimeTurns.PATIENCE);
    assertThat(next(1)).containsExactly("start");
    first.close();
    second.close();
    // which gave back no place that was not theirs
    try (RuntimeTurns.Turn _ = turns.take("create");
        RuntimeTurns.Turn _ = turns.take("create")) {
      arrives(turns, "exec");
      assertThat(ran.poll(200, TimeUnit.MILLISECONDS)).isNull();
    }
    assertThat(next(1)).containsExactly("exec");
  }

  @Test
  void one_that_is_interrupted_leaves_its_place() throws Exception {
    var turns = new RuntimeTurns(1, clock::get);
    try (RuntimeTurns.Turn _ = turns.take("create")) {
      Thread given = arrives(turns, "start");
      arrives(turns, "exec");
      given.interrupt();
      assertThat(next(1)).containsExactly("interrupted start");
      assertThat(turns.waiting()).isEqualTo(1);
    }
    assertThat(next(1)).containsExactly("exec");
  }
}
