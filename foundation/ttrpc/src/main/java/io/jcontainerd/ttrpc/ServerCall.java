package io.jcontainerd.ttrpc;

import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** One call on the server: its thread, its context, and for a stream what was received. */
final class ServerCall implements ServerStream {
  private static final System.Logger LOG = System.getLogger("io.jcontainerd.ttrpc");

  private final ServerConnection connection;
  private final int streamId;
  private final Messages.Request request;
  private final TtrpcService.Method method;
  private final @Nullable Long deadline;
  private final MessageQueue incoming = new MessageQueue();

  /** Why nobody wants this call's answer, or why the answer is a failure already. */
  private final AtomicReference<@Nullable TtrpcException> failure = new AtomicReference<>();

  private final Thread thread;

  ServerCall(
      ServerConnection connection,
      int streamId,
      Messages.Request request,
      TtrpcService.Method method) {
    this.connection = connection;
    this.streamId = streamId;
    this.request = request;
    this.method = method;
    this.deadline =
        request.timeoutNanos() == 0
            ? null
            : System.nanoTime() + Math.max(0, request.timeoutNanos());
    this.thread =
        Thread.ofVirtual()
            .name("ttrpc " + request.service() + "/" + request.method() + " #" + streamId)
            .unstarted(this::run);
  }

  /** The first message of a stream may come with the request. */
  void begin(byte[] first, boolean more) {
    if (first.length > 0 || !more) {
      incoming.add(first);
    }
    if (!more) {
      incoming.end(null);
    }
  }

  void start() {
    thread.start();
    Long limit = deadline;
    if (limit != null && interruptible()) {
      Thread.ofVirtual().name("ttrpc-deadline " + thread.getName()).start(() -> watch(limit));
    }
  }

  private void watch(long limit) {
    try {
      long left = limit - System.nanoTime();
      if (left <= 0 || !thread.join(Duration.ofNanos(left))) {
        fail(new TtrpcException(StatusCode.DEADLINE_EXCEEDED, "context deadline exceeded"));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private boolean interruptible() {
    return switch (method) {
      case TtrpcService.Method.Unary(_, boolean interruptible) -> interruptible;
      case TtrpcService.Method.Stream _ -> true;
    };
  }

  void data(Frame frame) {
    if (!frame.has(Frame.NO_DATA)) {
      if (method instanceof TtrpcService.Method.Unary) {
        fail(
            new TtrpcException(
                StatusCode.INVALID_ARGUMENT, "data handling error: call is not a stream"));
        return;
      }
      if (!incoming.add(frame.data())) {
        fail(
            new TtrpcException(
                StatusCode.RESOURCE_EXHAUSTED, "stream: the receiver is too far behind"));
        return;
      }
    }
    if (frame.has(Frame.REMOTE_CLOSED)) {
      incoming.end(null);
    }
  }

  /** The call's outcome is this failure, whatever its handler does from now on. */
  void fail(TtrpcException why) {
    failure.compareAndSet(null, why);
    incoming.end(why);
    if (interruptible()) {
      thread.interrupt();
    }
  }

  void abandon(ConnectionLostException why) {
    fail(why);
  }

  private void run() {
    try {
      answer();
    } catch (TtrpcException e) {
      LOG.log(Level.DEBUG, "answer not sent: " + thread.getName(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      connection.finished(streamId);
    }
  }

  private void answer() throws InterruptedException {
    byte[] payload = new byte[0];
    TtrpcException failed = null;
    try {
      switch (method) {
        case TtrpcService.Method.Unary(var handler, _) ->
            payload = handler.handle(request.payload(), this);
        case TtrpcService.Method.Stream(var handler) -> handler.handle(this);
      }
    } catch (Throwable e) {
      failed = refused(e);
    }
    TtrpcException decided = failure.get();
    if (decided != null && (failed != null || method instanceof TtrpcService.Method.Stream)) {
      failed = decided;
    }
    if (failed instanceof ConnectionLostException && connection.isOver()) {
      return;
    }
    // an interrupt was meant for the handler, not for its answer
    if (Thread.interrupted() && LOG.isLoggable(Level.DEBUG)) {
      LOG.log(Level.DEBUG, "interrupted: " + thread.getName());
    }
    if (failed == null && method instanceof TtrpcService.Method.Stream) {
      connection.sendData(streamId, (byte) (Frame.REMOTE_CLOSED | Frame.NO_DATA), new byte[0]);
    } else {
      connection.respond(streamId, new Messages.Response(failed, payload));
    }
  }

  private TtrpcException refused(Throwable thrown) {
    if (thrown instanceof InterruptedException) {
      TtrpcException why = failure.get();
      return why != null ? why : new TtrpcException(StatusCode.CANCELLED, "context canceled");
    }
    try {
      TtrpcException status = connection.server().status(thrown);
      if (thrown instanceof Error) {
        LOG.log(Level.ERROR, thread.getName() + " failed", thrown);
      }
      return status;
    } catch (RuntimeException e) {
      thrown.addSuppressed(e);
      LOG.log(Level.ERROR, thread.getName() + " failed", thrown);
      return new TtrpcException(StatusCode.INTERNAL, String.valueOf(thrown), thrown);
    }
  }

  @Override
  public byte @Nullable [] receive() throws InterruptedException {
    return incoming.take(deadline);
  }

  @Override
  public void send(byte[] message) throws InterruptedException {
    TtrpcException why = failure.get();
    if (why != null) {
      throw why.afresh();
    }
    connection.sendData(streamId, (byte) 0, message);
  }

  @Override
  public String service() {
    return request.service();
  }

  @Override
  public String method() {
    return request.method();
  }

  @Override
  public Metadata metadata() {
    return request.metadata();
  }

  @Override
  public Optional<Duration> remaining() {
    return deadline == null
        ? Optional.empty()
        : Optional.of(Duration.ofNanos(Math.max(0, deadline - System.nanoTime())));
  }

  @Override
  public boolean abandoned() {
    return failure.get() != null
        || connection.isOver()
        || (deadline != null && deadline - System.nanoTime() <= 0);
  }
}
