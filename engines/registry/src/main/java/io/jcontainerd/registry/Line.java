package io.jcontainerd.registry;

import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Sends one request and follows redirects; it waits for nobody who does not move.
 *
 * <p>Credentials and configured headers go to the host that is asked and nowhere else: a redirect
 * to another takes them off for good, also when it leads back, and one from TLS to none fails.
 *
 * <p>Whoever speaks TLS is offered HTTP/2, but not for much at once, which belongs on a connection
 * of its own. A connection that fell silent would be used for all that comes after, so for a while
 * its host is spoken to without HTTP/2. Safe for many threads.
 */
final class Line {
  private static final int MOST_HOPS = 10;
  private static final Duration DISTRUST = Duration.ofMinutes(5);

  /** The longest that anything but a blob may come drop by drop. */
  private static final Duration SMALL_IN_TIME = Duration.ofMinutes(2);

  /**
   * What is sent, to wherever it is redirected.
   *
   * @param home whose credentials and configured headers these are
   * @param method of HTTP
   * @param uri the first place, at home or elsewhere
   * @param headers sent everywhere
   * @param own sent only home; each takes the place of others of its name
   * @param body sent everywhere, where the method has one; to who gives tokens it is a secret, and
   *     a redirect to another host fails
   * @param alone whether it belongs on a connection of its own
   * @param registry whether home is a registry, and not who gives tokens for it
   */
  record Question(
      URI home,
      String method,
      URI uri,
      Map<String, String> headers,
      Map<String, List<String>> own,
      Optional<UploadBody> body,
      boolean alone,
      boolean registry) {
    Question(Ask ask) {
      this(
          ask.host().base(),
          ask.method(),
          ask.uri(),
          ask.headers(),
          ask.host().attempt().headers(),
          ask.body(),
          ask.isForOneConnection(),
          true);
    }

    /** Whether a blob comes, and not a document or a word of thanks. */
    boolean isForMuch() {
      return alone && body.isEmpty();
    }

    /** Whether its body proves to who gives tokens who we are. */
    boolean isSecret() {
      return !registry && body.isPresent();
    }
  }

  private final RegistryOptions options;
  private final Map<String, Instant> distrusted = new ConcurrentHashMap<>();

  Line(RegistryOptions options) {
    this.options = options;
  }

  /**
   * The answer, of whatever status.
   *
   * @param proof a header that proves who we are; empty if there is none
   * @throws IOException if there is none; its text says why
   */
  HttpResponse<InputStream> follow(HttpClient http, Question question, String proof)
      throws IOException, InterruptedException {
    URI uri = question.uri;
    boolean ours = true;
    for (int hop = 0; hop <= MOST_HOPS; hop++) {
      ours &= isSameHost(question.home, uri);
      HttpResponse<InputStream> response = transmit(http, question, uri, ours, proof);
      Optional<String> location = response.headers().firstValue("Location");
      if (location.isEmpty() || !isRedirect(response.statusCode(), question.method)) {
        return response;
      }
      Answer.drop(response);
      try {
        uri = NamedAddress.resolve(uri, location.get());
      } catch (IOException e) {
        throw new FinalException("redirect: " + e.getMessage(), e);
      }
      if (question.isSecret() && !isSameHost(question.home, uri)) {
        throw new FinalException(
            "redirect: a secret is not sent on from "
                + Printable.authority(question.home)
                + " to "
                + Printable.authority(uri));
      }
    }
    throw new FinalException("more than " + MOST_HOPS + " redirects");
  }

  static boolean isSameHost(URI one, URI other) {
    return String.valueOf(one.getScheme()).equals(other.getScheme())
        && String.valueOf(one.getRawAuthority()).equalsIgnoreCase(other.getRawAuthority());
  }

  private static boolean isRedirect(int status, String method) {
    boolean reading = method.equals("GET") || method.equals("HEAD");
    return switch (status) {
      case 301, 302, 303 -> reading;
      case 307, 308 -> true;
      default -> false;
    };
  }

  private HttpResponse<InputStream> transmit(
      HttpClient http, Question question, URI uri, boolean ours, String proof)
      throws IOException, InterruptedException {
    AtomicLong moved = new AtomicLong(options.time().nanoTime());
    Optional<UploadBody.Use> body =
        question.body.map(
            what -> new UploadBody.Use(what, () -> moved.set(options.time().nanoTime())));
    HttpRequest request = request(question, uri, ours, proof, body);
    long began = options.time().nanoTime();
    options.log().asks(request);
    try {
      HttpResponse<InputStream> response = send(http, question, request, uri, body, moved);
      options.log().answered(request, response, since(began));
      return response;
    } catch (IOException e) {
      options.log().failed(request, Exchange.text(e), since(began));
      throw e;
    }
  }

  private Duration since(long began) {
    return Duration.ofNanos(options.time().nanoTime() - began);
  }

