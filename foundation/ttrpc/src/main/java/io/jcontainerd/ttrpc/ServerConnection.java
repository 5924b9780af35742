package io.jcontainerd.ttrpc;

import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.channels.ByteChannel;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/** The server's end of one connection: starts calls, and sends back what they give. */
final class ServerConnection implements Connection.Owner, AutoCloseable {
  private static final System.Logger LOG = System.getLogger("io.jcontainerd.ttrpc");

  private final TtrpcServer server;
  private final String name;
  private final Metadata given;
  private final Connection connection;

  /** Calls that run, by stream id. */
  private final Map<Integer, ServerCall> calls = new ConcurrentHashMap<>();

  private final ReentrantLock counting = new ReentrantLock();
  private final Condition noneRuns = counting.newCondition();

  /** Calls whose thread has not ended; guarded by {@link #counting}. */
  private int running;

  /** Touched by the reader's thread only. */
  private long lastStreamId;

  /**
   * @param given what calls have besides their own metadata
   */
  ServerConnection(
      TtrpcServer server, String name, ByteChannel channel, Metadata given, Duration stallLimit) {
    this.server = server;
    this.name = name;
    this.given = given;
    this.connection = new Connection(name, channel, stallLimit, this);
  }

  void start() {
    connection.start();
  }

  @Override
  public void close() {
    connection.close();
  }

  /** Waits until no call runs and all answers are written; false when time ran out. */
  boolean quiesce(Duration limit) throws InterruptedException {
    long left = limit.toNanos();
    counting.lockInterruptibly();
    try {
      while (running > 0) {
        if (left <= 0) {
          return false;
        }
        left = noneRuns.awaitNanos(left);
      }
    } finally {
      counting.unlock();
    }
    return connection.drain(Duration.ofNanos(left));
  }

  @Override
  public void received(Frame frame) {
    switch (frame.type()) {
      case Frame.REQUEST -> request(frame);
      case Frame.DATA -> data(frame);
      default -> LOG.log(Level.DEBUG, "frame of unknown type {0} on {1}", frame.type(), name);
    }
  }

  @Override
  public void oversize(int streamId, byte type, long length) {
    TtrpcException tooLarge = Frame.tooLarge(length);
    if (type == Frame.REQUEST) {
      accept(streamId);
      refuse(streamId, tooLarge);
    } else if (type == Frame.DATA) {
      ServerCall call = calls.get(streamId);
      if (call != null) {
        call.fail(tooLarge);
      } else {
        refuse(streamId, tooLarge);
      }
    }
  }

  /** Notes the id of a new call, or refuses it. */
  private boolean accept(int streamId) {
    long id = Integer.toUnsignedLong(streamId);
    if (id % 2 != 1) {
      refuse(streamId, invalid("StreamID must be odd for client initiated streams"));
      return false;
    }
    if (id <= lastStreamId) {
      refuse(streamId, invalid("StreamID cannot be re-used and must increment"));
      return false;
    }
    lastStreamId = id;
    return true;
  }

  private void request(Frame frame) {
    int id = frame.streamId();
    if (!accept(id)) {
      return;
    }
    try {
      Messages.Request request = Messages.Request.parse(frame.data()).with(given);
      TtrpcService.Method method = server.method(request.service(), request.method());
      var call = new ServerCall(this, id, request, method);
      if (method instanceof TtrpcService.Method.Stream) {
        call.begin(request.payload(), frame.has(Frame.REMOTE_OPEN));
      }
      count(1);
      calls.put(id, call);
      call.start();
      if (connection.isOver()) {
        call.abandon(lost(null));
      }
    } catch (IOException e) {
      refuse(id, invalid("unmarshal request error: " + e.getMessage()));
    } catch (TtrpcException e) {
      refuse(id, e);
    }
  }

  private void data(Frame frame) {
    int id = frame.streamId();
    ServerCall call = calls.get(id);
    if (call == null) {
      // an answered stream: what was under way when its answer left is of no interest any more
      if (Integer.toUnsignedLong(id) > lastStreamId || id % 2 == 0) {
        refuse(id, invalid("StreamID is no longer active"));
      }
      return;
    }
    call.data(frame);
  }

  /** Answers without a call. The reader must not wait, so this leaves on a thread of its own. */
  private void refuse(int streamId, TtrpcException why) {
    Thread.ofVirtual()
        .name("ttrpc-refuse " + name)
        .start(
            () -> {
              try {
                respond(streamId, new Messages.Response(why, new byte[0]));
              } catch (TtrpcException e) {
                LOG.log(Level.DEBUG, "refusal on " + name + " not sent", e);
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
            });
  }

  void respond(int streamId, Messages.Response response) throws InterruptedException {
    var frame = new Frame(streamId, Frame.RESPONSE, (byte) 0, response.encode());
    if (frame.data().length > Frame.MAX_DATA) {
      TtrpcException tooLarge = Frame.tooLarge(frame.data().length);
      frame =
          new Frame(
              streamId,
              Frame.RESPONSE,
              (byte) 0,
              new Messages.Response(tooLarge, new byte[0]).encode());
    }
    connection.send(frame, Long.MAX_VALUE);
  }

  void sendData(int streamId, byte flags, byte[] message) throws InterruptedException {
    connection.send(new Frame(streamId, Frame.DATA, flags, message), Long.MAX_VALUE);
  }

  void finished(int streamId) {
    calls.remove(streamId);
    count(-1);
  }

  private void count(int more) {
    counting.lock();
    try {
      running += more;
      if (running == 0) {
        noneRuns.signalAll();
      }
    } finally {
      counting.unlock();
    }
  }

  TtrpcServer server() {
    return server;
  }

  String name() {
    return name;
  }

  boolean isOver() {
    return connection.isOver();
  }

  @Override
  public void ended(@Nullable IOException why) {
    if (why != null) {
      LOG.log(Level.DEBUG, "ttrpc connection " + name + " ended", why);
    }
    ConnectionLostException lost = lost(why);
    calls.values().forEach(call -> call.abandon(lost));
    server.forget(this);
  }

  private static ConnectionLostException lost(@Nullable IOException why) {
    return new ConnectionLostException("ttrpc: closed", why);
  }

  private static TtrpcException invalid(String text) {
    return new TtrpcException(StatusCode.INVALID_ARGUMENT, text);
  }
}
