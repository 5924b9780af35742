package io.jcontainerd.registry;

import io.jcontainerd.core.registry.RegistryAccess.HttpDebug;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/**
 * Writes down what goes over the lines, for people. Of headers that are not known to be harmless
 * there is only the name, of addresses neither query nor user.
 *
 * @param debug what is written down
 * @param to who gets each line
 */
record HttpLog(HttpDebug debug, Consumer<String> to) {
  static final HttpLog NONE = new HttpLog(HttpDebug.DISABLED, _ -> {});

  private static final Set<String> HARMLESS =
      Set.of(
          "accept",
          "accept-encoding",
          "accept-ranges",
          "content-encoding",
          "content-length",
          "content-range",
          "content-type",
          "date",
          "docker-content-digest",
          "docker-distribution-api-version",
          "etag",
          "if-match",
          "if-none-match",
          "oci-chunk-min-length",
          "oci-filters-applied",
          "oci-subject",
          "range",
          "retry-after",
          "server",
          "user-agent",
          "www-authenticate");

  private boolean isOfTraffic() {
    return debug == HttpDebug.DEBUG || debug == HttpDebug.BOTH;
  }

  private boolean isOfTimes() {
    return debug == HttpDebug.TRACE || debug == HttpDebug.BOTH;
  }

  void asks(HttpRequest request) {
    if (isOfTraffic()) {
      to.accept("> " + question(request) + headers(request.headers()));
    }
  }

  void answered(HttpRequest request, HttpResponse<?> response, Duration after) {
    if (isOfTraffic()) {
      to.accept("< " + response.statusCode() + headers(response.headers()));
    }
    if (isOfTimes()) {
      to.accept(
          "%s: answered %d by %s after %d ms"
              .formatted(
                  question(request), response.statusCode(), response.version(), after.toMillis()));
    }
  }

  void failed(HttpRequest request, String why, Duration after) {
    if (isOfTraffic()) {
      to.accept("< none: " + why);
    }
    if (isOfTimes()) {
      to.accept("%s: failed after %d ms: %s".formatted(question(request), after.toMillis(), why));
    }
  }

  private static String question(HttpRequest request) {
    return request.method() + " " + Printable.address(request.uri().toString());
  }

  private static String headers(HttpHeaders headers) {
    return headers.map().entrySet().stream()
        .sorted(Map.Entry.comparingByKey(String.CASE_INSENSITIVE_ORDER))
        .map(header -> "; " + header.getKey() + ": " + value(header.getKey(), header.getValue()))
        .collect(Collectors.joining());
  }

  private static String value(String name, List<String> values) {
    return switch (name.toLowerCase(Locale.ROOT)) {
      case "location" -> Printable.address(String.join(", ", values));
      case String known when HARMLESS.contains(known) -> Printable.text(String.join(", ", values));
      default -> "…";
    };
  }
}
