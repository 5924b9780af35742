package io.jcontainerd.daemon.log;

import static org.assertj.core.api.Assertions.assertThat;

import io.jcontainerd.core.failure.NotFoundException;
import java.io.ByteArrayOutputStream;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.charset.StandardCharsets;
import java.util.logging.LogManager;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class DaemonLogTest {
  private static final String TIME =
      "\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{9}(Z|[+-]\\d\\d:\\d\\d)";

  private final ByteArrayOutputStream out = new OwnLines();
  private final Logger log = System.getLogger("io.jcontainerd.test");

  /** What this thread logs; threads that earlier tests have left may log, too. */
  private static final class OwnLines extends ByteArrayOutputStream {
    private final Thread own = Thread.currentThread();

    @Override
    public synchronized void write(byte[] bytes, int offset, int length) {
      if (Thread.currentThread() == own) {
        super.write(bytes, offset, length);
      }
    }
  }

  @AfterEach
  void reset() {
    LogManager.getLogManager().reset();
  }

  private String lines() {
    return out.toString(StandardCharsets.UTF_8);
  }

  @Test
  void text_lines_look_like_containerds() {
    DaemonLog.install(LogLevel.INFO, false, out);
    log.log(Level.INFO, "starting \"it\"");
    assertThat(lines())
        .matches("time=\"" + TIME + "\" level=info msg=\"starting \\\\\"it\\\\\"\"\n");
  }

  @Test
  void json_lines_are_objects() {
    DaemonLog.install(LogLevel.INFO, true, out);
    log.log(Level.WARNING, "a\nb");
    assertThat(lines())
        .matches("\\{\"time\":\"" + TIME + "\",\"level\":\"warning\",\"msg\":\"a\\\\nb\"}\n");
  }

  @Test
  void a_known_failure_is_a_message_and_a_bug_has_a_stack() {
    DaemonLog.install(LogLevel.INFO, false, out);
    log.log(Level.ERROR, "no", new NotFoundException("image x"));
    assertThat(lines()).endsWith(" level=error msg=no error=\"image x\"\n");
    log.log(Level.ERROR, "no", new IllegalStateException("bug"));
    assertThat(lines()).contains("stack=\"java.lang.IllegalStateException: bug\\n\\tat ");
  }

  @Test
  void levels_hide_what_is_less_severe() {
    DaemonLog.install(LogLevel.WARN, false, out);
    log.log(Level.INFO, "hidden");
    log.log(Level.WARNING, "shown");
    assertThat(lines()).contains("shown").doesNotContain("hidden");
    DaemonLog.install(LogLevel.TRACE, false, out);
    log.log(Level.TRACE, "fine");
    assertThat(lines()).contains("level=trace msg=fine");
    DaemonLog.install(LogLevel.FATAL, false, out);
    log.log(Level.ERROR, "lost");
    assertThat(lines()).doesNotContain("lost");
  }

  @Test
  void the_servers_warning_of_every_connection_is_silenced() {
    DaemonLog.install(LogLevel.TRACE, false, out);
    System.getLogger("io.netty.bootstrap").log(Level.WARNING, "Unknown channel option");
    assertThat(lines()).isEmpty();
  }
}
