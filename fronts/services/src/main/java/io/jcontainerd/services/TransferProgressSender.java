package io.jcontainerd.services;

import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.transfer.TransferListener;
import io.jcontainerd.core.transfer.TransferProgress;
import io.jcontainerd.wire.TransferMessages;
import io.jcontainerd.wire.TypedValues;
import io.jcontainerd.wire.streams.MessageStream;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Tells a client how a transfer goes, on a thread of its own, so that a client that does not listen
 * holds nothing up.
 *
 * <p>What was not sent yet is kept, in order; of the same step of the same thing only the newest
 * is, so that what is kept is bounded by what is transferred. Closing sends what is left, for a
 * while, and ends the stream.
 */
final class TransferProgressSender implements TransferListener, AutoCloseable {
  private static final Logger LOG = System.getLogger("io.jcontainerd.services");

  /** How long the last words may take. */
  private static final Duration FAREWELL = Duration.ofSeconds(5);

  private record Key(String event, String name) {}

  private final MessageStream stream;
  private final Map<Key, TransferProgress> waiting = new LinkedHashMap<>(); // guarded by itself
  private boolean ending; // guarded by waiting
  private final Thread thread;

  TransferProgressSender(MessageStream stream) {
    this.stream = stream;
    this.thread = Thread.ofVirtual().name("progress " + stream.id()).start(this::send);
  }

  @Override
  public void progress(TransferProgress progress) {
    synchronized (waiting) {
      if (!ending) {
        waiting.put(new Key(progress.event(), progress.name()), progress);
        waiting.notifyAll();
      }
    }
  }

  private void send() {
    try {
      for (TransferProgress next = next(); next != null; next = next()) {
        stream.send(TypedValues.packApi(TransferMessages.toApi(next)));
      }
    } catch (InterruptedException | ContainerdException e) {
      LOG.log(Level.DEBUG, "progress " + stream.id() + " is told no more", e);
      synchronized (waiting) {
        ending = true;
        waiting.clear();
      }
    }
  }

  /** Waits for progress, or for {@link #close}. */
  private @Nullable TransferProgress next() throws InterruptedException {
    synchronized (waiting) {
      while (waiting.isEmpty()) {
        if (ending) {
          return null;
        }
        waiting.wait();
      }
      var first = waiting.entrySet().iterator();
      TransferProgress next = first.next().getValue();
      first.remove();
      return next;
    }
  }

  @Override
  public void close() {
    synchronized (waiting) {
      ending = true;
      waiting.notifyAll();
    }
    Farewell.of(thread, FAREWELL, stream);
  }
}
