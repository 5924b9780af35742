package io.jcontainerd.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.OutOfRangeException;
import io.jcontainerd.core.failure.UnavailableException;
import java.net.ConnectException;
import org.junit.jupiter.api.Test;

class AdviceTest {
  @Test
  void who_cannot_reach_the_daemon_is_asked_whether_it_runs() {
    var status = new IllegalStateException("status", new ConnectException("connection refused"));
    assertThat(Advice.next(new UnavailableException("io exception", status)))
        .contains("is the daemon running?");
  }

  @Test
  void an_operation_that_is_not_there_may_have_ended() {
    assertThat(Advice.next(new NotFoundException("operation k7dw-1"))).contains("jctr ops");
    assertThat(Advice.next(new OutOfRangeException("event 9: the newest is 1")))
        .contains("--from oldest");
  }

  @Test
  void a_registry_that_the_daemon_cannot_reach_is_not_the_daemon() {
    assertThat(Advice.next(new UnavailableException("registry x gave no answer"))).isEmpty();
  }
}
