package io.jcontainerd.runtime.shim;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.jcontainerd.linux.descriptor.Fifos;
import io.jcontainerd.linux.descriptor.OwnedDescriptor;
import io.jcontainerd.linux.descriptor.Reactor;
import io.jcontainerd.runtime.bundle.Bundle;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Reads the log FIFOs of all shims on one thread and passes each line on to the logger {@code
 * io.jcontainerd.shim}. The FIFOs are held for writing too, so that a shim's helper that comes and
 * goes does not end the reading; {@link #close(Bundle)} does.
 */
public final class FifoShimLogs implements ShimLogs, AutoCloseable {
  private static final System.Logger LINES = System.getLogger("io.jcontainerd.shim");
  private static final int CHUNK = 8 << 10;

  /** A line longer than this is cut. */
  private static final int LONGEST_LINE = 16 << 10;

  private final Reactor reactor;

  /** All that is read goes through it; used by the reactor's thread alone. */
  private final ByteBuffer chunk = ByteBuffer.allocateDirect(CHUNK);

  private final Map<Bundle, Reader> readers = new ConcurrentHashMap<>();

  private FifoShimLogs(Reactor reactor) {
    this.reactor = reactor;
  }

  /** Starts the one thread. */
  public static FifoShimLogs start() throws IOException {
    return new FifoShimLogs(Reactor.start("shim-logs"));
  }

  @Override
  public void open(Bundle bundle) throws IOException {
    if (!Fifos.isFifo(bundle.log())) {
      Fifos.create(bundle.log(), 0700);
    }
    OwnedDescriptor fifo =
        OwnedDescriptor.open(bundle.log(), OwnedDescriptor.Access.READ_WRITE_NONBLOCKING);
    var reader = new Reader(bundle, fifo);
    Reader before = readers.put(bundle, reader);
    if (before != null) {
      before.close();
    }
    reader.registration = reactor.register(fifo, Reactor.READABLE, _ -> reader.read());
  }

  @Override
  public void close(Bundle bundle) {
    Reader reader = readers.remove(bundle);
    if (reader != null) {
      reactor.execute(reader::finish);
    }
  }

  @Override
  public void close() throws IOException {
    reactor.close();
    readers.clear();
  }

  /** One FIFO; its line belongs to the reactor's thread. */
  private final class Reader {
    private final Bundle bundle;
    private final OwnedDescriptor fifo;
    private final ByteArrayOutputStream line = new ByteArrayOutputStream();
    private volatile Reactor.@org.jspecify.annotations.Nullable Registration registration;

    Reader(Bundle bundle, OwnedDescriptor fifo) {
      this.bundle = bundle;
      this.fifo = fifo;
    }

    void read() throws IOException {
      chunk.clear();
      if (fifo.read(chunk) <= 0) {
        return;
      }
      chunk.flip();
      while (chunk.hasRemaining()) {
        byte b = chunk.get();
        if (b == '\n') {
          flush();
        } else if (line.size() < LONGEST_LINE) {
          line.write(b);
        }
      }
    }

    void flush() {
      if (line.size() > 0) {
        LINES.log(
            Level.INFO,
            "{0}/{1}: {2}",
            bundle.namespace(),
            bundle.id(),
            line.toString(UTF_8).stripTrailing());
        line.reset();
      }
    }

    /** Takes what is still in the pipe, then closes. */
    void finish() {
      try {
        read();
      } catch (IOException e) {
        LINES.log(Level.DEBUG, "log of " + bundle, e);
      }
      flush();
      close();
    }

    void close() {
      Reactor.Registration watched = registration;
      if (watched != null) {
        watched.close();
      }
    }
  }
}
