package io.jcontainerd.daemon.log;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.logging.ErrorManager;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogManager;
import java.util.logging.LogRecord;
import java.util.logging.Logger;

/** Sends everything that the rooms and libraries log to standard error. */
public final class DaemonLog {
  /** Libraries that say much and mean little to the one who runs the daemon. */
  private static final List<Logger> QUIET =
      List.of(Logger.getLogger("io.netty"), Logger.getLogger("io.grpc"), Logger.getLogger("sun"));

  /** It warns on every connection that a unix socket has no keep-alive option. */
  private static final Logger BOOTSTRAP = Logger.getLogger("io.netty.bootstrap");

  private DaemonLog() {}

  /** Takes the place of whatever logging was set up before. */
  public static void install(LogLevel level, boolean json) {
    install(level, json, new FileOutputStream(FileDescriptor.err));
  }

  static void install(LogLevel level, boolean json, OutputStream out) {
    LogManager.getLogManager().reset();
    Logger root = Logger.getLogger("");
    root.setLevel(level.threshold());
    root.addHandler(new Lines(new LineFormatter(json), out));
    Level quiet =
        level.threshold().intValue() > Level.WARNING.intValue() ? level.threshold() : Level.WARNING;
    QUIET.forEach(logger -> logger.setLevel(quiet));
    BOOTSTRAP.setLevel(Level.SEVERE);
  }

  /** Writes each line with one call, so that lines of several processes do not mix. */
  private static final class Lines extends Handler {
    private final OutputStream out;

    Lines(LineFormatter formatter, OutputStream out) {
      this.out = out;
      setFormatter(formatter);
    }

    @Override
    public void publish(LogRecord record) {
      if (!isLoggable(record)) {
        return;
      }
      byte[] line = getFormatter().format(record).getBytes(StandardCharsets.UTF_8);
      try {
        out.write(line);
      } catch (IOException e) {
        reportError("cannot log", e, ErrorManager.WRITE_FAILURE);
      }
    }

    @Override
    public void flush() {}

    @Override
    public void close() {}
  }
}
