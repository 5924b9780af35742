package io.jcontainerd.daemon.log;

import io.jcontainerd.core.failure.ContainerdException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.logging.Formatter;
import java.util.logging.LogRecord;

/**
 * One line a record, as text ({@code time="…" level=info msg="…"}) or as a JSON object.
 *
 * <p>A failure of the known kinds adds its message as {@code error}; any other throwable is a bug
 * and adds its stack too.
 */
final class LineFormatter extends Formatter {
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.nnnnnnnnnXXX");

  private final boolean json;
  private final ZoneId zone = ZoneId.systemDefault();

  LineFormatter(boolean json) {
    this.json = json;
  }

  @Override
  public String format(LogRecord record) {
    var fields = new LinkedHashMap<String, String>();
    fields.put("time", TIME.format(record.getInstant().atZone(zone)));
    fields.put("level", LogLevel.word(record.getLevel()));
    fields.put("msg", formatMessage(record));
    Throwable thrown = record.getThrown();
    if (thrown != null) {
      fields.put("error", thrown instanceof ContainerdException ? message(thrown) : "" + thrown);
      if (!(thrown instanceof ContainerdException)) {
        fields.put("stack", stack(thrown));
      }
    }
    return json ? jsonLine(fields) : textLine(fields);
  }

  private static String message(Throwable thrown) {
    return String.valueOf(thrown.getMessage());
  }

  private static String stack(Throwable thrown) {
    var text = new StringWriter();
    thrown.printStackTrace(new PrintWriter(text));
    return text.toString();
  }

  private static String textLine(Map<String, String> fields) {
    var line = new StringBuilder();
    fields.forEach(
        (key, value) -> {
          line.append(line.isEmpty() ? "" : " ").append(key).append('=');
          if (value.isEmpty() || !value.chars().allMatch(LineFormatter::plain)) {
            quote(line, value);
          } else {
            line.append(value);
          }
        });
    return line.append('\n').toString();
  }

  private static String jsonLine(Map<String, String> fields) {
    var line = new StringBuilder("{");
    fields.forEach(
        (key, value) -> {
          line.append(line.length() == 1 ? "" : ",");
          quote(line, key);
          line.append(':');
          quote(line, value);
        });
    return line.append("}\n").toString();
  }

  private static boolean plain(int c) {
    return (c >= 'a' && c <= 'z')
        || (c >= 'A' && c <= 'Z')
        || (c >= '0' && c <= '9')
        || "-._/@^+".indexOf(c) >= 0;
  }

  private static void quote(StringBuilder line, String value) {
    line.append('"');
    for (int i = 0; i < value.length(); i++) {
      char c = value.charAt(i);
      switch (c) {
        case '"' -> line.append("\\\"");
        case '\\' -> line.append("\\\\");
        case '\n' -> line.append("\\n");
        case '\r' -> line.append("\\r");
        case '\t' -> line.append("\\t");
        default -> {
          if (c < 0x20 || c == 0x7f) {
            line.append(String.format("\\u%04x", (int) c));
          } else {
            line.append(c);
          }
        }
      }
    }
    line.append('"');
  }
}
