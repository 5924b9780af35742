package io.jcontainerd.ttrpc;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageLite;
import com.google.protobuf.Parser;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.channels.ByteChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * A client on one connection. Any number of threads may call at once; calls do not wait for each
 * other. The end of the connection fails all of them with {@link ConnectionLostException} and then
 * runs the listeners of {@link #onClose}, once. There is no reconnecting: a new connection is a new
 * client.
 *
 * <p>An interrupt or a deadline ends the caller's wait. The server is not told, since the protocol
 * has no message for it; its late answer is dropped.
 */
public final class TtrpcClient implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger("io.jcontainerd.ttrpc");

  /** Some way below the end of the 32 bits, for calls that number themselves at the same time. */
  private static final long LAST_STREAM_ID = 0xffff_0000L;

  private static final Duration STALL_LIMIT = Duration.ofSeconds(30);

  private final Connection connection;
  private final Map<Integer, MessageQueue> calls = new ConcurrentHashMap<>();

  /** Ids reach the wire in order: the next one is taken when a request gets its place in it. */
  private final AtomicLong nextStreamId = new AtomicLong(1);

  private final ReentrantLock ending = new ReentrantLock();

  // guarded by ending
  private final List<Runnable> listeners = new ArrayList<>();
  private boolean ended;

  private TtrpcClient(ByteChannel channel, String name, Duration stallLimit) {
    this.connection = new Connection(name, channel, stallLimit, new Ears());
  }

  /** Connects to a unix socket. */
  public static TtrpcClient connect(Path socket, Duration limit)
      throws IOException, InterruptedException {
    return over(UnixSockets.connect(socket, limit), socket.toString());
  }

  /**
   * A client over a connected channel, which it owns from now on.
   *
   * @param name for threads and log lines
   */
  public static TtrpcClient over(ByteChannel channel, String name) {
    return over(channel, name, STALL_LIMIT);
  }

  static TtrpcClient over(ByteChannel channel, String name, Duration stallLimit) {
    var client = new TtrpcClient(channel, name, stallLimit);
    client.connection.start();
    return client;
  }

  /** Runs once when the connection has ended, for whatever reason; at once if it has already. */
  public void onClose(Runnable listener) {
    ending.lock();
    try {
      if (!ended) {
        listeners.add(listener);
        return;
      }
    } finally {
      ending.unlock();
    }
    Thread.ofVirtual().name("ttrpc-closed").start(listener);
  }

  public boolean isClosed() {
    return connection.isOver();
  }

  /** Ends the connection; calls that still wait fail. */
  @Override
  public void close() {
    connection.close();
  }

  /**
   * Calls a unary method.
   *
   * @throws TtrpcException the status that the server gave, {@link StatusCode#DEADLINE_EXCEEDED},
   *     {@link StatusCode#RESOURCE_EXHAUSTED} for a request that is too long, or {@link
   *     ConnectionLostException}
   */
  public <A extends MessageLite> A call(
      String service, String method, MessageLite request, Parser<A> answer, CallOptions options)
      throws InterruptedException {
    byte[] bytes = call(service, method, request.toByteArray(), options);
    try {
      return answer.parseFrom(bytes);
    } catch (InvalidProtocolBufferException e) {
      throw new TtrpcException(
          StatusCode.INTERNAL, "answer of " + service + "/" + method + ": " + e.getMessage(), e);
    }
  }

  /** Like the typed call, in bytes. */
  public byte[] call(String service, String method, byte[] request, CallOptions options)
      throws InterruptedException {
    try (Call call = open(service, method, request, options, (byte) 0)) {
      byte[] answer = call.answers.take(call.deadline);
      if (answer == null) {
        throw new TtrpcException(
            StatusCode.INTERNAL, service + "/" + method + ": stream ended without an answer");
      }
      return answer;
    }
  }

  /**
   * Opens a stream on which both sides may send.
   *
   * @param options the deadline is for the whole stream
   */
  public ClientStream stream(String service, String method, CallOptions options)
      throws InterruptedException {
    return open(service, method, new byte[0], options, Frame.REMOTE_OPEN);
  }

  /** Opens a stream on which only the server sends, in answer to one request. */
  public ClientStream serverStream(
      String service, String method, byte[] request, CallOptions options)
      throws InterruptedException {
    return open(service, method, request, options, Frame.REMOTE_CLOSED);
  }

  private Call open(String service, String method, byte[] payload, CallOptions options, byte flags)
      throws InterruptedException {
    long timeout = options.timeout().map(TtrpcClient::nanos).orElse(0L);
    Long deadline = timeout == 0 ? null : (Long) (System.nanoTime() + timeout);
    byte[] request =
        new Messages.Request(service, method, payload, timeout, options.metadata()).encode();
    if (request.length > Frame.MAX_DATA) {
      throw Frame.tooLarge(request.length);
    }
    var answers = new MessageQueue();
    if (nextStreamId.get() > LAST_STREAM_ID) {
      connection.close();
      throw new ConnectionLostException("ttrpc: closed: stream ids are used up", null);
    }
    var call = new Call(answers, deadline, (flags & Frame.REMOTE_OPEN) != 0);
    connection.send(
        request.length,
        () ->
            new Frame(call.number((int) nextStreamId.getAndAdd(2)), Frame.REQUEST, flags, request),
        timeout == 0 ? Long.MAX_VALUE : timeout);
    if (connection.isOver()) {
      answers.end(new ConnectionLostException("ttrpc: closed", null));
    }
    return call;
  }

  private static long nanos(Duration timeout) {
    // a deadline beyond this is none, and sums with nanoTime must not overflow
    return timeout.compareTo(Duration.ofDays(3650)) > 0 ? 0L : timeout.toNanos();
  }

  /** One call that is under way. */
  private final class Call implements ClientStream {
    private final MessageQueue answers;
    private final @Nullable Long deadline;
    private int id;
    private boolean open;

    Call(MessageQueue answers, @Nullable Long deadline, boolean open) {
      this.answers = answers;
      this.deadline = deadline;
      this.open = open;
    }

    int number(int streamId) {
      id = streamId;
      calls.put(streamId, answers);
      return streamId;
    }

    @Override
    public void send(byte[] message) throws InterruptedException {
      if (!open) {
        throw new TtrpcException(StatusCode.FAILED_PRECONDITION, "ttrpc: stream closed");
      }
      connection.send(new Frame(id, Frame.DATA, Frame.REMOTE_OPEN, message), left());
    }

    @Override
    public void closeSend() throws InterruptedException {
      if (open) {
        open = false;
        byte flags = (byte) (Frame.REMOTE_CLOSED | Frame.NO_DATA);
        connection.send(new Frame(id, Frame.DATA, flags, new byte[0]), left());
      }
    }

    private long left() {
      return deadline == null ? Long.MAX_VALUE : Math.max(1, deadline - System.nanoTime());
    }

    @Override
    public byte @Nullable [] receive() throws InterruptedException {
      return answers.take(deadline);
    }

    @Override
    public void close() {
      calls.remove(id);
    }
  }

  /** Brings what arrives to the calls that wait for it. */
  private final class Ears implements Connection.Owner {
    @Override
    public void received(Frame frame) {
      MessageQueue call = calls.get(frame.streamId());
      if (call == null) {
        return; // given up by its caller
      }
      switch (frame.type()) {
        case Frame.RESPONSE -> respond(call, frame);
        case Frame.DATA -> {
          if (!frame.has(Frame.NO_DATA)) {
            call.add(frame.data());
          }
          if (frame.has(Frame.REMOTE_CLOSED)) {
            call.end(null);
          }
        }
        default ->
            call.end(
                new TtrpcException(StatusCode.INTERNAL, "frame of unknown type " + frame.type()));
      }
    }

    private void respond(MessageQueue call, Frame frame) {
      try {
        Messages.Response response = Messages.Response.parse(frame.data());
        if (response.failure() == null) {
          call.add(response.payload());
        }
        call.end(response.failure());
      } catch (IOException e) {
        call.end(new TtrpcException(StatusCode.INTERNAL, "answer: " + e.getMessage(), e));
      }
    }

    @Override
    public void oversize(int streamId, byte type, long length) {
      MessageQueue call = calls.get(streamId);
      if (call != null) {
        call.end(Frame.tooLarge(length));
      }
    }

    @Override
    public void ended(@Nullable IOException why) {
      String text = why == null ? "ttrpc: closed" : "ttrpc: closed: " + why.getMessage();
      calls.values().forEach(c -> c.end(new ConnectionLostException(text, why)));
      List<Runnable> toRun;
      ending.lock();
      try {
        ended = true;
        toRun = List.copyOf(listeners);
        listeners.clear();
      } finally {
        ending.unlock();
      }
      for (Runnable listener : toRun) {
        try {
          listener.run();
        } catch (RuntimeException e) {
          LOG.log(Level.ERROR, "close listener failed", e);
        }
      }
    }
  }
}
