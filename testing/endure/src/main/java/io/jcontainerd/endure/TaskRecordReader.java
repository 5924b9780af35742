package io.jcontainerd.endure;

import io.jcontainerd.client.Containerd;
import io.jcontainerd.core.events.Event;
import io.jcontainerd.core.events.EventRecord.Following;
import io.jcontainerd.core.events.EventRecord.From;
import io.jcontainerd.core.events.EventRecord.Told;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.testkit.tasks.TaskEvent;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Reads a daemon's numbered record of events from its first to its last into a {@link TaskBook}.
 * When the daemon dies it goes on after the last number that it has seen; a number that is missing
 * or comes twice is a problem. Closing it ends its thread.
 */
final class TaskRecordReader implements AutoCloseable {
  private static final Duration LISTEN = Duration.ofSeconds(1);
  private static final Duration PAUSE = Duration.ofMillis(50);

  private final Containerd client;
  private final String namespace;
  private final TaskBook book;
  private final Problems problems;
  private final Thread thread;
  private volatile boolean closed;
  private volatile long last;
  private final AtomicInteger interruptions = new AtomicInteger();

  private TaskRecordReader(Containerd client, String namespace, TaskBook book, Problems problems) {
    this.client = client;
    this.namespace = namespace;
    this.book = book;
    this.problems = problems;
    this.thread = Thread.ofPlatform().daemon().name("record").unstarted(this::read);
  }

  /**
   * Begins with the first event of a new daemon.
   *
   * @param namespace of the tasks that the book is about
   */
  static TaskRecordReader start(
      Containerd client, String namespace, TaskBook book, Problems problems) {
    TaskRecordReader reader = new TaskRecordReader(client, namespace, book, problems);
    reader.thread.start();
    return reader;
  }

  /** The number of the last event that it has seen. */
  long last() {
    return last;
  }

  /** How often its subscription ended. */
  int interruptions() {
    return interruptions.get();
  }

  private void read() {
    try {
      while (!closed) {
        try (Following following =
            client.eventRecord().follow(new From.After(last), List.of(), List.of())) {
          while (!closed) {
            Optional<Told> next = following.next(LISTEN);
            next.ifPresent(this::take);
          }
        } catch (ContainerdException e) {
          if (!closed) {
            interruptions.incrementAndGet();
            Thread.sleep(PAUSE);
          }
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (RuntimeException e) {
      problems.add("record: its reader ended: " + e);
    }
  }

  private void take(Told told) {
    switch (told) {
      case Told.Begun begun -> follows(begun.after() + 1);
      case Told.Happened happened -> {
        Event.Numbered event = happened.event();
        follows(event.number());
        last = event.number();
        if (event.event().namespace().equals(namespace)) {
          TaskEvent.of(event.event()).ifPresent(book::told);
        }
      }
      case Told.Gap gap -> problems.add("record: no longer kept: " + gap);
      case Told.Position position -> follows(position.after() + 1);
    }
  }

  /** Nothing is filtered out, so each number is the next one. */
  private void follows(long number) {
    problems.unless(number == last + 1, "record: number " + number + " comes after " + last);
  }

  @Override
  public void close() {
    closed = true;
    thread.interrupt();
  }
}