  private HttpResponse<InputStream> send(
      HttpClient http,
      Question question,
      HttpRequest request,
      URI uri,
      Optional<UploadBody.Use> body,
      AtomicLong moved)
      throws IOException, InterruptedException {
    try {
      return body.isEmpty()
          ? http.send(request, handler(question, uri))
          : upload(
              http.sendAsync(request, handler(question, uri)),
              body.get(),
              moved,
              options.answerTimeout(question.method),
              options.sendTimeout(question.method));
    } catch (HttpConnectTimeoutException e) {
      throw new IOException("no connection in time", e);
    } catch (HttpTimeoutException e) {
      distrust(uri);
      String text = String.valueOf(e.getMessage());
      throw new NoAnswerException(
          text.equals("request timed out")
              ? "no answer within " + options.answerTimeout(question.method).toMillis() + " ms"
              : text,
          e);
    } catch (ConnectException e) {
      throw e.getMessage() == null ? new IOException("connection refused", e) : e;
    } catch (IOException e) {
      IOException unreadable = body.map(UploadBody.Use::unreadable).orElse(null);
      if (unreadable != null) {
        throw new FinalException(
            "what is to be sent cannot be read: " + Exchange.text(unreadable), unreadable);
      }
      throw e;
    }
  }

  private HttpResponse.BodyHandler<InputStream> handler(Question question, URI uri) {
    return BodyStream.handler(
        status ->
            new BodyStream.Limits(
                options.stallTimeout(),
                () -> distrust(uri),
                question.isForMuch() && status / 100 == 2
                    ? Optional.empty()
                    : Optional.of(SMALL_IN_TIME)),
        options.time());
  }

  private void distrust(URI uri) {
    distrusted.put(uri.getAuthority(), options.time().now().plus(DISTRUST));
  }

  private HttpRequest request(
      Question question, URI uri, boolean ours, String proof, Optional<UploadBody.Use> body)
      throws IOException {
    try {
      HttpRequest.Builder request =
          HttpRequest.newBuilder(uri)
              .version(version(question, uri))
              .method(
                  question.method,
                  body.<HttpRequest.BodyPublisher>map(use -> use).orElse(BodyPublishers.noBody()))
              .header("User-Agent", options.userAgent())
              .header("Accept-Encoding", "identity");
      if (body.isEmpty()) {
        request.timeout(options.answerTimeout(question.method));
      }
      question.headers.forEach(request::setHeader);
      options
          .proxyAuthorization(uri)
          .ifPresent(text -> request.header("Proxy-Authorization", text));
      if (ours) {
        if (!proof.isEmpty()) {
          request.header("Authorization", proof);
        }
        if (question.registry) {
          options.headers().forEach(request::setHeader);
        }
        question.own.forEach((name, values) -> own(request, name, values));
      }
      return request.build();
    } catch (IllegalArgumentException _) {
      // what the JDK says of it may hold a secret
      throw new FinalException("an address or a header of the request cannot be sent");
    }
  }

  /** A configured header takes the place of ours. */
  private static void own(HttpRequest.Builder request, String name, List<String> values) {
    for (int i = 0; i < values.size(); i++) {
      if (i == 0) {
        request.setHeader(name, values.get(i));
      } else {
        request.header(name, values.get(i));
      }
    }
  }

  private HttpClient.Version version(Question question, URI uri) {
    Instant until = distrusted.get(uri.getAuthority());
    boolean trusted = until == null || options.time().now().isAfter(until);
    return uri.getScheme().equals("https") && !question.alone && trusted
        ? HttpClient.Version.HTTP_2
        : HttpClient.Version.HTTP_1_1;
  }

  /**
   * The JDK limits the time of the whole; here it is the time in which nothing moves. What is
   * waited for changes once all was sent, so no single wait is longer than the shorter limit.
   */
  private HttpResponse<InputStream> upload(
      CompletableFuture<HttpResponse<InputStream>> answer,
      UploadBody.Use body,
      AtomicLong moved,
      Duration answered,
      Duration taken)
      throws IOException, InterruptedException {
    long shorter = Math.min(answered.toNanos(), taken.toNanos());
    while (true) {
      boolean sent = body.isSent();
      Duration limit = sent ? answered : taken;
      long left = limit.toNanos() - (options.time().nanoTime() - moved.get());
      if (left <= 0) {
        answer.cancel(true);
        throw new HttpTimeoutException(
            (sent ? "no answer within " : "no bytes were taken for ") + limit.toMillis() + " ms");
      }
      try {
        return answer.get(Math.min(left, shorter), TimeUnit.NANOSECONDS);
      } catch (TimeoutException _) {
        // something may have moved meanwhile
      } catch (InterruptedException e) {
        answer.cancel(true);
        throw e;
      } catch (ExecutionException e) {
        throw e.getCause() instanceof IOException known
            ? known
            : new IOException(Exchange.text(e), e);
      }
    }
  }
}
