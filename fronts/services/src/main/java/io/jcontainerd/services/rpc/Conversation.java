package io.jcontainerd.services.rpc;

import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.jcontainerd.core.Call;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.UnknownException;
import io.jcontainerd.core.operation.Owner;
import io.jcontainerd.wire.Failures;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;

/**
 * One gRPC call: what the client sent, what it gets, and the thread that serves it.
 *
 * <p>grpc-java tells the call's fate by callbacks, which come on the connection's own thread and
 * never block here; the serving thread waits for them. Where the method takes one request, that
 * thread begins when the request is whole, so that an ordinary call costs two changes of thread and
 * no more. A call of many messages may hand its two sides to other threads, so whatever is asked of
 * grpc-java is asked under the lock, none of which blocks. The lock guards the rest, too: inbox,
 * asked, ended, cancelled, opened, closed.
 */
final class Conversation<Q, A> extends ServerCall.Listener<Q> implements Source<Q>, Sink<A> {
  private static final Logger LOG = System.getLogger("io.jcontainerd.services");

  private final ServerCall<Q, A> call;
  private final Call context;
  private final String owner;
  private final Thread thread;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final Queue<Q> inbox = new ArrayDeque<>();
  private int asked;
  private boolean ended;
  private boolean cancelled;
  private boolean opened;
  private boolean closed;

  Conversation(ServerCall<Q, A> call, Call context, String owner, Endpoint.Body<Q, A> body) {
    this.call = call;
    this.context = context;
    this.owner = owner;
    this.thread =
        Thread.ofVirtual()
            .name("grpc " + call.getMethodDescriptor().getFullMethodName())
            .unstarted(() -> run(body));
  }

  /** Asks for the first message, or begins to serve where the method will ask itself. */
  Conversation<Q, A> start() {
    if (takesOne()) {
      call.request(2); // a second one would be a mistake to be told
    } else {
      thread.start();
    }
    return this;
  }

  private boolean takesOne() {
    return call.getMethodDescriptor().getType().clientSendsOneMessage();
  }

  @Override
  public void onMessage(Q message) {
    change(() -> inbox.add(message));
  }

  @Override
  public void onHalfClose() {
    change(() -> ended = true);
    if (takesOne()) {
      thread.start();
    }
  }

  @Override
  public void onReady() {
    change(() -> {});
  }

  @Override
  public void onCancel() {
    change(() -> cancelled = true);
    thread.interrupt();
  }

  private void change(Runnable what) {
    lock.lock();
    try {
      what.run();
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** The request of a call that has exactly one; it is there before the thread begins. */
  Q only() throws InterruptedException {
    lock.lockInterruptibly();
    try {
      Q request = inbox.poll();
      if (request == null || !inbox.isEmpty()) {
        throw Status.INTERNAL
            .withDescription("one request expected, got " + (request == null ? "none" : "several"))
            .asRuntimeException();
      }
      return request;
    } finally {
      lock.unlock();
    }
  }

  @Override
  public Optional<Q> next() throws InterruptedException {
    lock.lockInterruptibly();
    try {
      ask();
      until(() -> ended || !inbox.isEmpty());
      return take();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public Optional<Q> next(Duration longest) throws InterruptedException, TimeoutException {
    long left = longest.toNanos();
    lock.lockInterruptibly();
    try {
      ask();
      while (!ended && inbox.isEmpty()) {
        checkOpen();
        if (left <= 0) {
          throw new TimeoutException("no message came in " + longest.toMillis() + " ms");
        }
        left = changed.awaitNanos(left);
      }
      return take();
    } finally {
      lock.unlock();
    }
  }

  /** Asks for one message, unless one that was asked for has not come yet. */
  private void ask() throws CallEndedException {
    checkOpen();
    if (asked == 0 && inbox.isEmpty()) {
      asked++;
      call.request(1);
    }
  }

  private Optional<Q> take() {
    Q message = inbox.poll();
    if (message == null) {
      return Optional.empty();
    }
    asked--;
    return Optional.of(message);
  }

  @Override
  public void open() {
    lock.lock();
    try {
      if (!opened && !closed) {
        opened = true;
        call.sendHeaders(new Metadata());
      }
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void send(A message) throws InterruptedException {
    lock.lockInterruptibly();
    try {
      until(call::isReady);
      checkOpen();
      reply(message);
    } finally {
      lock.unlock();
    }
  }

  /** Sends the one answer of a call, without regard to how much the client takes. */
  void reply(A message) {
    lock.lock();
    try {
      open();
      call.sendMessage(message);
    } finally {
      lock.unlock();
    }
  }

  /** Ends when the client is gone, too; how slow it may be is for its call's deadline to say. */
  private void until(BooleanSupplier condition) throws InterruptedException {
    while (!condition.getAsBoolean()) {
      checkOpen();
      changed.await();
    }
  }

  private void checkOpen() throws CallEndedException {
    if (cancelled || closed) {
      throw new CallEndedException(cancelled ? "call cancelled" : "call answered");
    }
  }

  private void run(Endpoint.Body<Q, A> body) {
    Status status;
    try {
      Owner.call(
          owner,
          () ->
              context.call(
                  () -> {
                    body.run(this);
                    return null;
                  }));
      status = Status.OK;
    } catch (Throwable thrown) {
      status = status(thrown);
    }
    end(status);
  }

  private void end(Status status) {
    lock.lock();
    try {
      closed = true;
      changed.signalAll();
      if (!call.isCancelled()) {
        call.close(status, new Metadata());
      }
    } catch (RuntimeException e) {
      LOG.log(Level.ERROR, thread.getName() + ": cannot be closed with " + status, e);
    } finally {
      lock.unlock();
    }
  }

  private Status status(Throwable thrown) {
    return switch (thrown) {
      case ContainerdException known -> {
        LOG.log(Level.DEBUG, thread.getName(), known);
        yield Failures.toGrpc(known);
      }
      case InterruptedException _ -> Status.CANCELLED.withDescription("context canceled");
      case StatusRuntimeException chosen -> chosen.getStatus();
      default -> {
        LOG.log(Level.ERROR, thread.getName() + " failed unexpectedly", thrown);
        yield Failures.toGrpc(new UnknownException("unexpected failure: " + thrown, thrown));
      }
    };
  }
}
