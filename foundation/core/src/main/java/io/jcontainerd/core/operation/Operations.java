package io.jcontainerd.core.operation;

import io.jcontainerd.core.filter.Filter;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** The operations of a daemon, to be looked at, waited for and cancelled. Safe for many threads. */
public interface Operations {
  /**
   * Those that go on, the oldest first.
   *
   * @param closely whether to ask for more than this process knows: where a shim is, which
   *     processes work and where the kernel has them. Takes a moment for those that are stuck.
   */
  List<Operation> list(List<String> filters, boolean closely);

  /**
   * One that goes on or has just ended.
   *
   * @throws io.jcontainerd.core.failure.NotFoundException if there is none of that id
   */
  Operation get(String id, boolean closely);

  /**
   * Asks it to end; it ends with a failure soon after, unless it is done already.
   *
   * @throws io.jcontainerd.core.failure.NotFoundException if none of that id goes on
   * @throws io.jcontainerd.core.failure.FailedPreconditionException if it cannot be cancelled
   */
  void cancel(String id);

  /**
   * Waits for its end.
   *
   * @return how it ended; one without an outcome if it goes on after the limit
   * @throws io.jcontainerd.core.failure.NotFoundException if there is none of that id
   */
  Operation join(String id, Duration limit) throws InterruptedException;

  /** Shows what changes from now on, after those that go on already. */
  Watch watch(List<String> filters);

  /** What happened to an operation. */
  enum Change {
    /** It began, or went on when the watch began. */
    BEGUN,
    /** It is in another stage. */
    MOVED,
    /** It ended. */
    ENDED
  }

  /** A change. */
  record Changed(Change change, Operation operation) {}

  /** A view of the changes, in their order for each operation. For one thread. */
  interface Watch extends AutoCloseable {
    /**
     * The next change.
     *
     * @return empty if none came in time
     * @throws io.jcontainerd.core.failure.OutOfRangeException if it was too slow, and missed some
     */
    Optional<Changed> next(Duration timeout) throws InterruptedException;

    @Override
    void close();
  }

  /** Whether it is one that the filters ask for. */
  static Filter filter(List<String> filters) {
    return Filter.any(filters);
  }
}
