package io.jcontainerd.services;

import com.google.protobuf.Any;
import io.jcontainerd.core.failure.AbortedException;
import io.jcontainerd.core.failure.DeadlineExceededException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.services.rpc.CallEndedException;
import io.jcontainerd.services.rpc.Sink;
import io.jcontainerd.services.rpc.Source;
import io.jcontainerd.wire.streams.MessageStream;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeoutException;

/**
 * The daemon's end of a stream: a call of the client that waits, on its own thread, while others
 * speak with the client through it. It ends when one of them closes it or the client goes.
 */
final class ServedStream implements MessageStream {
  private final String id;
  private final Source<Any> requests;
  private final Sink<Any> answers;
  private final CountDownLatch ended = new CountDownLatch(1);
  private volatile String failure = "";

  ServedStream(String id, Source<Any> requests, Sink<Any> answers) {
    this.id = id;
    this.requests = requests;
    this.answers = answers;
  }

  @Override
  public String id() {
    return id;
  }

  @Override
  public void send(Any message) throws InterruptedException {
    try {
      answers.send(message);
    } catch (CallEndedException e) {
      throw gone(e);
    }
  }

  @Override
  public Optional<Any> receive(Duration longest) throws InterruptedException {
    try {
      return longest.isZero() ? requests.next() : requests.next(longest);
    } catch (TimeoutException e) {
      throw new DeadlineExceededException("stream " + id + ": " + e.getMessage(), e);
    } catch (CallEndedException e) {
      throw gone(e);
    }
  }

  private UnavailableException gone(CallEndedException e) {
    return new UnavailableException("stream " + id + ": the other side is gone", e);
  }

  @Override
  public void fail(String why) {
    if (ended.getCount() > 0) {
      failure = why;
    }
    ended.countDown();
  }

  @Override
  public void close() {
    ended.countDown();
  }

  /**
   * Waits on the call's own thread until the stream is closed.
   *
   * @throws io.jcontainerd.core.failure.AbortedException if it failed
   * @throws InterruptedException if the client is gone
   */
  void serve() throws InterruptedException {
    ended.await();
    String why = failure;
    if (!why.isEmpty()) {
      throw new AbortedException("stream " + id + ": " + why);
    }
  }
}
