package io.jcontainerd.e2e;

import io.jcontainerd.client.Containerd;
import io.jcontainerd.client.EventSubscription;
import io.jcontainerd.core.Call;
import io.jcontainerd.core.TypedValue;
import io.jcontainerd.core.containers.Container;
import io.jcontainerd.core.events.Event;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.testkit.tasks.TaskSubject;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** One subscription to a daemon's events, for many ears, one after another. */
final class TaskEventFeed implements TaskSubject.Feed, AutoCloseable {
  private static final String MARK = "/containers/delete";

  private final Set<Consumer<Event>> ears = ConcurrentHashMap.newKeySet();
  private final CountDownLatch begun = new CountDownLatch(1);
  private final AtomicReference<@Nullable Exception> end = new AtomicReference<>();
  private final EventSubscription subscription;

  private TaskEventFeed(Containerd daemon) {
    subscription =
        daemon.events().subscribe(List.of("topic~=|^/tasks/|", "topic~=|^/containers/|"));
    Thread.ofPlatform().daemon().name("events").start(this::read);
  }

  /** Subscribes, and waits until it hears an event of its own: then nothing is missed. */
  static TaskEventFeed open(Containerd daemon) throws InterruptedException {
    TaskEventFeed feed = new TaskEventFeed(daemon);
    for (int i = 0; !feed.begun.await(20, TimeUnit.MILLISECONDS); i++) {
      if (i == 3000) {
        throw new AssertionError("no event is heard", feed.end.get());
      }
      Call.in("contract").run(() -> tell(daemon));
    }
    return feed;
  }

  /** Makes a record and removes it. */
  private static void tell(Containerd daemon) {
    daemon
        .containers()
        .create(
            new Container(
                "begins",
                Map.of(),
                "",
                new Container.Runtime("io.containerd.runc.v2", Optional.empty()),
                Optional.of(new TypedValue("some.Spec", new byte[] {1})),
                "",
                "",
                Map.of(),
                "",
                Instant.EPOCH,
                Instant.EPOCH));
    daemon.containers().delete("begins");
  }

  private void read() {
    try {
      while (true) {
        Optional<Event> next = subscription.next(Duration.ofMinutes(1));
        if (next.isPresent() && next.get().topic().equals(MARK)) {
          begun.countDown();
        } else if (next.isPresent()) {
          ears.forEach(ear -> ear.accept(next.get()));
        }
      }
    } catch (ContainerdException | InterruptedException e) {
      end.set(e); // closed, or the daemon has ended, which the tests notice by themselves
    }
  }

  @Override
  public TaskSubject.Listening listen(Consumer<Event> ear) {
    ears.add(ear);
    return () -> ears.remove(ear);
  }

  @Override
  public void close() {
    subscription.close();
  }
}
