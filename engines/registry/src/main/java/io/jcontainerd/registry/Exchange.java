package io.jcontainerd.registry;

import io.jcontainerd.core.failure.CancelledException;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.UnavailableException;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpResponse;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Sends a request until there is an answer that is worth looking at: it follows redirects, answers
 * refusals with credentials, and tries again what failed for reasons that may pass.
 *
 * <p>Credentials go to the registry itself and nowhere else; a redirect to another host, or from
 * TLS to none, takes them off or fails.
 */
final class Exchange {
  private static final Set<Integer> PASSING = Set.of(408, 429, 500, 502, 503, 504);
  private static final int MOST_HOPS = 10;
  private static final Duration FIRST_WAIT = Duration.ofMillis(200);

  /** The slowest upload that is not given up, in bytes a second. */
  private static final long SLOWEST = 16 << 10;

  private final RegistryOptions options;
  private final Authorizer authorizer;

  Exchange(RegistryOptions options) {
    this.options = options;
    this.authorizer = new Authorizer(options);
  }

  /** The failure that an answer tells; its body is consumed. */
  ContainerdException failure(Ask ask, HttpResponse<InputStream> response) {
    return Answers.failure(ask, response, authorizer.who(ask, response));
  }

  /**
   * The answer, whatever its status. The caller closes its body.
   *
   * @throws UnavailableException if none came
   */
  HttpResponse<InputStream> send(Ask ask) {
    IOException last = null;
    for (int attempt = 1; ; attempt++) {
      Duration wait = FIRST_WAIT.multipliedBy(1L << Math.min(attempt - 1, 8));
      try {
        HttpResponse<InputStream> response = authorized(ask);
        if (!PASSING.contains(response.statusCode()) || attempt >= ask.host().tries()) {
          return response;
        }
        Optional<Duration> asked = retryAfter(response);
        if (asked.isPresent() && asked.get().compareTo(options.patience()) > 0) {
          return response;
        }
        Answers.drop(response);
        wait = asked.orElse(wait);
      } catch (IOException e) {
        if (last != null) {
          e.addSuppressed(last);
        }
        last = e;
        if (attempt >= ask.host().tries() || isOfCertificates(e)) {
          throw new UnavailableException(
              "image " + ask.reference() + ": registry " + ask.host().name() + ": " + text(e), e);
        }
      } catch (InterruptedException e) {
        throw interrupted(ask, e);
      }
      try {
        options.time().sleep(wait);
      } catch (InterruptedException e) {
        throw interrupted(ask, e);
      }
    }
  }

  private static CancelledException interrupted(Ask ask, InterruptedException e) {
    Thread.currentThread().interrupt();
    return new CancelledException(
        "image " + ask.reference() + ": " + ask.method() + " to " + ask.host().name(), e);
  }

  /** Who is not believed now will not be believed in a second. */
  private static boolean isOfCertificates(Throwable failure) {
    Throwable at = failure;
    while (at != null && !(at instanceof GeneralSecurityException)) {
      at = at.getCause();
    }
    return at != null;
  }

  static String text(Throwable failure) {
    Throwable deepest = failure;
    while (deepest.getMessage() == null && deepest.getCause() != null) {
      deepest = deepest.getCause();
    }
    return deepest.getMessage() == null
        ? failure.getClass().getSimpleName().replace("Exception", "")
        : String.valueOf(deepest.getMessage());
  }

  private Optional<Duration> retryAfter(HttpResponse<?> response) {
    return Answers.header(response, "Retry-After")
        .flatMap(
            text -> {
              if (text.matches("[0-9]{1,9}")) {
                return Optional.of(Duration.ofSeconds(Long.parseLong(text)));
              }
              try {
                Instant when =
                    ZonedDateTime.parse(text, DateTimeFormatter.RFC_1123_DATE_TIME).toInstant();
                Duration wait = Duration.between(options.time().now(), when);
                return Optional.of(wait.isNegative() ? Duration.ZERO : wait);
              } catch (DateTimeParseException _) {
                return Optional.empty();
              }
            });
  }

  private HttpResponse<InputStream> authorized(Ask ask) throws IOException, InterruptedException {
    Optional<String> proof = authorizer.known(ask);
    HttpResponse<InputStream> response = follow(ask, proof.orElse(null));
    if (response.statusCode() != 401 || !ask.host().owns(response.uri())) {
      return response;
    }
    Optional<String> better = authorizer.answer(ask, response);
    if (better.isEmpty()) {
      return response;
    }
    Answers.drop(response);
    return follow(ask, better.get());
  }

  private HttpResponse<InputStream> follow(Ask ask, @Nullable String proof)
      throws IOException, InterruptedException {
    URI uri = ask.uri();
    String method = ask.method();
    for (int hop = 0; hop <= MOST_HOPS; hop++) {
      HttpResponse<InputStream> response =
          ask.host()
              .http()
              .send(request(ask, method, uri, proof), BodyStream.handler(options.stallTimeout()));
      Optional<String> location = Answers.header(response, "Location");
      if (location.isEmpty() || !isRedirect(response.statusCode(), method)) {
        return response;
      }
      Answers.drop(response);
      try {
        uri = NamedAddress.resolve(uri, location.get());
      } catch (IOException e) {
        throw new IOException("redirect: " + e.getMessage(), e);
      }
    }
    throw new IOException("more than " + MOST_HOPS + " redirects");
  }

  private static boolean isRedirect(int status, String method) {
    boolean reading = method.equals("GET") || method.equals("HEAD");
    return switch (status) {
      case 301, 302, 303 -> reading;
      case 307, 308 -> true;
      default -> false;
    };
  }

  private HttpRequest request(Ask ask, String method, URI uri, @Nullable String proof) {
    BodyPublisher body = ask.body().get();
    Duration timeout = options.answerTimeout().plusSeconds(ask.length() / SLOWEST);
    HttpRequest.Builder request =
        HttpRequest.newBuilder(uri)
            .timeout(timeout)
            .method(method, body)
            .header("User-Agent", options.userAgent());
    ask.headers().forEach(request::header);
    options.proxyAuthorization(uri).ifPresent(text -> request.header("Proxy-Authorization", text));
    if (ask.host().owns(uri)) {
      if (proof != null) {
        request.header("Authorization", proof);
      }
      ask.host().attempt().headers().forEach((name, values) -> configured(request, name, values));
    }
    return request.build();
  }

  /** A configured header takes the place of ours. */
  private static void configured(HttpRequest.Builder request, String name, List<String> values) {
    for (int i = 0; i < values.size(); i++) {
      if (i == 0) {
        request.setHeader(name, values.get(i));
      } else {
        request.header(name, values.get(i));
      }
    }
  }
}
