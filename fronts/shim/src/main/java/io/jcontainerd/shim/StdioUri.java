package io.jcontainerd.shim;

import io.jcontainerd.core.failure.InvalidArgumentException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * One of containerd's names for a stream.
 *
 * @param scheme in lower case; {@code fifo} for a plain path
 * @param path the path part
 * @param query key and value in turn, in order; a value may be empty
 */
record StdioUri(String scheme, Path path, List<String> query) {
  private static final String SEPARATOR = "://";

  StdioUri {
    query = List.copyOf(query);
  }

  /** Reads one. */
  static StdioUri parse(String text) {
    int at = text.indexOf(SEPARATOR);
    if (at < 0) {
      return new StdioUri("fifo", absolute(text, text), List.of());
    }
    String scheme = text.substring(0, at);
    String rest = text.substring(at + SEPARATOR.length());
    int mark = rest.indexOf('?');
    String path = decode(mark < 0 ? rest : rest.substring(0, mark));
    List<String> query = new ArrayList<>();
    if (mark >= 0) {
      for (String pair : rest.substring(mark + 1).split("&", -1)) {
        if (!pair.isEmpty()) {
          int equals = pair.indexOf('=');
          query.add(decode(equals < 0 ? pair : pair.substring(0, equals)));
          query.add(equals < 0 ? "" : decode(pair.substring(equals + 1)));
        }
      }
    }
    return new StdioUri(scheme, absolute(path, text), query);
  }

  /** The path of a stream that must be one. */
  static Path path(String text) {
    StdioUri uri = parse(text);
    if (!uri.isPath()) {
      throw new InvalidArgumentException("stdio " + text + ": only a path can be used here");
    }
    return uri.path();
  }

  /** Whether it names a FIFO or an existing file by its path. */
  boolean isPath() {
    return scheme.equals("fifo");
  }

  private static Path absolute(String path, String whole) {
    Path parsed = Path.of(path);
    if (!parsed.isAbsolute()) {
      throw new InvalidArgumentException("stdio " + whole + ": the path must be absolute");
    }
    return parsed;
  }

  private static String decode(String text) {
    return URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
  }
}
