package io.jcontainerd.ttrpc;

import org.jspecify.annotations.Nullable;

/**
 * The server's end of a streaming call. The stream ends when its handler returns, well or with the
 * failure it throws. Sending and receiving may happen on two threads.
 */
public interface ServerStream extends CallContext {
  /**
   * Waits for the next message.
   *
   * @return null when the client will send no more
   * @throws TtrpcException when the call failed or its deadline passed
   */
  byte @Nullable [] receive() throws InterruptedException;

  /**
   * Sends one message.
   *
   * @throws TtrpcException of {@link StatusCode#RESOURCE_EXHAUSTED} when it is too long, {@link
   *     ConnectionLostException} when the client is gone
   */
  void send(byte[] message) throws InterruptedException;
}
