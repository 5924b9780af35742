package io.jcontainerd.transfer.flow;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.failure.CancelledException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Work that several may want at the same time: it is done once, on a thread of its own, in the call
 * of whoever came first. Who comes later gets the same result. It goes on for as long as somebody
 * wants it; when the last one leaves it is interrupted. Safe for many threads.
 *
 * @param <K> names the work
 * @param <P> what is told on the way
 */
public final class Flights<K, P> {
  private final Map<K, Flight> flights = new HashMap<>();

  /** What is done; tells how it goes. */
  @FunctionalInterface
  public interface Work<P> {
    /** Does it. Anything thrown is what everybody gets. */
    void run(Consumer<P> tell) throws InterruptedException;
  }

  /**
   * Wants the work, which begins if it is not under way.
   *
   * @param listener hears how it goes from now on
   * @param work made at once if the work begins with this, and then done
   * @return to be closed when nobody is interested any more
   */
  public Seat join(K key, Consumer<P> listener, Supplier<Work<P>> work) {
    synchronized (flights) {
      Flight flight = flights.get(key);
      boolean first = flight == null;
      if (flight == null) {
        flight = new Flight(key);
        flights.put(key, flight);
      }
      Seat seat = new Seat(flight, listener, first);
      flight.seats.add(seat);
      if (first) {
        flight.begin(work.get());
      }
      return seat;
    }
  }

  /** How many pieces of work are under way. */
  public int size() {
    synchronized (flights) {
      return flights.size();
    }
  }

  private final class Flight {
    private final K key;
    private final List<Seat> seats = new CopyOnWriteArrayList<>();
    private final CountDownLatch landed = new CountDownLatch(1);
    private @Nullable Thread thread;
    private volatile @Nullable Throwable failure;

    Flight(K key) {
      this.key = key;
    }

    void begin(Work<P> work) {
      Call call = Call.current();
      thread = Thread.ofVirtual().name("transfer " + key).start(() -> call.run(() -> fly(work)));
    }

    private void fly(Work<P> work) {
      try {
        work.run(word -> seats.forEach(seat -> seat.listener.accept(word)));
      } catch (InterruptedException | RuntimeException | Error e) {
        failure = e;
      } finally {
        synchronized (flights) {
          flights.remove(key, this);
        }
        landed.countDown();
      }
    }

    /** One less wants it; the last one makes an end of it, and waits for that. */
    private void leave(Seat seat) {
      synchronized (flights) {
        Thread flying = thread;
        seats.remove(seat);
        if (!seats.isEmpty() || landed.getCount() == 0 || flying == null) {
          return;
        }
        flights.remove(key, this); // whoever comes now begins anew
        flying.interrupt();
      }
      boolean interrupted = false;
      while (landed.getCount() > 0) {
        try {
          landed.await();
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /** Somebody's interest in a piece of work. */
  public final class Seat implements AutoCloseable {
    private final Flight flight;
    private final Consumer<P> listener;
    private final boolean first;

    private Seat(Flight flight, Consumer<P> listener, boolean first) {
      this.flight = flight;
      this.listener = listener;
      this.first = first;
    }

    /** Whether the work began with this. */
    public boolean isFirst() {
      return first;
    }

    /** Waits for the end of the work, and fails as it did. */
    public void await() throws InterruptedException {
      flight.landed.await();
      switch (flight.failure) {
        case null -> {}
        case RuntimeException known -> throw known;
        case Error error -> throw error;
        case InterruptedException e ->
            throw new CancelledException("what others waited for too was interrupted", e);
        case Throwable other -> throw new IllegalStateException(other);
      }
    }

    /** Leaves. Harmless when repeated. */
    @Override
    public void close() {
      flight.leave(this);
    }
  }
}
