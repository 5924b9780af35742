package io.jcontainerd.cli;

import io.jcontainerd.core.transfer.TransferProgress;
import io.jcontainerd.core.transfer.TransferProgress.Event;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What a transfer looks like: a line of words for the whole, and one for each part with a bar, its
 * rate and the time that is left. Knows nothing of terminals; times are given. For one thread.
 */
final class TransferBars {
  /** Rates are of the last seconds, so that a line that stalls is seen to. */
  private static final Duration WINDOW = Duration.ofSeconds(3);

  private static final int NAME_WIDTH = 24;
  private static final int EVENT_WIDTH = 14;
  private static final int BYTES_WIDTH = 21;
  private static final int RATE_WIDTH = 20;
  private static final int LEAST_BAR = 8;
  private static final int DIGITS = 12;

  private record Sample(long nanos, long bytes) {}

  private static final class Part {
    private final String name;
    private String event = "";
    private long done;
    private long total;
    private final List<Sample> samples = new ArrayList<>();

    Part(String name) {
      this.name = name;
    }

    void hear(TransferProgress progress, long nanos) {
      if (!progress.event().equals(event)) {
        samples.clear();
      }
      event = progress.event();
      total = Math.max(total, progress.total());
      done = event.equals(Event.COMPLETE) && progress.progress() == 0 ? total : progress.progress();
      samples.removeIf(sample -> nanos - sample.nanos > WINDOW.toNanos());
      samples.add(new Sample(nanos, done));
    }

    boolean isMoving() {
      return event.equals(Event.DOWNLOADING)
          || event.equals(Event.UPLOADING)
          || event.equals(Event.EXTRACTING);
    }

    /** Bytes a second; 0 while nobody knows. */
    long rate(long nanos) {
      if (samples.isEmpty()) {
        return 0;
      }
      Sample first = samples.getFirst();
      double seconds = (nanos - first.nanos) / 1e9;
      return seconds < 0.2 ? 0 : (long) ((done - first.bytes) / seconds);
    }
  }

  private final Map<String, Part> parts = new LinkedHashMap<>();
  private String headline = "";

  /** Takes in what happened. */
  void hear(TransferProgress progress, long nanos) {
    if (progress.name().isEmpty() || progress.event().equals(Event.SAVED)) {
      headline = words(progress);
    } else {
      parts.computeIfAbsent(progress.name(), Part::new).hear(progress, nanos);
    }
  }

  /** The words of something that happened to the whole. */
  static String words(TransferProgress progress) {
    return Printable.text(
        progress.name().isEmpty() ? progress.event() : progress.event() + " " + progress.name());
  }

  /** All lines as they are now, none longer than the width. */
  List<String> lines(int width, long nanos) {
    List<String> lines = new ArrayList<>();
    lines.add(cut(headline, width));
    parts.values().forEach(part -> lines.add(cut(line(part, width, nanos), width)));
    return lines;
  }

  private static String line(Part part, int width, long nanos) {
    String start =
        padded(Printable.text(shortName(part.name)), NAME_WIDTH)
            + " "
            + padded(Printable.text(part.event), EVENT_WIDTH);
    if (part.total == 0) {
      return start.stripTrailing();
    }
    String bytes = padded(Bytes.text(part.done) + " / " + Bytes.text(part.total), BYTES_WIDTH);
    long rate = part.isMoving() ? part.rate(nanos) : 0;
    String pace = padded(rate > 0 ? pace(rate, part.total - part.done) : "", RATE_WIDTH);
    int room = width - start.length() - bytes.length() - pace.length() - 4;
    return room < LEAST_BAR
        ? (start + " " + bytes + " " + pace).stripTrailing()
        : (start + " " + bar(part.done, part.total, room) + " " + bytes + " " + pace)
            .stripTrailing();
  }

  private static String pace(long rate, long left) {
    return Bytes.text(rate) + "/s " + time(Math.max(0, left) / Math.max(1, rate));
  }

  /** Seconds as people say them. */
  static String time(long seconds) {
    if (seconds < 60) {
      return seconds + " s";
    }
    return seconds < 3600
        ? String.format(Locale.ROOT, "%d min %02d s", seconds / 60, seconds % 60)
        : String.format(Locale.ROOT, "%d h %02d min", seconds / 3600, seconds % 3600 / 60);
  }

  private static String bar(long done, long total, int width) {
    int inside = width - 2;
    int filled = (int) Math.min(inside, inside * (double) done / total);
    String tip = filled > 0 && filled < inside ? ">" : "";
    return "[" + "=".repeat(filled - tip.length()) + tip + " ".repeat(inside - filled) + "]";
  }

  /** {@code layer-sha256:0123…} with as many digits as tell it from others. */
  static String shortName(String name) {
    int colon = name.indexOf(':');
    return colon > 0 && name.length() > colon + 1 + DIGITS && name.indexOf('/') < 0
        ? name.substring(0, colon).replace("-sha256", " ")
            + name.substring(colon + 1, colon + 1 + DIGITS)
        : name;
  }

  private static String padded(String text, int width) {
    return text + " ".repeat(Math.max(0, width - text.length()));
  }

  private static String cut(String text, int width) {
    return text.length() <= width ? text : text.substring(0, width);
  }
}
