package io.jcontainerd.cli;

import io.jcontainerd.core.transfer.TransferListener;
import io.jcontainerd.core.transfer.TransferProgress;
import java.io.Console;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Shows how a transfer goes: bars that move on a terminal, and elsewhere a plain line whenever
 * something begins or ends. Closing draws the last state. Safe for many threads.
 */
final class TransferView implements TransferListener, AutoCloseable {
  private static final Duration REDRAW = Duration.ofMillis(100);
  private static final int USUAL_WIDTH = 100;

  private final PrintWriter out;
  private final boolean terminal;
  private final int width;
  private final TransferBars bars = new TransferBars(); // guarded by this
  private final Map<String, String> told = new HashMap<>(); // guarded by this
  private int drawn; // guarded by this
  private boolean changed; // guarded by this
  private boolean closed; // guarded by this
  private final Thread drawer;

  /**
   * @param out where people look
   * @param terminal whether lines can be written over
   */
  TransferView(PrintWriter out, boolean terminal) {
    this.out = out;
    this.terminal = terminal;
    this.width = width();
    this.drawer = Thread.ofVirtual().unstarted(this::redraw);
    if (terminal) {
      drawer.start();
    }
  }

  /** Whether this program speaks to a person. */
  static boolean isTerminal() {
    return Optional.ofNullable(System.console()).filter(Console::isTerminal).isPresent();
  }

  private static int width() {
    String columns = System.getenv().getOrDefault("COLUMNS", "");
    return columns.matches("[1-9][0-9]{1,3}") ? Integer.parseInt(columns) : USUAL_WIDTH;
  }

  @Override
  public synchronized void progress(TransferProgress progress) {
    if (closed) {
      return;
    }
    if (terminal) {
      bars.hear(progress, System.nanoTime());
      changed = true;
    } else if (!progress.event().equals(told.put(progress.name(), progress.event()))) {
      out.println(line(progress));
      out.flush();
    }
  }

  private static String line(TransferProgress progress) {
    String size = progress.total() > 0 ? " (" + Bytes.text(progress.total()) + ")" : "";
    return Printable.text(
        progress.name().isEmpty()
            ? progress.event()
            : progress.name() + ": " + progress.event() + size);
  }

  private void redraw() {
    try {
      while (!isClosed()) {
        draw();
        Thread.sleep(REDRAW);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // by close
    }
  }

  private synchronized boolean isClosed() {
    return closed;
  }

  /** Writes over what was drawn before. */
  private synchronized void draw() {
    if (!changed) {
      return;
    }
    changed = false;
    List<String> lines = bars.lines(width - 1, System.nanoTime());
    StringBuilder text = new StringBuilder();
    if (drawn > 0) {
      text.append("\u001b[").append(drawn).append('F');
    }
    lines.forEach(line -> text.append(line).append("\u001b[K\n"));
    out.print(text);
    out.flush();
    drawn = lines.size();
  }

  @Override
  public void close() {
    synchronized (this) {
      if (closed) {
        return;
      }
      draw();
      closed = true;
    }
    drawer.interrupt();
  }
}
