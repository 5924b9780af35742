package io.jcontainerd.testkit.tasks;

import static org.assertj.core.api.Assertions.assertThat;

import io.jcontainerd.core.events.Event;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/** What was told of tasks since it was opened, in order. Safe for many threads. */
public final class TaskEvents implements AutoCloseable {
  private static final Duration LIMIT = Duration.ofSeconds(90);

  private final List<TaskEvent> all = new ArrayList<>();
  private final TaskSubject.Listening listening;

  private TaskEvents(TaskSubject.Feed feed) throws InterruptedException {
    listening = feed.listen(this::hear);
  }

  /** Listens from now on. */
  public static TaskEvents listen(TaskSubject.Feed feed) throws InterruptedException {
    return new TaskEvents(feed);
  }

  private synchronized void hear(Event event) {
    TaskEvent.of(event).ifPresent(all::add);
    notifyAll();
  }

  /** What was told of a container so far. */
  public synchronized List<TaskEvent> of(String namespace, String containerId) {
    return all.stream()
        .filter(e -> e.namespace().equals(namespace) && e.containerId().equals(containerId))
        .toList();
  }

  /** Waits until the last of these was told of a container; what was told by then. */
  public synchronized List<TaskEvent> await(
      String namespace, String containerId, Predicate<TaskEvent> last) throws InterruptedException {
    long deadline = System.nanoTime() + LIMIT.toNanos();
    while (of(namespace, containerId).stream().noneMatch(last)) {
      long left = (deadline - System.nanoTime()) / 1_000_000;
      assertThat(left)
          .as(
              "time left for an event of %s; told so far: %s",
              containerId, of(namespace, containerId))
          .isPositive();
      wait(left);
    }
    return of(namespace, containerId);
  }

  @Override
  public void close() {
    listening.close();
  }
}
