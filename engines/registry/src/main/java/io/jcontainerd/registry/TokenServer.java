package io.jcontainerd.registry;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.UnauthenticatedException;
import io.jcontainerd.oci.json.JsonObject;
import io.jcontainerd.registry.Credentials.Kind;
import io.jcontainerd.registry.hosts.Resolution;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;

/**
 * Gets tokens from the servers that registries name: anonymously or by a password with GET (token
 * authentication), by an identity token, or by a password where GET is not spoken, with POST
 * (OAuth2). Safe for many threads.
 */
final class TokenServer {
  private static final int LONGEST_ANSWER = 1 << 20;
  private static final Duration SHORTEST_LIFE = Duration.ofSeconds(60);
  private static final Duration LONGEST_LIFE = Duration.ofDays(1);
  private static final Duration MARGIN = Duration.ofSeconds(10);
  private static final Set<Integer> NOT_SPOKEN = Set.of(404, 405, 501);
  private static final String TOKEN = "[\\x21-\\x7e]+";

  private record Known(String credentials, URI realm, String first) {
    @Override
    public String toString() {
      return "Known[" + credentials + "]";
    }
  }

  private final RegistryOptions options;
  private final Line line;

  /** Identity tokens that a server gave in place of the one that we know. */
  private final Map<Known, String> renewed = new ConcurrentHashMap<>();

  TokenServer(RegistryOptions options, Line line) {
    this.options = options;
    this.line = line;
  }

  /** One request to one server. */
  private record Request(
      Ask ask, URI realm, String service, Scopes scopes, Optional<Credentials> credentials) {
    /** Whether the server is one of TLS or as open as the registry. */
    String words() {
      return "token server " + Printable.authority(realm);
    }
  }

  /**
   * A token for these scopes.
   *
   * @throws UnauthenticatedException if the server refuses
   * @throws IOException if it does not answer sensibly
   */
  Proof fetch(Ask ask, Challenge challenge, Scopes scopes, Optional<Credentials> credentials)
      throws IOException, InterruptedException {
    Request request =
        new Request(
            ask, realm(ask, challenge), challenge.parameter("service"), scopes, credentials);
    Instant asked = options.time().now();
    JsonObject answer =
        credentials.filter(known -> known.kind() == Kind.IDENTITY_TOKEN).isPresent()
            ? byIdentity(request, credentials.get())
            : byPassword(request);
    try {
      return proof(request, answer, asked);
    } catch (InvalidArgumentException _) {
      throw new FinalException(request.words() + " sent a token that cannot be read");
    }
  }

  private static Proof proof(Request request, JsonObject answer, Instant asked) throws IOException {
    String token =
        answer
            .string("token")
            .filter(text -> !text.isEmpty())
            .or(() -> answer.string("access_token"))
            .filter(text -> !text.isEmpty())
            .orElseThrow(() -> new FinalException(request.words() + " sent no token"));
    if (!token.matches(TOKEN)) {
      throw new FinalException(request.words() + " sent a token that cannot be shown to others");
    }
    Duration life =
        Duration.ofSeconds(
            Math.clamp(
                answer.integer("expires_in").orElse(0),
                SHORTEST_LIFE.toSeconds(),
                LONGEST_LIFE.toSeconds()));
    return new Proof(
        "Bearer " + token,
        asked.plus(life).minus(MARGIN),
        request.credentials.map(Credentials::words).orElse("by an anonymous token"),
        false);
  }

  /** Where tokens are given. A registry on TLS cannot send us and our password off TLS. */
  private static URI realm(Ask ask, Challenge challenge) throws IOException {
    String text = challenge.parameter("realm");
    URI realm;
    try {
      realm = URI.create(text);
    } catch (IllegalArgumentException _) {
      throw new FinalException("token server \"" + Printable.address(text) + "\" is no address");
    }
    String scheme = String.valueOf(realm.getScheme());
    String authority = String.valueOf(realm.getAuthority());
    boolean plain =
        scheme.equals("http")
            && (ask.host().base().getScheme().equals("http") || Resolution.isLoopback(authority));
    if (realm.getHost() == null || !(scheme.equals("https") || plain)) {
      throw new FinalException(
          "token server \"" + Printable.address(text) + "\" is no https address");
    }
    return realm;
  }

