package io.jcontainerd.services.rpc;

/**
 * The messages that a client receives in one call. Ends with the call: what is sent later fails.
 * For one thread at a time, which need not be the call's own nor the one that reads.
 */
public interface Sink<A> {
  /** Tells the client that the call was accepted, before there is a message; may be left out. */
  void open();

  /**
   * Sends a message, waiting while the client does not keep up.
   *
   * @throws CallEndedException if the client cancelled the call, its deadline passed, or it was
   *     answered
   * @throws InterruptedException if the thread was interrupted, as the call's own is in these cases
   */
  void send(A message) throws InterruptedException;
}
