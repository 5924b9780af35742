package io.jcontainerd.services;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;

/** What a client sees of a failure. */
final class GrpcFailures {
  private GrpcFailures() {}

  /** The call fails with this code, and with a text that ends so. */
  static void assertFails(ThrowingCallable call, Status.Code code, String ending) {
    StatusRuntimeException failure = catchThrowableOfType(StatusRuntimeException.class, call);
    assertThat(failure).as("a status").isNotNull();
    assertThat(failure.getStatus().getCode()).as("%s", failure.getMessage()).isEqualTo(code);
    assertThat(failure.getStatus().getDescription()).endsWith(ending);
  }
}
