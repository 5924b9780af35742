package io.jcontainerd.cli;

import static org.assertj.core.api.Assertions.assertThat;

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
  void a_registry_that_the_daemon_cannot_reach_is_not_the_daemon() {
    assertThat(Advice.next(new UnavailableException("registry x gave no answer"))).isEmpty();
  }
}
