package io.jcontainerd.metadata;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.Call;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class SideBySideTest {
  private static final List<Integer> MANY = IntStream.range(0, 500).boxed().toList();

  @Test
  void each_is_done_once() {
    Set<Integer> seen = ConcurrentHashMap.newKeySet();
    SideBySide.each(MANY, number -> assertThat(seen.add(number)).isTrue());
    assertThat(seen).containsExactlyInAnyOrderElementsOf(MANY);
  }

  @Test
  void several_are_under_way_at_a_time() {
    CountDownLatch two = new CountDownLatch(2);
    AtomicInteger together = new AtomicInteger();
    SideBySide.each(
        MANY,
        _ -> {
          two.countDown();
          try {
            if (two.await(60, TimeUnit.SECONDS)) {
              together.incrementAndGet();
            }
          } catch (InterruptedException e) {
            throw new AssertionError(e);
          }
        });
    assertThat(together).hasValue(500);
  }

  @Test
  void one_is_done_by_the_caller() {
    Set<Thread> workers = ConcurrentHashMap.newKeySet();
    SideBySide.each(List.of(1), _ -> workers.add(Thread.currentThread()));
    assertThat(workers).containsExactly(Thread.currentThread());
  }

  @Test
  void each_is_done_in_the_namespace_of_the_caller() {
    Set<String> namespaces = ConcurrentHashMap.newKeySet();
    Call.in("a-b")
        .run(() -> SideBySide.each(MANY, _ -> namespaces.add(Call.current().namespace())));
    assertThat(namespaces).containsExactly("a-b");
  }

  @Test
  void a_failure_is_thrown_when_nobody_is_at_work_any_more() {
    Set<Thread> workers = ConcurrentHashMap.newKeySet();
    assertThatThrownBy(
            () ->
                SideBySide.each(
                    MANY,
                    number -> {
                      workers.add(Thread.currentThread());
                      if (number == 100) {
                        throw new IllegalStateException("number 100");
                      }
                    }))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("number 100");
    assertThat(workers).isNotEmpty().noneMatch(Thread::isAlive);
  }

  @Test
  void an_interrupt_is_kept_and_all_is_done() {
    AtomicInteger done = new AtomicInteger();
    Thread.currentThread().interrupt();
    SideBySide.each(MANY, _ -> done.incrementAndGet());
    assertThat(Thread.interrupted()).isTrue();
    assertThat(done).hasValue(500);
  }

  @Test
  void nobody_is_left_at_work_when_there_are_no_more_threads() {
    CountDownLatch noMore = new CountDownLatch(1);
    List<Thread> started = new ArrayList<>();
    AtomicInteger done = new AtomicInteger();
    ThreadFactory two =
        work -> {
          if (started.size() == 2) {
            noMore.countDown();
            throw new OutOfMemoryError("unable to create native thread");
          }
          Thread thread = Thread.ofPlatform().daemon(true).unstarted(work);
          started.add(thread);
          return thread;
        };
    assertThatThrownBy(
            () ->
                SideBySide.each(
                    MANY,
                    _ -> {
                      try {
                        noMore.await();
                        Thread.sleep(50); // longer than whoever starts them needs to tell
                      } catch (InterruptedException e) {
                        throw new AssertionError(e);
                      }
                      done.incrementAndGet();
                    },
                    two))
        .isInstanceOf(OutOfMemoryError.class);
    assertThat(started).hasSize(2).noneMatch(Thread::isAlive);
    assertThat(done.get()).as("what had not begun").isLessThan(MANY.size());
  }
}
