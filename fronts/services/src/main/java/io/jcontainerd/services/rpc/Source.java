package io.jcontainerd.services.rpc;

import java.util.Optional;

/** The messages that a client sends in one call. For the call's own thread. */
public interface Source<Q> {
  /**
   * The next message.
   *
   * @return empty once the client has ended its side
   * @throws InterruptedException if the client cancelled the call or its deadline passed
   */
  Optional<Q> next() throws InterruptedException;
}
