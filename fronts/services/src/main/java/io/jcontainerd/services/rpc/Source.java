package io.jcontainerd.services.rpc;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeoutException;

/**
 * The messages that a client sends in one call. For one thread at a time, which need not be the
 * call's own nor the one that sends.
 */
public interface Source<Q> {
  /**
   * The next message.
   *
   * @return empty once the client has ended its side
   * @throws CallEndedException if the client cancelled the call, its deadline passed, or it was
   *     answered
   * @throws InterruptedException if the thread was interrupted, as the call's own is in these cases
   */
  Optional<Q> next() throws InterruptedException;

  /**
   * The same, with a limit.
   *
   * @throws TimeoutException if it did not come in that time; it may still come later
   */
  Optional<Q> next(Duration longest) throws InterruptedException, TimeoutException;
}
