package io.jcontainerd.transfer.flow;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.failure.CancelledException;
import io.jcontainerd.core.failure.ResourceExhaustedException;
import io.jcontainerd.core.ports.NoSpaceException;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Work that several may want at the same time: it is done once, on a thread of its own, in the call
 * of whoever came first. Who comes later gets the same result. It goes on for as long as somebody
 * wants it; when the last one leaves it is interrupted, and its end is awaited for a while. What
 * fails, fails those who began it: the others want it anew, and in the end for themselves alone.
 * Safe for many threads.
 *
 * @param <K> names the work
 * @param <P> what is told on the way
 */
public final class Flights<K, P> {
  /** Failures of others after which somebody does it alone. */
  private static final int MOST_OF_OTHERS = 2;

  /** Longer than work takes to end that is not held up, as by a disk that hangs. */
  private static final Duration LANDING = Duration.ofSeconds(30);

  private static final System.Logger LOG = System.getLogger(Flights.class.getName());

  /** Work that is for everybody, or for one owner alone. */
  private record Name<K>(K key, @Nullable Object owner) {}

  private final Map<Name<K>, Flight> flights = new HashMap<>();
  private final Duration landing;

  /** None is under way. */
  public Flights() {
    this(LANDING);
  }

  /**
   * @param landing how long the last one who leaves waits for the end
   */
  Flights(Duration landing) {
    this.landing = landing;
  }

  /** What is done; tells how it goes. */
  @FunctionalInterface
  public interface Work<P> {
    /** Does it. Anything thrown is what the one who began it gets. */
    void run(Consumer<P> tell) throws InterruptedException;
  }

  /**
   * Wants the work, which begins if it is not under way.
   *
   * @param owner whose work it would be: what fails for this one is not tried by it again
   * @param listener hears how it goes from now on
   * @param work made at once if the work begins with this, and then done
   * @return to be closed when nobody is interested any more
   */
  public Seat join(K key, Object owner, Consumer<P> listener, Supplier<Work<P>> work) {
    Seat seat = new Seat(key, owner, listener, work);
    seat.board();
    return seat;
  }

  /** How many pieces of work are under way. */
  public int size() {
    synchronized (flights) {
      return flights.size();
    }
  }

  private final class Flight {
    private final Name<K> name;
    private final Object owner;
    private final List<Seat> seats = new CopyOnWriteArrayList<>();
    private final CountDownLatch landed = new CountDownLatch(1);
    private @Nullable Thread thread;
    private volatile @Nullable Throwable failure;

    Flight(Name<K> name, Object owner) {
      this.name = name;
      this.owner = owner;
    }

    void begin(Work<P> work) {
      Call call = Call.current();
      thread =
          Thread.ofVirtual().name("transfer " + name.key()).start(() -> call.run(() -> fly(work)));
    }

    private void fly(Work<P> work) {
      try {
        work.run(word -> seats.forEach(seat -> seat.listener.accept(word)));
      } catch (InterruptedException | RuntimeException | Error e) {
        failure = e;
      } finally {
        synchronized (flights) {
          flights.remove(name, this);
        }
        landed.countDown();
      }
    }

    /**
     * One less wants it; the last one makes an end of it, and waits for that. Work that does not
     * end keeps what it works with, and is left to itself; whoever comes then begins anew.
     */
    private void leave(Seat seat) {
      synchronized (flights) {
        Thread flying = thread;
        seats.remove(seat);
        if (!seats.isEmpty() || landed.getCount() == 0 || flying == null) {
          return;
        }
        flights.remove(name, this); // whoever comes now begins anew
        flying.interrupt();
      }
      awaitLanding();
    }

    private void awaitLanding() {
      long end = System.nanoTime() + landing.toNanos();
      boolean interrupted = false;
      boolean waits = true;
      while (waits) {
        try {
          waits = false;
          if (!landed.await(end - System.nanoTime(), TimeUnit.NANOSECONDS)) {
            LOG.log(
                Level.WARNING,
                "transfer of {0}: cancelled, and has not ended after {1} s; it is left to itself",
                name.key(),
                landing.toSeconds());
          }
        } catch (InterruptedException _) {
          interrupted = true;
          waits = true;
        }
      }
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /** Somebody's interest in a piece of work. */
  public final class Seat implements AutoCloseable {
    private final K key;
    private final Object owner;
    private final Consumer<P> listener;
    private final Supplier<Work<P>> work;
    private volatile @Nullable Flight flight;
    private int failuresOfOthers;

    private Seat(K key, Object owner, Consumer<P> listener, Supplier<Work<P>> work) {
      this.key = key;
      this.owner = owner;
      this.listener = listener;
      this.work = work;
    }

    private void board() {
      Name<K> name = new Name<>(key, failuresOfOthers < MOST_OF_OTHERS ? null : owner);
      synchronized (flights) {
        Flight underWay = flights.get(name);
        Flight joined = underWay == null ? new Flight(name, owner) : underWay;
        joined.seats.add(this);
        flight = joined;
        if (underWay == null) {
          flights.put(name, joined);
          joined.begin(work.get());
        }
      }
    }

    /**
     * Waits for the end of the work, and fails as it did if it was the owner's. For one thread. How
     * long it may take is for the work to know; cancelled, the wait ends at once.
     */
    public void await() throws InterruptedException {
      Flight joined = flight;
      while (joined != null) {
        joined.landed.await();
        Throwable failure = joined.failure;
        if (failure == null) {
          return;
        }
        if (joined.owner.equals(owner) || failure instanceof Error || isOfTheDisk(failure)) {
          throw thrown(failure);
        }
        failuresOfOthers++;
        joined.leave(this);
        board();
        joined = flight;
      }
    }

    /** Leaves. Harmless when repeated. */
    @Override
    public void close() {
      Flight joined = flight;
      if (joined != null) {
        joined.leave(this);
      }
    }
  }

  /**
   * Whether it is a full disk, with which nobody else would fare better; a limit that was passed is
   * not.
   */
  public static boolean isOfTheDisk(Throwable failure) {
    if (!(failure instanceof ResourceExhaustedException)) {
      return false;
    }
    Throwable cause = failure;
    while (cause != null && !(cause instanceof NoSpaceException)) {
      cause = cause.getCause();
    }
    return cause != null;
  }

  private static RuntimeException thrown(Throwable failure) {
    return switch (failure) {
      case RuntimeException known -> known;
      case Error error -> throw error;
      case InterruptedException e ->
          new CancelledException("what others waited for too was interrupted", e);
      case Throwable other -> new IllegalStateException(other);
    };
  }
}
