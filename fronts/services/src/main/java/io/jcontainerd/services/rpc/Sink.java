package io.jcontainerd.services.rpc;

/** The messages that a client receives in one call. For the call's own thread. */
public interface Sink<A> {
  /** Tells the client that the call was accepted, before there is a message; may be left out. */
  void open();

  /**
   * Sends a message, waiting while the client does not keep up.
   *
   * @throws InterruptedException if the client cancelled the call or its deadline passed
   */
  void send(A message) throws InterruptedException;
}
