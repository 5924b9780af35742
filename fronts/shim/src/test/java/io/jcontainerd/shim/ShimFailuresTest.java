package io.jcontainerd.shim;

import static org.assertj.core.api.Assertions.assertThat;

import io.jcontainerd.ttrpc.StatusCode;
import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import org.junit.jupiter.api.Test;

class ShimFailuresTest {
  @Test
  void a_file_that_was_closed_by_an_interrupt_is_a_cancel_and_any_other_failure_is_not() {
    assertThat(ShimFailures.status(new InterruptedException()).code())
        .isEqualTo(StatusCode.CANCELLED);
    assertThat(ShimFailures.status(new ClosedByInterruptException()).code())
        .isEqualTo(StatusCode.CANCELLED);
    assertThat(ShimFailures.status(new IOException("disk")).code()).isEqualTo(StatusCode.UNKNOWN);
  }
}
