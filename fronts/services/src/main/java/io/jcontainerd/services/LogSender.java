package io.jcontainerd.services;

import io.jcontainerd.wire.streams.ByteSender;
import io.jcontainerd.wire.streams.MessageStream;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Gives lines to a client as bytes of a stream, on a thread of its own. A client that does not take
 * them loses lines, and is told how many, but holds nothing up.
 */
final class LogSender implements Consumer<String>, AutoCloseable {
  private static final Logger LOG = System.getLogger("io.jcontainerd.services");
  private static final int MOST = 1000;

  /** How long the last lines may take; on a machine with much to do it may be seconds. */
  private static final Duration FAREWELL = Duration.ofSeconds(5);

  private final MessageStream stream;
  private final Queue<String> lines = new ArrayDeque<>(); // guarded by itself
  private int lost; // guarded by lines
  private boolean ending; // guarded by lines
  private final Thread thread;

  LogSender(MessageStream stream) {
    this.stream = stream;
    this.thread = Thread.ofVirtual().name("log " + stream.id()).start(this::send);
  }

  @Override
  public void accept(String line) {
    synchronized (lines) {
      if (ending) {
        return;
      }
      if (lines.size() == MOST) {
        lost++;
      } else {
        lines.add(line);
        lines.notifyAll();
      }
    }
  }

  private void send() {
    var out = new ByteSender(stream);
    try {
      for (String next = next(); next != null; next = next()) {
        out.write((next + "\n").getBytes(StandardCharsets.UTF_8));
        out.flush();
      }
      out.close();
    } catch (IOException | InterruptedException e) {
      LOG.log(Level.DEBUG, "log " + stream.id() + " is sent no more", e);
      out.fail("the log was not sent to its end");
      synchronized (lines) {
        ending = true;
        lines.clear();
      }
    }
  }

  /** Waits for a line, or for {@link #close}. */
  private @Nullable String next() throws InterruptedException {
    synchronized (lines) {
      while (lines.isEmpty() && !ending) {
        lines.wait();
      }
      if (lost > 0 && lines.size() < MOST) {
        String told = lost + " lines were lost here, for they were not taken";
        lost = 0;
        return told;
      }
      return lines.poll();
    }
  }

  @Override
  public void close() {
    synchronized (lines) {
      ending = true;
      lines.notifyAll();
    }
    Farewell.of(thread, FAREWELL, stream);
  }
}
