package io.jcontainerd.wire.streams;

import com.google.protobuf.Any;
import java.time.Duration;
import java.util.Optional;

/**
 * Messages of any type, both ways. One thread may send while another receives. Whichever side
 * closes first ends its own direction in good order; what the other sends after that is not read.
 */
public interface MessageStream extends AutoCloseable {
  /** The name under which other calls refer to it. */
  String id();

  /**
   * Sends a message, waiting while the other side does not keep up.
   *
   * @throws io.jcontainerd.core.failure.UnavailableException if the other side is gone
   */
  void send(Any message) throws InterruptedException;

  /**
   * The next message.
   *
   * @param longest how long it is waited for; zero is without limit
   * @return empty once the other side has ended in good order
   * @throws io.jcontainerd.core.failure.UnavailableException if the other side is gone
   * @throws io.jcontainerd.core.failure.DeadlineExceededException if it did not come in time
   */
  Optional<Any> receive(Duration longest) throws InterruptedException;

  /** The next message, however long it takes. */
  default Optional<Any> receive() throws InterruptedException {
    return receive(Duration.ZERO);
  }

  /**
   * Ends in a way that the other side does not take for a good end; after an end it does nothing.
   *
   * @param why for people
   */
  void fail(String why);

  /** Ends in good order; harmless when repeated. */
  @Override
  void close();
}
