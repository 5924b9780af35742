package io.jcontainerd.testkit.registry;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * A request as it came to a {@link ScriptedRegistry}.
 *
 * @param method of HTTP
 * @param target path and query, as they came
 * @param headers all values by name in lower case
 * @param body what was read of the body
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
public record Seen(String method, String target, Map<String, List<String>> headers, byte[] body) {
  /** Copies the headers. */
  public Seen {
    headers = Map.copyOf(headers);
  }

  /** The header's first value. */
  public Optional<String> header(String name) {
    return headers.getOrDefault(name.toLowerCase(Locale.ROOT), List.of()).stream().findFirst();
  }

  /** Whether it is of this method. */
  public boolean is(String wanted) {
    return method.equals(wanted);
  }

  /** The target without its query. */
  public String path() {
    int query = target.indexOf('?');
    return query < 0 ? target : target.substring(0, query);
  }

  /** The query without its question mark; empty if there is none. */
  public String query() {
    int query = target.indexOf('?');
    return query < 0 ? "" : target.substring(query + 1);
  }

  @Override
  public String toString() {
    return method + " " + target;
  }
}
