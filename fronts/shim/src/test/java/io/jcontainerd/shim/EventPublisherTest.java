package io.jcontainerd.shim;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Empty;
import io.jcontainerd.api.events.TaskStart;
import io.jcontainerd.api.services.ttrpc.events.v1.ForwardRequest;
import io.jcontainerd.ttrpc.StatusCode;
import io.jcontainerd.ttrpc.TtrpcException;
import io.jcontainerd.ttrpc.TtrpcServer;
import io.jcontainerd.ttrpc.TtrpcService;
import io.jcontainerd.ttrpc.UnixSockets;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class EventPublisherTest {
  @TempDir Path folder;

  /** Answers of the daemon that come before the first good one. */
  private final Queue<StatusCode> refusals = new ConcurrentLinkedQueue<>();

  private final Queue<String> taken = new ConcurrentLinkedQueue<>();

  private Empty forward(ForwardRequest request) {
    StatusCode refusal = refusals.poll();
    if (refusal != null) {
      throw new TtrpcException(refusal, "deliberate");
    }
    taken.add(request.getEnvelope().getTopic());
    return Empty.getDefaultInstance();
  }

  private void publish() throws Exception {
    Path socket = folder.resolve("daemon");
    try (TtrpcServer server =
            new TtrpcServer(
                List.of(
                    TtrpcService.named("containerd.services.events.ttrpc.v1.Events")
                        .unary("Forward", ForwardRequest.parser(), (r, _) -> forward(r))
                        .build()));
        EventPublisher publisher =
            EventPublisher.start(EventJournal.open(folder), socket, Clock.systemUTC())) {
      server.listen(UnixSockets.listen(socket));
      assertThat(publisher.publish("ns", "/one", TaskStart.getDefaultInstance())).isTrue();
      assertThat(publisher.publish("ns", "/two", TaskStart.getDefaultInstance())).isTrue();
      assertThat(publisher.flush(Duration.ofSeconds(50))).isTrue();
    }
  }

  @Test
  void trouble_of_the_daemon_loses_no_event() throws Exception {
    Set<StatusCode> trouble =
        EnumSet.of(
            StatusCode.UNKNOWN,
            StatusCode.INTERNAL,
            StatusCode.DATA_LOSS,
            StatusCode.UNAVAILABLE,
            StatusCode.RESOURCE_EXHAUSTED);
    refusals.addAll(trouble);
    publish();
    assertThat(taken).containsExactly("/one", "/two");
  }

  @Test
  void an_event_that_is_refused_for_its_content_does_not_keep_the_next_one_back() throws Exception {
    refusals.add(StatusCode.INVALID_ARGUMENT);
    publish();
    assertThat(taken).containsExactly("/two");
  }
}
