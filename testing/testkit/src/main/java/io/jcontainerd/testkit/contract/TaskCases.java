package io.jcontainerd.testkit.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.jcontainerd.core.tasks.Stdio;
import io.jcontainerd.testkit.tasks.BusyboxRoot;
import io.jcontainerd.testkit.tasks.Streams;
import io.jcontainerd.testkit.tasks.TaskDriver;
import io.jcontainerd.testkit.tasks.TaskEvent;
import io.jcontainerd.testkit.tasks.TaskEvents;
import io.jcontainerd.testkit.tasks.TaskSubject;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/**
 * What all contracts about tasks begin with: a driver for a namespace of their own, and what was
 * told. {@link TaskContract} joins the contracts.
 */
@ExtendWith(ContractReport.class)
@Timeout(900)
public abstract class TaskCases {
  static final Stdio NONE = Stdio.NONE;
  static final int KILL = TaskDriver.KILL;
  static final int TERM = TaskDriver.TERM;

  /** How often a race is run: property {@code races}, 20 unless told otherwise. */
  static final int RACES = Integer.getInteger("races", 20);

  private static final AtomicInteger NAMESPACES = new AtomicInteger();

  @TempDir Path folder;

  private final String namespace =
      "tasks-" + ProcessHandle.current().pid() + "-" + NAMESPACES.incrementAndGet();

  TaskSubject subject;
  TaskDriver driver;
  TaskEvents events;
  private boolean opened;
  private final List<Streams> streams = new ArrayList<>();

  TaskCases() {}

  /** Who is held to it. */
  protected abstract TaskSubject subject();

  /** The root of all containers. */
  protected abstract BusyboxRoot root();

  String namespace() {
    return namespace;
  }

  @BeforeEach
  final void open() throws Exception {
    subject = subject();
    driver = new TaskDriver(subject, namespace(), root());
    events = TaskEvents.listen(subject.events());
    opened = true;
  }

  @AfterEach
  final void close() throws Exception {
    if (!opened) { // what is not applicable was not begun
      return;
    }
    try (TaskEvents _ = events) {
      driver.close();
      assertThat(driver.list()).as("tasks that are left").isEmpty();
    } finally {
      for (Streams each : streams) {
        each.close();
      }
    }
  }

  Streams output() throws IOException, InterruptedException {
    return keep(Streams.output(folder, TaskDriver.freshId("s")));
  }

  Streams all() throws IOException, InterruptedException {
    return keep(Streams.all(folder, TaskDriver.freshId("s")));
  }

  Streams terminal() throws IOException, InterruptedException {
    return keep(Streams.terminal(folder, TaskDriver.freshId("s")));
  }

  private Streams keep(Streams made) {
    streams.add(made);
    return made;
  }

  /** What was told of a container, up to the first event that is the last one asked for. */
  List<TaskEvent> told(TaskDriver.Box box, Predicate<TaskEvent> last) throws InterruptedException {
    return events.await(driver.namespace(), box.id(), last);
  }

  static Predicate<TaskEvent> kind(String kind) {
    return e -> e.kind().equals(kind);
  }

  static List<String> kinds(List<TaskEvent> told) {
    return told.stream().map(TaskEvent::kind).toList();
  }

  static void until(String what, BooleanSupplier condition) throws InterruptedException {
    long deadline = System.nanoTime() + Duration.ofSeconds(90).toNanos();
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime()).as(what).isLessThan(deadline);
      Thread.sleep(5);
    }
  }

  static boolean isAlive(int pid) {
    return ProcessHandle.of(pid).filter(ProcessHandle::isAlive).isPresent();
  }
}