  private JsonObject byPassword(Request request) throws IOException, InterruptedException {
    StringBuilder query = new StringBuilder();
    if (!request.service.isEmpty()) {
      query.append("&service=").append(encode(request.service));
    }
    request.scopes.words().forEach(scope -> query.append("&scope=").append(encode(scope)));
    String text = request.realm.toString();
    URI uri =
        query.isEmpty()
            ? request.realm
            : URI.create(text + (text.indexOf('?') < 0 ? "?" : "&") + query.substring(1));
    HttpResponse<InputStream> response =
        line.follow(
            request.ask.host().http(),
            new Line.Question(
                request.realm, "GET", uri, Map.of(), Map.of(), Optional.empty(), false, false),
            request.credentials.map(Authorizer::basic).orElse(""));
    if (NOT_SPOKEN.contains(response.statusCode()) && request.credentials.isPresent()) {
      Answer.drop(response);
      Credentials known = request.credentials.get();
      Map<String, String> form = form("password", request);
      form.put("username", known.username());
      form.put("password", known.secret());
      return read(request, post(request, form));
    }
    return read(request, response);
  }

  /** The server may give another identity token with the first answer; the old one may then end. */
  private JsonObject byIdentity(Request request, Credentials credentials)
      throws IOException, InterruptedException {
    Known known = new Known(credentials.words(), request.realm, credentials.secret());
    String newer = renewed.get(known);
    if (newer != null) {
      try {
        return byIdentity(request, known, newer);
      } catch (UnauthenticatedException _) {
        renewed.remove(known, newer); // and begin anew with the one that we were given
      }
    }
    return byIdentity(request, known, credentials.secret());
  }

  private JsonObject byIdentity(Request request, Known known, String secret)
      throws IOException, InterruptedException {
    Map<String, String> form = form("refresh_token", request);
    form.put("refresh_token", secret);
    JsonObject answer = read(request, post(request, form));
    try {
      answer
          .string("refresh_token")
          .filter(text -> !text.isEmpty())
          .ifPresent(text -> renewed.put(known, text));
    } catch (InvalidArgumentException _) {
      throw new FinalException(request.words() + " sent a token that cannot be read");
    }
    return answer;
  }

  private Map<String, String> form(String grant, Request request) {
    Map<String, String> form = new LinkedHashMap<>();
    form.put("grant_type", grant);
    form.put("client_id", options.userAgent());
    form.put("service", request.service);
    form.put("scope", String.join(" ", request.scopes.words()));
    return form;
  }

  private HttpResponse<InputStream> post(Request request, Map<String, String> form)
      throws IOException, InterruptedException {
    byte[] bytes =
        form.entrySet().stream()
            .map(field -> field.getKey() + "=" + encode(field.getValue()))
            .collect(Collectors.joining("&"))
            .getBytes(UTF_8);
    return line.follow(
        request.ask.host().http(),
        new Line.Question(
            request.realm,
            "POST",
            request.realm,
            Map.of("Content-Type", "application/x-www-form-urlencoded"),
            Map.of(),
            Optional.of(
                new UploadBody(
                    () -> new ByteArrayInputStream(bytes), bytes.length, 0, bytes.length)),
            false,
            false),
        "");
  }

  private JsonObject read(Request request, HttpResponse<InputStream> response) throws IOException {
    int status = response.statusCode();
    if (status == 200) {
      try (InputStream body = response.body()) {
        byte[] bytes = body.readNBytes(LONGEST_ANSWER + 1);
        if (bytes.length > LONGEST_ANSWER) {
          throw new FinalException(request.words() + " sent more than a token");
        }
        return JsonObject.parse(bytes);
      } catch (InvalidArgumentException _) {
        // the reason could quote the answer, and so a secret
        throw new FinalException(request.words() + " sent no json object");
      }
    }
    Optional<String> wait = response.headers().firstValue("Retry-After");
    Answer.drop(response);
    if (status >= 500 || status == 429) {
      throw new PassingException(
          request.words() + " answered " + status,
          wait.flatMap(text -> HttpDates.wait(text, options.time().now())));
    }
    throw new UnauthenticatedException(
        "image "
            + request.ask.reference()
            + ": "
            + request.words()
            + " of registry "
            + request.ask.host().name()
            + " answered "
            + status
            + request
                .credentials
                .map(known -> " (" + known.words() + ")")
                .orElse("; no credentials are known"));
  }

  private static String encode(String text) {
    return URLEncoder.encode(text, UTF_8);
  }
}
