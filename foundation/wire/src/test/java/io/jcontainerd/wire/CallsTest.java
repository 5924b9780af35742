package io.jcontainerd.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.grpc.Deadline;
import io.grpc.Metadata;
import io.jcontainerd.core.Call;
import io.jcontainerd.core.failure.FailedPreconditionException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class CallsTest {
  private static final Instant NOW = Instant.parse("2026-01-02T03:04:05Z");

  @Test
  void the_first_of_a_repeated_header_counts() {
    Metadata headers = new Metadata();
    headers.put(Calls.NAMESPACE, "one");
    headers.put(Calls.NAMESPACE, "two");
    headers.put(Calls.LEASE, "lease-1");
    headers.put(Calls.LEASE, "lease-2");

    Call call = Calls.fromGrpc(headers, null, NOW);

    assertThat(call.namespace()).isEqualTo("one");
    assertThat(call.lease()).contains("lease-1");
    assertThat(call.deadline()).isEmpty();
  }

  @Test
  void no_namespace_and_an_empty_one_fail_only_where_one_is_needed() {
    Metadata empty = new Metadata();
    empty.put(Calls.NAMESPACE, "");

    for (Metadata headers : List.of(new Metadata(), empty)) {
      Call call = Calls.fromGrpc(headers, null, NOW);
      assertThatThrownBy(call::namespace).isInstanceOf(FailedPreconditionException.class);
    }
  }

  @Test
  void a_grpc_deadline_becomes_a_time_of_day() {
    Call call = Calls.fromGrpc(new Metadata(), Deadline.after(10, TimeUnit.SECONDS), NOW);

    assertThat(call.deadline().orElseThrow())
        .isCloseTo(NOW.plusSeconds(10), within(2, ChronoUnit.SECONDS));
  }

  @Test
  void headers_written_are_headers_read() {
    Call call = Call.in("k8s.io").withLease("l");

    assertThat(Calls.fromGrpc(Calls.toGrpc(call), null, NOW)).isEqualTo(call);
    assertThat(Calls.toGrpc(Calls.fromGrpc(new Metadata(), null, NOW)).keys()).isEmpty();
  }
}
