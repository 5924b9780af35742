package io.jcontainerd.ttrpc;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;

/**
 * What a peer of the shim protocol may send: cut into the same frames however it arrives, and
 * neither end fails in a way that it did not foresee.
 */
public final class FramesTarget {
  private static final AtomicReference<LogRecord> SEVERE = new AtomicReference<>();
  private static final Logger LOG = Logger.getLogger("io.jcontainerd.ttrpc");

  static {
    LOG.setUseParentHandlers(false);
    LOG.addHandler(
        new Handler() {
          @Override
          public void publish(LogRecord line) {
            if (line.getLevel().intValue() >= Level.SEVERE.intValue()) {
              SEVERE.compareAndSet(null, line);
            }
          }

          @Override
          public void flush() {}

          @Override
          public void close() {}
        });
  }

  private FramesTarget() {}

  /** Runs one input. */
  public static void fuzzerTestOneInput(byte[] input) throws InterruptedException {
    List<String> whole = frames(input, Math.max(1, input.length));
    List<String> pieces = frames(input, 3);
    if (!whole.equals(pieces)) {
      throw new AssertionError(whole + "\nbut in pieces\n" + pieces);
    }
    serve(input);
    call(input);
    LogRecord severe = SEVERE.get();
    if (severe != null) {
      throw new AssertionError(severe.getMessage(), severe.getThrown());
    }
  }

  private static List<String> frames(byte[] input, int pieceSize) {
    List<String> told = new ArrayList<>();
    FrameReader reader = new FrameReader(new Bytes(input, pieceSize, () -> {}));
    try {
      for (var next = reader.next(); next != null; next = reader.next()) {
        switch (next) {
          case FrameReader.Incoming.Whole(Frame frame) -> {
            told.add(frame.streamId() + " " + frame.type() + " " + Arrays.hashCode(frame.data()));
            envelopes(frame.data());
          }
          case FrameReader.Incoming.Oversize(int id, byte type, long length) ->
              told.add(id + " " + type + " too long: " + length);
        }
      }
    } catch (IOException e) {
      told.add(String.valueOf(e.getMessage()));
    }
    return told;
  }

  private static void envelopes(byte[] data) {
    try {
      Messages.Request request = Messages.Request.parse(data);
      Messages.Request.parse(request.encode());
    } catch (IOException e) {
      if (e.getMessage() == null) {
        throw new AssertionError("refused without a word", e);
      }
    }
    try {
      Messages.Response response = Messages.Response.parse(data);
      Messages.Response.parse(response.encode());
    } catch (IOException e) {
      if (e.getMessage() == null) {
        throw new AssertionError("refused without a word", e);
      }
    }
  }

  private static void serve(byte[] input) throws InterruptedException {
    TtrpcService service =
        TtrpcService.named("s").bytes("Same", (q, c) -> q).stream(
                "Chat",
                s -> {
                  for (byte[] m = s.receive(); m != null; m = s.receive()) {
                    s.send(m);
                  }
                })
            .build();
    CountDownLatch over = new CountDownLatch(1);
    try (TtrpcServer server = new TtrpcServer(List.of(service))) {
      server.serve(new Bytes(input, 64, over::countDown), "fuzz");
      await(over);
    }
  }

  private static void call(byte[] input) throws InterruptedException {
    CountDownLatch over = new CountDownLatch(1);
    Bytes channel = new Bytes(input, 64, over::countDown);
    try (TtrpcClient client = TtrpcClient.over(channel, "fuzz")) {
      try {
        client.call("s", "Same", new byte[0], CallOptions.within(Duration.ofSeconds(5)));
      } catch (TtrpcException e) {
        if (e.getMessage() == null) {
          throw new AssertionError("failed without a word", e);
        }
      }
    }
    await(over);
  }

  private static void await(CountDownLatch over) throws InterruptedException {
    if (!over.await(60, TimeUnit.SECONDS)) {
      throw new AssertionError("the connection does not end");
    }
  }

  /** A peer that says what it has to say and hangs up. */
  private static final class Bytes implements ByteChannel {
    private final ByteBuffer left;
    private final int pieceSize;
    private final Runnable closing;
    private volatile boolean open = true;

    Bytes(byte[] input, int pieceSize, Runnable closing) {
      this.left = ByteBuffer.wrap(input);
      this.pieceSize = pieceSize;
      this.closing = closing;
    }

    @Override
    public synchronized int read(ByteBuffer into) {
      if (!left.hasRemaining()) {
        return -1;
      }
      int count = Math.min(Math.min(pieceSize, left.remaining()), into.remaining());
      into.put(left.slice(left.position(), count));
      left.position(left.position() + count);
      return count;
    }

    @Override
    public int write(ByteBuffer from) {
      int count = from.remaining();
      from.position(from.limit());
      return count;
    }

    @Override
    public boolean isOpen() {
      return open;
    }

    @Override
    public void close() {
      open = false;
      closing.run();
    }
  }
}
