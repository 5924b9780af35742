package io.jcontainerd.shim;

import java.time.temporal.ChronoUnit;
import java.util.logging.ConsoleHandler;
import java.util.logging.Formatter;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;

/** The host's log: a line for each record on standard error, in the manner of containerd's own. */
final class HostLog {
  /** Kept, since loggers are only weakly held by the JDK and would forget their level. */
  private static final Logger OURS = Logger.getLogger("io.jcontainerd");

  private HostLog() {}

  /**
   * Sets it up. When the JVM begins to end, the JDK takes all handlers away: who lives on then
   * calls this again, which does nothing while the handler is there.
   */
  static synchronized void configure(boolean debug) {
    Logger root = Logger.getLogger("");
    for (Handler handler : root.getHandlers()) {
      if (handler.getFormatter() instanceof Lines) {
        return;
      }
      root.removeHandler(handler);
    }
    OURS.setLevel(debug ? Level.FINE : Level.INFO);
    ConsoleHandler handler = new ConsoleHandler();
    handler.setFormatter(new Lines());
    handler.setLevel(Level.ALL);
    root.addHandler(handler);
  }

  private static final class Lines extends Formatter {
    @Override
    public String format(LogRecord record) {
      StringBuilder line = new StringBuilder(120);
      line.append("time=\"")
          .append(record.getInstant().truncatedTo(ChronoUnit.MICROS))
          .append("\" level=")
          .append(level(record.getLevel()))
          .append(" msg=\"")
          .append(escape(formatMessage(record)))
          .append('"');
      Throwable thrown = record.getThrown();
      if (thrown != null) {
        line.append(" error=\"").append(escape(thrown.toString())).append('"');
        for (StackTraceElement frame : thrown.getStackTrace()) {
          line.append("\n    at ").append(frame);
        }
      }
      return line.append('\n').toString();
    }

    private static String level(Level level) {
      if (level.intValue() >= Level.SEVERE.intValue()) {
        return "error";
      }
      if (level.intValue() >= Level.WARNING.intValue()) {
        return "warning";
      }
      return level.intValue() >= Level.INFO.intValue() ? "info" : "debug";
    }

    private static String escape(String text) {
      return text.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n");
    }
  }
}
