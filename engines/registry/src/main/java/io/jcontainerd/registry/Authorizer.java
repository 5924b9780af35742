package io.jcontainerd.registry;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.UnauthenticatedException;
import io.jcontainerd.core.registry.CredentialSource;
import io.jcontainerd.registry.Credentials.Kind;
import io.jcontainerd.registry.hosts.HeaderFields;
import java.io.IOException;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;

/**
 * Proves to registries who we are: by name and password (RFC 7617) or by tokens that another server
 * gives (distribution-spec, "token authentication"). What was proven once is used again until it
 * expires, also for less than it was given for. Many who want the same token at once cause one
 * request. Safe for many threads.
 */
final class Authorizer {
  private record Key(String host, Scopes scopes) {}

  /**
   * What to show next.
   *
   * @param fresh whether it was made for this very request; what is refused then is not made again
   */
  record Better(Proof proof, boolean fresh) {}

  private final RegistryOptions options;
  private final TokenServer tokens;
  private final Map<Key, Proof> proofs = new ConcurrentHashMap<>();
  private final SingleFlight<Key, Proof> flights = new SingleFlight<>();

  Authorizer(RegistryOptions options, Line line) {
    this.options = options;
    this.tokens = new TokenServer(options, line);
  }

  /** As whom a request with this proof, or none, is sent, for messages. */
  String who(Ask ask, Optional<Proof> proof) {
    if (ownHeader(ask)) {
      return "by a configured header";
    }
    return proof.map(Proof::who).orElse("anonymous");
  }

  /** As whom a request would be sent now, for messages. */
  String who(Ask ask) {
    return who(ask, known(ask));
  }

  private boolean ownHeader(Ask ask) {
    return Stream.concat(
            ask.host().attempt().headers().keySet().stream(), options.headers().keySet().stream())
        .anyMatch(name -> name.equalsIgnoreCase("Authorization"));
  }

  /** What worked before for as much as this, if it is still good. */
  Optional<Proof> known(Ask ask) {
    Instant now = options.time().now();
    Optional<Proof> exact =
        Optional.ofNullable(proofs.get(key(ask))).filter(proof -> now.isBefore(proof.until()));
    return exact.isPresent()
        ? exact
        : proofs.entrySet().stream()
            .filter(entry -> entry.getKey().host.equals(ask.host().name()))
            .filter(
                entry -> entry.getValue().anything() || entry.getKey().scopes.cover(ask.scopes()))
            .map(Map.Entry::getValue)
            .filter(proof -> now.isBefore(proof.until()))
            .findFirst();
  }

  private static Key key(Ask ask) {
    return new Key(ask.host().name(), ask.scopes());
  }

  /**
   * What answers a refusal; empty if there is nothing to answer with but what was just refused.
   *
   * @param refused what was refused, if something was shown
   * @throws UnauthenticatedException if the token server refuses
   */
  Optional<Better> answer(Ask ask, Answer refusal, Optional<Proof> refused)
      throws IOException, InterruptedException {
    refused.ifPresent(this::forget);
    if (ownHeader(ask)) {
      return Optional.empty();
    }
    Optional<Proof> others = known(ask);
    if (others.isPresent()) {
      return Optional.of(new Better(others.get(), false));
    }
    List<String> offers = refusal.headers("WWW-Authenticate");
    Optional<Credentials> credentials =
        options
            .credentials()
            .apply(
                new CredentialSource.Challenge(
                    ask.host().attempt().credentials(), ask.reference().toString(), offers));
    Optional<Proof> proof = proof(ask, Challenge.parse(offers), credentials);
    return proof
        .filter(better -> refused.filter(better::equals).isEmpty())
        .map(better -> new Better(better, true));
  }

  /** It was refused. */
  void forget(Proof proof) {
    proofs.values().removeIf(proof::equals);
  }

  private Optional<Proof> proof(
      Ask ask, List<Challenge> challenges, Optional<Credentials> credentials)
      throws IOException, InterruptedException {
    Optional<Credentials> header = credentials.filter(known -> known.kind() == Kind.HEADER);
    if (header.isPresent()) {
      return Optional.of(keep(ask, whole(header.get())));
    }
    Optional<Proof> basic =
        Challenge.ofScheme(challenges, "basic").isEmpty()
            ? Optional.empty()
            : credentials
                .filter(known -> known.kind() == Kind.PASSWORD)
                .map(known -> new Proof(basic(known), known.until(), known.words(), true));
    Optional<Challenge> bearer = Challenge.ofScheme(challenges, "bearer");
    if (bearer.isEmpty()) {
      return basic.map(proof -> keep(ask, proof));
    }
    try {
      return Optional.of(token(ask, bearer.get(), credentials));
    } catch (IOException | ContainerdException e) {
      if (basic.isEmpty()) {
        throw e;
      }
      return basic.map(proof -> keep(ask, proof)); // the registry itself takes the password, too
    }
  }

  private static Proof whole(Credentials credentials) throws IOException {
    if (!HeaderFields.isValue(credentials.secret())) {
      throw new FinalException("what is known " + credentials.words() + " cannot be sent");
    }
    return new Proof(credentials.secret(), credentials.until(), credentials.words(), true);
  }

  private Proof token(Ask ask, Challenge challenge, Optional<Credentials> credentials)
      throws IOException, InterruptedException {
    Scopes scopes = ask.scopes().and(Scopes.parse(challenge.parameter("scope")));
    Key key = new Key(ask.host().name(), scopes);
    return flights.run(
        key,
        () -> {
          Proof there = proofs.get(key); // another flight may just have landed
          if (there != null && options.time().now().isBefore(there.until())) {
            return there;
          }
          Proof fetched = tokens.fetch(ask, challenge, scopes, credentials);
          store(key, fetched);
          return fetched;
        });
  }

  private Proof keep(Ask ask, Proof proof) {
    store(key(ask), proof);
    return proof;
  }

  private void store(Key key, Proof proof) {
    Instant now = options.time().now();
    proofs.values().removeIf(old -> !now.isBefore(old.until()));
    proofs.put(key, proof);
  }

  static String basic(Credentials credentials) {
    String pair = credentials.username() + ":" + credentials.secret();
    return "Basic " + Base64.getEncoder().encodeToString(pair.getBytes(UTF_8));
  }
}
