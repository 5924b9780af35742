package io.jcontainerd.registry;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.jcontainerd.core.failure.UnauthenticatedException;
import io.jcontainerd.oci.json.JsonObject;
import io.jcontainerd.registry.hosts.Resolution;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Proves to registries who we are: by name and password (RFC 7617) or by tokens that another server
 * gives (distribution-spec, "token authentication"). What was proven once is used again until it
 * expires. Safe for many threads; two that come at once may both fetch a token.
 */
final class Authorizer {
  private static final int LONGEST_TOKEN = 1 << 20;
  private static final Duration SHORTEST_LIFE = Duration.ofSeconds(60);
  private static final Duration MARGIN = Duration.ofSeconds(10);

  private record Key(String host, List<String> scopes) {}

  private record Proof(String header, Instant until, String who) {}

  private final RegistryOptions options;
  private final Map<Key, Proof> proofs = new ConcurrentHashMap<>();

  Authorizer(RegistryOptions options) {
    this.options = options;
  }

  /** As whom a request with or without a proof of ours was sent, for messages. */
  String who(Ask ask, HttpResponse<?> response) {
    if (response.request().headers().firstValue("Authorization").isEmpty()) {
      return "anonymous";
    }
    Proof proof = proofs.get(key(ask));
    return proof == null ? "by a configured header" : proof.who;
  }

  /** The header that worked before, if it is still good. */
  Optional<String> known(Ask ask) {
    return Optional.ofNullable(proofs.get(key(ask)))
        .filter(p -> options.time().now().isBefore(p.until))
        .map(Proof::header);
  }

  /**
   * The header that answers a refusal; empty if there is nothing to answer with.
   *
   * @throws UnauthenticatedException if the token server refuses
   */
  Optional<String> answer(Ask ask, HttpResponse<?> refusal)
      throws IOException, InterruptedException {
    proofs.remove(key(ask));
    List<Challenge> challenges = Challenge.parse(refusal.headers().allValues("WWW-Authenticate"));
    Optional<Challenge> bearer = Challenge.ofScheme(challenges, "bearer");
    Optional<Credentials> credentials =
        options.credentials().apply(ask.host().attempt().credentials());
    Optional<Proof> proof = Optional.empty();
    if (bearer.isPresent()) {
      proof = Optional.of(token(ask, bearer.get(), credentials));
    } else if (Challenge.ofScheme(challenges, "basic").isPresent()) {
      proof =
          credentials
              .filter(c -> !c.isIdentityToken())
              .map(c -> new Proof(basic(c), Instant.MAX, c.words()));
    }
    proof.ifPresent(p -> proofs.put(key(ask), p));
    return proof.map(Proof::header);
  }

  private static Key key(Ask ask) {
    return new Key(ask.host().name(), ask.scopes());
  }

  private static String basic(Credentials credentials) {
    String pair = credentials.username() + ":" + credentials.secret();
    return "Basic " + Base64.getEncoder().encodeToString(pair.getBytes(UTF_8));
  }

  private Proof token(Ask ask, Challenge challenge, Optional<Credentials> credentials)
      throws IOException, InterruptedException {
    URI realm = realm(ask, challenge);
    Set<String> scopes = new LinkedHashSet<>(ask.scopes());
    scopes.addAll(List.of(challenge.parameter("scope").split(" ", -1)));
    scopes.remove("");
    String service = challenge.parameter("service");
    HttpRequest request =
        credentials.filter(Credentials::isIdentityToken).isPresent()
            ? exchange(realm, service, scopes, credentials.get())
            : asking(realm, service, scopes, credentials);
    Instant asked = options.time().now();
    HttpResponse<InputStream> response =
        ask.host().http().send(request, BodyStream.handler(options.stallTimeout()));
    if (response.statusCode() != 200) {
      Answers.drop(response);
      if (response.statusCode() >= 500 || response.statusCode() == 429) {
        throw new IOException(
            "token server " + realm.getAuthority() + " answered " + response.statusCode());
      }
      throw new UnauthenticatedException(
          "image "
              + ask.reference()
              + ": token server "
              + realm.getAuthority()
              + " of registry "
              + ask.host().name()
              + " answered "
              + response.statusCode()
              + credentials
                  .map(known -> " (" + known.words() + ")")
                  .orElse("; no credentials are known"));
    }
    JsonObject answer = Answers.document(response, LONGEST_TOKEN);
    String token =
        answer
            .string("token")
            .filter(t -> !t.isEmpty())
            .or(() -> answer.string("access_token"))
            .filter(t -> !t.isEmpty())
            .orElseThrow(
                () -> new IOException("token server " + realm.getAuthority() + " sent no token"));
    Duration life = Duration.ofSeconds(answer.integer("expires_in").orElse(0));
    if (life.compareTo(SHORTEST_LIFE) < 0) {
      life = SHORTEST_LIFE;
    }
    return new Proof(
        "Bearer " + token,
        asked.plus(life).minus(MARGIN),
        credentials.map(Credentials::words).orElse("by an anonymous token"));
  }

  /** Where tokens are given. A registry on TLS cannot send us and our password off TLS. */
  private static URI realm(Ask ask, Challenge challenge) throws IOException {
    String text = challenge.parameter("realm");
    URI realm;
    try {
      realm = URI.create(text);
    } catch (IllegalArgumentException e) {
      throw new IOException("token server \"" + text + "\" is no address", e);
    }
    String scheme = String.valueOf(realm.getScheme());
    String authority = String.valueOf(realm.getAuthority());
    boolean plain =
        scheme.equals("http")
            && (ask.host().base().getScheme().equals("http") || Resolution.isLoopback(authority));
    if (realm.getHost() == null || !(scheme.equals("https") || plain)) {
      throw new IOException("token server \"" + text + "\" is no https address");
    }
    return realm;
  }

  private HttpRequest asking(
      URI realm, String service, Set<String> scopes, Optional<Credentials> credentials) {
    StringBuilder query = new StringBuilder();
    if (!service.isEmpty()) {
      query.append("&service=").append(encode(service));
    }
    scopes.forEach(scope -> query.append("&scope=").append(encode(scope)));
    String text = realm.toString();
    URI uri =
        query.isEmpty()
            ? realm
            : URI.create(text + (text.indexOf('?') < 0 ? "?" : "&") + query.substring(1));
    HttpRequest.Builder request = request(uri);
    credentials.ifPresent(c -> request.header("Authorization", basic(c)));
    return request.build();
  }

  private HttpRequest exchange(
      URI realm, String service, Set<String> scopes, Credentials credentials) {
    String form =
        "grant_type=refresh_token&client_id="
            + encode(options.userAgent())
            + "&service="
            + encode(service)
            + "&scope="
            + encode(String.join(" ", scopes))
            + "&refresh_token="
            + encode(credentials.secret());
    return request(realm)
        .header("Content-Type", "application/x-www-form-urlencoded")
        .POST(BodyPublishers.ofString(form))
        .build();
  }

  private HttpRequest.Builder request(URI uri) {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(uri)
            .timeout(options.answerTimeout())
            .header("User-Agent", options.userAgent());
    options.proxyAuthorization(uri).ifPresent(text -> request.header("Proxy-Authorization", text));
    return request;
  }

  private static String encode(String text) {
    return URLEncoder.encode(text, UTF_8);
  }
}
