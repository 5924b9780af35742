package io.jcontainerd.client;

import io.grpc.stub.BlockingClientCall;
import io.jcontainerd.api.events.v1.EventsGrpc;
import io.jcontainerd.api.events.v1.EventsGrpc.EventsBlockingV2Stub;
import io.jcontainerd.api.events.v1.SubscribeRequest;
import io.jcontainerd.api.events.v1.SubscribeResponse;
import io.jcontainerd.core.events.Event;
import io.jcontainerd.core.events.EventRecord;
import io.jcontainerd.core.events.EventRecord.Following;
import io.jcontainerd.core.events.EventRecord.From;
import io.jcontainerd.core.events.EventRecord.Told;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.wire.EventFields;
import io.jcontainerd.wire.EventRecordMessages;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** The daemon's record of events; only jcontainerd has one. Safe for many threads. */
public final class RemoteEventRecord {
  private final EventsBlockingV2Stub stub;

  RemoteEventRecord(Connection connection) {
    this.stub = EventsGrpc.newBlockingV2Stub(connection.channel());
  }

  /**
   * Follows the record, see {@link EventRecord#follow}. That there never was an event of the number
   * to begin after is told by the first {@code next}.
   *
   * @param filters in containerd's filter language, of which one must match
   * @param namespaces whose events are wanted; none means all
   */
  public Following follow(From from, List<String> filters, List<String> namespaces) {
    SubscribeRequest request = EventRecordMessages.toApi(from, filters, namespaces);
    return new RemoteFollowing(stub.subscribe(request));
  }

  /** What an event says, in one line for people; empty for one of a type that is not known. */
  public static String words(Event event) {
    return EventFields.words(event);
  }

  private record RemoteFollowing(BlockingClientCall<?, SubscribeResponse> call)
      implements Following {
    @Override
    public Optional<Told> next(Duration timeout) throws InterruptedException {
      return Connection.sendInterruptibly(
          () -> {
            try {
              @Nullable SubscribeResponse response =
                  call.read(timeout.toNanos(), TimeUnit.NANOSECONDS);
              if (response == null) {
                throw new UnavailableException("events: the daemon ended the subscription");
              }
              return EventRecordMessages.toCore(response);
            } catch (TimeoutException _) {
              return Optional.empty();
            }
          });
    }

    @Override
    public void close() {
      call.cancel("the subscription was closed", null);
    }
  }
}
