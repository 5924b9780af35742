package io.jcontainerd.shim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.events.Event;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.UnknownException;
import io.jcontainerd.linux.descriptor.Reactor;
import io.jcontainerd.linux.process.Children;
import io.jcontainerd.linux.process.ExitStatus;
import io.jcontainerd.linux.process.ProcessIdentity;
import io.jcontainerd.linux.process.ProgramRunner;
import io.jcontainerd.oci.json.JsonObject;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The orders that a container keeps, without any process. */
class ContainerTest {
  private static final Stdio NONE = new Stdio("", "", "", false);
  private static final ExitStatus EXIT = new ExitStatus(3, Instant.EPOCH);

  private Reactor reactor;
  private Container container;

  @BeforeEach
  void open() throws IOException {
    reactor = Reactor.start("container-test");
    Children children = new Children(reactor, Clock.systemUTC());
    ProgramRunner runner = new ProgramRunner(reactor, children);
    RuntimeOptions options =
        new RuntimeOptions("runc", Path.of("/run/r"), false, false, false, 0, 0, "");
    container =
        new Container(
            "ns",
            "c",
            Path.of("/bundle"),
            new OciRuntime(
                runner,
                new RuntimeTurns(),
                new RuntimeCopies(runner, List.of(), ""),
                List.of(),
                options,
                "c",
                Path.of("/bundle")),
            new ContainerProcess("c", "", NONE, JsonObject.EMPTY));
  }

  @AfterEach
  void close() throws IOException {
    reactor.close();
  }

  private ContainerProcess exec(String id) {
    ContainerProcess exec = new ContainerProcess("c", id, NONE, JsonObject.EMPTY);
    container.add(exec);
    return exec;
  }

  @Test
  void an_exit_during_the_start_is_held_until_the_start_is_over() {
    ContainerProcess init = container.init();
    container.startBegins(init);
    assertThat(container.exitArrived(init, EXIT)).isFalse();
    assertThat(container.startOver(init)).contains(EXIT);
    assertThat(container.exitArrived(init, EXIT)).isTrue();
  }

  @Test
  void the_exit_of_the_first_process_waits_for_running_execs_and_no_other_may_begin() {
    ContainerProcess one = exec("one");
    ContainerProcess two = exec("two");
    ContainerProcess late = exec("late");
    container.startBegins(one);
    container.startBegins(two);
    assertThat(container.initEnds(EXIT)).isFalse();
    assertThatThrownBy(() -> container.startBegins(late))
        .isInstanceOf(FailedPreconditionException.class);
    assertThat(container.execOver()).isEmpty();
    assertThat(container.execOver()).contains(EXIT);
  }

  @Test
  void without_execs_the_exit_of_the_first_process_needs_no_waiting() {
    assertThat(container.initEnds(EXIT)).isTrue();
  }

  @Test
  void an_exec_shows_as_paused_while_the_container_is() {
    ContainerProcess exec = exec("one");
    exec.phase = Phase.RUNNING;
    container.init().phase = Phase.PAUSED;
    assertThat(container.phase(exec)).isEqualTo(Phase.PAUSED);
    assertThatThrownBy(() -> exec("two")).isInstanceOf(UnknownException.class);
    container.init().phase = Phase.RUNNING;
    assertThat(container.phase(exec)).isEqualTo(Phase.RUNNING);
  }

  @Test
  void who_waits_for_an_exec_is_released_when_it_cannot_start_or_is_deleted() {
    ContainerProcess exec = exec("one");
    CompletableFuture<ExitStatus> first = exec.exited();
    exec.startFailed(Instant.EPOCH);
    assertThat(first).isCompletedWithValue(new ExitStatus(255, Instant.EPOCH));
    CompletableFuture<ExitStatus> second = exec.exited();
    assertThat(second).isNotDone();
    exec.deleted();
    assertThat(second)
        .isCompletedExceptionally()
        .failsWithin(Duration.ZERO)
        .withThrowableThat()
        .withCauseInstanceOf(NotFoundException.class);
  }

  @Test
  void exec_ids_are_unique_and_unknown_ones_not_found() {
    exec("one");
    assertThatThrownBy(() -> exec("one")).isInstanceOf(AlreadyExistsException.class);
    assertThatThrownBy(() -> container.process("two")).isInstanceOf(NotFoundException.class);
  }

  @Test
  void a_record_is_read_back_as_it_was_written() {
    ContainerRecord record =
        new ContainerRecord(
            "ns",
            "c",
            Path.of("/bundle"),
            container.runtime().options(),
            "/bundle/checkpoint",
            true,
            true,
            false,
            Optional.of(new Event.Origin("journal", 7)),
            new ContainerRecord.ProcessRecord(
                "",
                new Stdio("/in", "/out", "", true),
                JsonObject.EMPTY,
                Phase.STOPPED,
                false,
                Optional.of(new ProcessIdentity(42, 1234567890123L)),
                Optional.of(new ExitStatus(137, Instant.parse("2026-01-02T03:04:05.678901234Z"))),
                true,
                true),
            List.of(
                new ContainerRecord.ProcessRecord(
                    "e1",
                    NONE,
                    JsonObject.EMPTY.with("cwd", "/"),
                    Phase.CREATED,
                    true,
                    Optional.empty(),
                    Optional.empty(),
                    false,
                    false)));
    assertThat(ContainerRecord.parse(record.toBytes())).isEqualTo(record);
    ContainerRecord undeleted = record.undeleted();
    assertThat(undeleted.deletion()).isEmpty();
    assertThat(ContainerRecord.parse(undeleted.toBytes())).isEqualTo(undeleted);
  }
}
