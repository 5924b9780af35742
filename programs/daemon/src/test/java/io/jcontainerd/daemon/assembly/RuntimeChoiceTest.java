package io.jcontainerd.daemon.assembly;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.runtime.OciRuntimes;
import io.jcontainerd.testkit.time.Soon;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(180)
class RuntimeChoiceTest {
  private static final Path CRUN = Path.of("/usr/bin/crun");

  @Test
  void the_proven_one_is_chosen() {
    try (var choice = RuntimeChoice.begin(() -> new OciRuntimes(Optional.of(CRUN), List.of()))) {
      assertThat(choice.chosen()).contains(CRUN);
      assertThat(choice.known()).contains(CRUN);
    }
  }

  @Test
  void without_any_that_works_the_reason_of_each_is_told() {
    var attempts =
        List.of(
            new OciRuntimes.Attempt("crun", Optional.empty(), "not installed"),
            new OciRuntimes.Attempt("runc", Optional.empty(), "cgroups are odd"));
    try (var choice = RuntimeChoice.begin(() -> new OciRuntimes(Optional.empty(), attempts))) {
      assertThatThrownBy(choice::chosen)
          .isInstanceOf(FailedPreconditionException.class)
          .hasMessage(
              "no OCI runtime works on this host, install crun or runc:"
                  + " crun: not installed; runc: cgroups are odd");
    }
  }

  @Test
  void one_that_is_installed_later_is_found() {
    var none =
        new OciRuntimes(
            Optional.empty(),
            List.of(new OciRuntimes.Attempt("crun", Optional.empty(), "not installed")));
    var installed = new AtomicBoolean();
    try (var choice =
        RuntimeChoice.begin(
            () -> installed.get() ? new OciRuntimes(Optional.of(CRUN), List.of()) : none,
            Duration.ZERO)) {
      assertThatThrownBy(choice::chosen).isInstanceOf(FailedPreconditionException.class);
      installed.set(true);
      assertThat(choice.chosen()).contains(CRUN);
    }
  }

  @Test
  void that_none_works_holds_for_a_while() {
    var tried = new AtomicInteger();
    try (var choice =
        RuntimeChoice.begin(
            () -> {
              tried.incrementAndGet();
              return new OciRuntimes(Optional.empty(), List.of());
            },
            Duration.ofHours(1))) {
      assertThatThrownBy(choice::chosen).isInstanceOf(FailedPreconditionException.class);
      assertThatThrownBy(choice::chosen).isInstanceOf(FailedPreconditionException.class);
      assertThat(tried).hasValue(1);
    }
  }

  @Test
  void a_proof_that_dies_of_an_error_is_not_waited_for() {
    try (var choice =
        RuntimeChoice.begin(
            () -> {
              throw new NoClassDefFoundError("gone");
            })) {
      assertThatThrownBy(choice::chosen)
          .isInstanceOf(UnavailableException.class)
          .hasMessageContaining("gone");
    }
  }

  @Test
  void closing_waits_until_the_proof_has_taken_its_container_away() throws Exception {
    var created = new CountDownLatch(1);
    var mayDelete = new CountDownLatch(1);
    var deleted = new AtomicBoolean();
    var choice =
        RuntimeChoice.begin(
            () -> {
              created.countDown();
              mayDelete.await();
              deleted.set(true);
              return new OciRuntimes(Optional.of(CRUN), List.of());
            });
    assertThat(created.await(60, TimeUnit.SECONDS)).isTrue();
    var deletedAtEnd = new AtomicBoolean();
    Thread closing =
        Thread.ofPlatform()
            .start(
                () -> {
                  choice.close();
                  deletedAtEnd.set(deleted.get());
                });
    Soon.until("it waits", () -> closing.getState() == Thread.State.TIMED_WAITING);
    mayDelete.countDown();
    closing.join();
    assertThat(deletedAtEnd).isTrue();
  }
}
