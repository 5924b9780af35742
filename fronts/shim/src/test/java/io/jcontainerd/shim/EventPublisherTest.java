package io.jcontainerd.shim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.Empty;
import io.jcontainerd.api.events.TaskStart;
import io.jcontainerd.api.services.ttrpc.events.v1.ForwardRequest;
import io.jcontainerd.testkit.time.Soon;
import io.jcontainerd.ttrpc.CallContext;
import io.jcontainerd.ttrpc.StatusCode;
import io.jcontainerd.ttrpc.TtrpcException;
import io.jcontainerd.ttrpc.TtrpcServer;
import io.jcontainerd.ttrpc.TtrpcService;
import io.jcontainerd.ttrpc.UnixSockets;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class EventPublisherTest {
  @TempDir Path folder;

  /** Answers of the daemon that come before the first good one. */
  private final Queue<StatusCode> refusals = new ConcurrentLinkedQueue<>();

  private final Queue<String> taken = new ConcurrentLinkedQueue<>();

  private final List<String> origins = new CopyOnWriteArrayList<>();

  private Empty forward(ForwardRequest request, CallContext context) {
    origins.add(context.metadata().first("jcontainerd-event-origin").orElse("none"));
    StatusCode refusal = refusals.poll();
    if (refusal != null) {
      throw new TtrpcException(refusal, "deliberate");
    }
    taken.add(request.getEnvelope().getTopic());
    return Empty.getDefaultInstance();
  }

  private void publish() throws Exception {
    Path socket = folder.resolve("daemon");
    Files.deleteIfExists(socket);
    try (TtrpcServer server =
            new TtrpcServer(
                List.of(
                    TtrpcService.named("containerd.services.events.ttrpc.v1.Events")
                        .unary("Forward", ForwardRequest.parser(), this::forward)
                        .build()));
        EventPublisher publisher =
            EventPublisher.start(EventJournal.open(folder), socket, Clock.systemUTC())) {
      server.listen(UnixSockets.listen(socket));
      assertThat(publisher.publish("ns", "/one", TaskStart.getDefaultInstance())).isTrue();
      assertThat(publisher.publish("ns", "/two", TaskStart.getDefaultInstance())).isTrue();
      assertThat(publisher.flush(Duration.ofSeconds(100))).isTrue();
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
  void an_event_that_is_told_again_says_that_it_is_the_same() throws Exception {
    refusals.add(StatusCode.UNAVAILABLE);
    publish();
    publish(); // by the next host on the same folder
    String teller = origins.getFirst().replaceFirst("/1$", "");
    assertThat(origins)
        .containsExactly(teller + "/1", teller + "/1", teller + "/2", teller + "/3", teller + "/4");
  }

  @Test
  void a_sender_whose_disk_hangs_is_not_waited_for() throws Exception {
    EventJournal journal = EventJournal.open(folder);
    EventPublisher publisher =
        EventPublisher.start(
            journal, folder.resolve("daemon"), Clock.systemUTC(), Duration.ofMillis(50));
    Soon.until("it waits for an event", () -> publisher.sending() == Thread.State.WAITING);
    synchronized (journal) { // as one who reads or writes its file does
      assertThatThrownBy(publisher::close)
          .isInstanceOf(IOException.class)
          .hasMessageContaining("the sender does not end within 50 ms");
    }
    assertThat(publisher.publish("ns", "/one", TaskStart.getDefaultInstance()))
        .as("the journal is open")
        .isTrue();
    Soon.until("the sender ends", () -> publisher.sending() == Thread.State.TERMINATED);
    publisher.close();
  }

  @Test
  void an_event_that_is_refused_for_its_content_does_not_keep_the_next_one_back() throws Exception {
    refusals.add(StatusCode.INVALID_ARGUMENT);
    publish();
    assertThat(taken).containsExactly("/two");
  }
}
