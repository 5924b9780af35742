package io.jcontainerd.services.rpc;

import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.jcontainerd.core.Call;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.wire.Failures;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayDeque;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;

/**
 * One gRPC call: what the client sent, what it gets, and the thread that serves it.
 *
 * <p>grpc-java tells the call's fate by callbacks, which come on the connection's own thread and
 * never block here; the serving thread waits for them. Where the method takes one request, that
 * thread begins when the request is whole, so that an ordinary call costs two changes of thread and
 * no more. Once it has begun only the serving thread sends, asks for messages and closes, so those
 * need no lock. The lock guards what callbacks leave: inbox, ended, cancelled.
 */
final class Conversation<Q, A> extends ServerCall.Listener<Q> implements Source<Q>, Sink<A> {
  private static final Logger LOG = System.getLogger("io.jcontainerd.services");

  private final ServerCall<Q, A> call;
  private final Call context;
  private final Thread thread;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final Queue<Q> inbox = new ArrayDeque<>();
  private boolean ended;
  private boolean cancelled;

  private boolean opened;

  Conversation(ServerCall<Q, A> call, Call context, Endpoint.Body<Q, A> body) {
    this.call = call;
    this.context = context;
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
    call.request(1);
    lock.lockInterruptibly();
    try {
      until(() -> ended || !inbox.isEmpty());
      return Optional.ofNullable(inbox.poll());
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void open() {
    if (!opened) {
      opened = true;
      call.sendHeaders(new Metadata());
    }
  }

  @Override
  public void send(A message) throws InterruptedException {
    lock.lockInterruptibly();
    try {
      until(call::isReady);
    } finally {
      lock.unlock();
    }
    reply(message);
  }

  /** Sends the one answer of a call, without regard to how much the client takes. */
  void reply(A message) {
    open();
    call.sendMessage(message);
  }

  private void until(BooleanSupplier condition) throws InterruptedException {
    while (!condition.getAsBoolean()) {
      if (cancelled) {
        throw new InterruptedException("call cancelled");
      }
      changed.await();
    }
  }

  private void run(Endpoint.Body<Q, A> body) {
    Status status;
    try {
      context.call(
          () -> {
            body.run(this);
            return null;
          });
      status = Status.OK;
    } catch (Throwable thrown) {
      status = status(thrown);
    }
    try {
      if (!call.isCancelled()) {
        call.close(status, new Metadata());
      }
    } catch (RuntimeException e) {
      LOG.log(Level.ERROR, thread.getName() + ": cannot be closed with " + status, e);
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
        yield Status.UNKNOWN.withDescription("unexpected failure: " + thrown).withCause(thrown);
      }
    };
  }
}
