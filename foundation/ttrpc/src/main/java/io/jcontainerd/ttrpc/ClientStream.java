package io.jcontainerd.ttrpc;

import org.jspecify.annotations.Nullable;

/**
 * The client's end of a streaming call. Closing it before its end drops the call on this side; the
 * server learns of it only from a half-close or the end of the connection. Sending and receiving
 * may happen on two threads.
 */
public interface ClientStream extends AutoCloseable {
  /** Sends one message. */
  void send(byte[] message) throws InterruptedException;

  /** Tells the server that no more messages come. Twice does no harm. */
  void closeSend() throws InterruptedException;

  /**
   * Waits for the next message.
   *
   * @return null after an orderly end
   * @throws TtrpcException the status with which the server ended the call
   */
  byte @Nullable [] receive() throws InterruptedException;

  @Override
  void close();
}
