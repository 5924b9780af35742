package io.jcontainerd.demo;

import io.jcontainerd.client.Progress;
import io.jcontainerd.client.Progress.Stage;
import java.io.PrintStream;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/**
 * Shows how a pull or push goes: on a terminal a bar for each blob, drawn over again as news comes,
 * else a line for each blob that reaches a new stage. Safe for many threads.
 */
final class ProgressDisplay implements Progress.Listener, AutoCloseable {
  private static final int BAR = 24;
  private static final long SMALL = 1 << 20;
  private static final long SHORT_NANOS = 10_000_000;
  private static final long REDRAW_NANOS = 80_000_000;

  /** One blob's way. */
  private static final class Item {
    private Stage stage = Stage.WAITING;
    private long done;
    private long total;
    private long began;
    private long ended;
  }

  private final PrintStream out;
  private final boolean terminal;
  private final Map<String, Item> items = new LinkedHashMap<>();
  private int drawn;
  private long lastDraw;

  ProgressDisplay(PrintStream out, boolean terminal) {
    this.out = out;
    this.terminal = terminal;
  }

  @Override
  public synchronized void progress(Progress news) {
    if (news.stage() == Stage.RESOLVING || news.stage() == Stage.DONE) {
      return;
    }
    long now = System.nanoTime();
    Item item = items.computeIfAbsent(news.item(), _ -> new Item());
    boolean changed = item.stage != news.stage();
    item.stage = news.stage();
    if (news.total() > 0) {
      item.done = news.done();
      item.total = news.total();
    }
    if (item.began == 0 && news.stage() == Stage.TRANSFERRING) {
      item.began = now;
    }
    if (news.stage() == Stage.TRANSFERRED || news.stage() == Stage.PRESENT) {
      item.ended = now;
    }
    if (terminal) {
      if (now - lastDraw > REDRAW_NANOS) {
        lastDraw = now;
        draw();
      }
    } else if (changed && news.stage() != Stage.WAITING && news.stage() != Stage.TRANSFERRING) {
      out.println("  " + line(news.item(), item, ""));
    }
  }

  private void draw() {
    StringBuilder screen = new StringBuilder();
    if (drawn > 0) {
      screen.append("\u001b[").append(drawn).append('A');
    }
    items.forEach(
        (name, item) ->
            screen.append("\u001b[2K  ").append(line(name, item, bar(item))).append('\n'));
    drawn = items.size();
    out.print(screen);
    out.flush();
  }

  private static String bar(Item item) {
    int full = item.total == 0 ? 0 : (int) (BAR * item.done / item.total);
    return "[" + "#".repeat(full) + ".".repeat(BAR - full) + "] ";
  }

  private static String line(String name, Item item, String bar) {
    return String.format(
        Locale.ROOT,
        "%s  %s%9s / %-9s  %-12s %s",
        shorten(name),
        bar,
        bytes(item.done),
        bytes(item.total),
        item.stage.name().toLowerCase(Locale.ROOT),
        rate(item));
  }

  private static String rate(Item item) {
    long nanos = (item.ended == 0 ? System.nanoTime() : item.ended) - item.began;
    if (item.began == 0 || item.done < SMALL || nanos < SHORT_NANOS) {
      return ""; // too little to tell
    }
    return bytes((long) (item.done * 1e9 / nanos)) + "/s";
  }

  private static String shorten(String name) {
    int colon = name.indexOf(':');
    return colon > 0 && name.length() > colon + 12 ? name.substring(colon + 1, colon + 13) : name;
  }

  /** Bytes for people. */
  static String bytes(long count) {
    if (count < 1024) {
      return count + " B";
    }
    return count < 1 << 20
        ? String.format(Locale.ROOT, "%.1f KiB", count / 1024.0)
        : String.format(Locale.ROOT, "%.1f MiB", count / 1048576.0);
  }

  @Override
  public synchronized void close() {
    if (terminal) {
      draw();
    }
  }
}
