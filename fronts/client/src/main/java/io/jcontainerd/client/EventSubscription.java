package io.jcontainerd.client;

import io.grpc.stub.BlockingClientCall;
import io.jcontainerd.api.types.Envelope;
import io.jcontainerd.core.events.Event;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.wire.Events;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** A view of the daemon's events in their order. For one reader; any thread may close it. */
public final class EventSubscription implements AutoCloseable {
  private final BlockingClientCall<?, Envelope> call;

  EventSubscription(BlockingClientCall<?, Envelope> call) {
    this.call = call;
  }

  /**
   * The next event; empty if none came in time.
   *
   * @throws UnavailableException when the daemon ended the subscription
   * @throws io.jcontainerd.core.failure.CancelledException when it was closed here
   */
  public Optional<Event> next(Duration timeout) throws InterruptedException {
    return Connection.sendInterruptibly(
        () -> {
          try {
            @Nullable Envelope envelope = call.read(timeout.toNanos(), TimeUnit.NANOSECONDS);
            if (envelope == null) {
              throw new UnavailableException("events: the daemon ended the subscription");
            }
            return Optional.of(Events.toCore(envelope));
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
