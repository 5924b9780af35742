package io.jcontainerd.registry;

import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.core.registry.CredentialSource;
import io.jcontainerd.core.registry.RegistryAccess;
import io.jcontainerd.registry.hosts.HeaderFields;
import io.jcontainerd.registry.hosts.HostsDirectory;
import java.net.ProxySelector;
import java.net.URI;
import java.net.http.HttpClient;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * How to speak to registries.
 *
 * @param hosts where mirrors, certificates and the like are configured
 * @param credentials who we are, asked when a host wants to know
 * @param headers sent with every request to a registry itself; take the place of ours, but not of
 *     what is configured for its host
 * @param plainHttp registries spoken to without TLS
 * @param proxies whom requests go through
 * @param answerTimeout the longest wait for the beginning of an answer
 * @param stallTimeout the longest wait for the next bytes of a body, in either direction
 * @param leastOfPushes who is sent something is waited for so long at least, for a registry that
 *     got a blob may have to move it before it answers
 * @param attempts how often a request is tried that fails for reasons that may pass, of the last
 *     host that is asked
 * @param patience the longest that a registry may ask to wait before the next try
 * @param piece blobs longer than this are pushed in pieces of this many bytes; 0 to push them whole
 *     while the registry lets us
 * @param userAgent how we introduce ourselves
 * @param log who gets what goes over the lines written down
 * @param time the clock
 */
public record RegistryOptions(
    HostsDirectory hosts,
    Function<CredentialSource.Challenge, Optional<Credentials>> credentials,
    Map<String, String> headers,
    Predicate<String> plainHttp,
    ProxySelector proxies,
    Duration answerTimeout,
    Duration stallTimeout,
    Duration leastOfPushes,
    int attempts,
    Duration patience,
    long piece,
    String userAgent,
    HttpLog log,
    Time time) {
  /** Refuses fewer than one attempt, negative sizes and headers that cannot be sent; copies. */
  public RegistryOptions {
    headers = Map.copyOf(headers);
    headers.forEach(
        (name, value) -> {
          if (!HeaderFields.isName(name) || !HeaderFields.isValue(value)) {
            throw new InvalidArgumentException(
                "registry header \"" + Printable.text(name) + "\" cannot be sent");
          }
        });
    if (attempts < 1) {
      throw new InvalidArgumentException("registry attempts " + attempts + " is not positive");
    }
    if (piece < 0) {
      throw new InvalidArgumentException("registry piece " + piece + " is negative");
    }
  }

  /** No configuration, no credentials, no proxy, patient with slow lines. */
  public static RegistryOptions defaults() {
    return new RegistryOptions(
        HostsDirectory.NONE,
        _ -> Optional.empty(),
        Map.of(),
        _ -> false,
        HttpClient.Builder.NO_PROXY,
        Duration.ofSeconds(60),
        Duration.ofSeconds(60),
        Duration.ZERO,
        5,
        Duration.ofSeconds(60),
        0,
        "jcontainerd",
        HttpLog.NONE,
        Time.SYSTEM);
  }

  /** What proves to the proxy of an address who we are; empty if there is none or it asks not. */
  Optional<String> proxyAuthorization(URI uri) {
    return proxies instanceof EnvironmentProxies named
        ? named.authorization(uri)
        : Optional.empty();
  }

  /** The same with mirrors, certificates and the like from these folders. */
  public RegistryOptions withHosts(HostsDirectory folders) {
    return with(draft -> draft.hosts = folders);
  }

  /** The same with credentials by host as in references. */
  public RegistryOptions withCredentials(Function<String, Optional<Credentials>> who) {
    return with(draft -> draft.credentials = challenge -> who.apply(challenge.host()));
  }

  /** The same with credentials of somebody who is asked each time. */
  public RegistryOptions withCredentialSource(CredentialSource source) {
    return with(draft -> draft.credentials = challenge -> Credentials.of(source.find(challenge)));
  }

  /** The same with headers for every request to a registry itself. */
  public RegistryOptions withHeaders(Map<String, String> more) {
    return with(draft -> draft.headers = more);
  }

  /** The same with registries that are spoken to without TLS. */
  public RegistryOptions withPlainHttp(Predicate<String> registries) {
    return with(draft -> draft.plainHttp = registries);
  }

  /** The same through proxies. */
  public RegistryOptions withProxies(ProxySelector others) {
    return with(draft -> draft.proxies = others);
  }

  /** The same with other waits. */
  public RegistryOptions withTimeouts(Duration answer, Duration stall) {
    return with(
        draft -> {
          draft.answerTimeout = answer;
          draft.stallTimeout = stall;
        });
  }

  /** The same, but waiting at least so long where something is sent. */
  public RegistryOptions withLeastOfPushes(Duration least) {
    return with(draft -> draft.leastOfPushes = least);
  }

  /** The longest wait for the beginning of an answer to a method of HTTP. */
  Duration answerTimeout(String method) {
    return isReading(method) ? answerTimeout : longer(answerTimeout, leastOfPushes);
  }

  /** The longest wait until more of what is sent is taken. */
  Duration sendTimeout(String method) {
    return isReading(method) ? stallTimeout : longer(stallTimeout, leastOfPushes);
  }

  private static boolean isReading(String method) {
    return method.equals("GET") || method.equals("HEAD");
  }

  private static Duration longer(Duration one, Duration other) {
    return one.compareTo(other) > 0 ? one : other;
  }

  /** The same with another number of tries. */
  public RegistryOptions withAttempts(int number) {
    return with(draft -> draft.attempts = number);
  }

  /** The same with blobs pushed in pieces of so many bytes, or whole if 0. */
  public RegistryOptions withPiece(long bytes) {
    return with(draft -> draft.piece = bytes);
  }

  /** The same with what goes over the lines written down, none of it with secrets. */
  public RegistryOptions withLog(RegistryAccess.HttpDebug debug, Consumer<String> to) {
    return with(draft -> draft.log = new HttpLog(debug, to));
  }

  /** The same on another clock. */
  public RegistryOptions withTime(Time other) {
    return with(draft -> draft.time = other);
  }

  private RegistryOptions with(Consumer<Draft> change) {
    Draft draft = new Draft(this);
    change.accept(draft);
    return draft.done();
  }

  /** Options that are being changed. */
  private static final class Draft {
    private HostsDirectory hosts;
    private Function<CredentialSource.Challenge, Optional<Credentials>> credentials;
    private Map<String, String> headers;
    private Predicate<String> plainHttp;
    private ProxySelector proxies;
    private Duration answerTimeout;
    private Duration stallTimeout;
    private Duration leastOfPushes;
    private int attempts;
    private final Duration patience;
    private long piece;
    private final String userAgent;
    private HttpLog log;
    private Time time;

    Draft(RegistryOptions from) {
      hosts = from.hosts;
      credentials = from.credentials;
      headers = from.headers;
      plainHttp = from.plainHttp;
      proxies = from.proxies;
      answerTimeout = from.answerTimeout;
      stallTimeout = from.stallTimeout;
      leastOfPushes = from.leastOfPushes;
      attempts = from.attempts;
      patience = from.patience;
      piece = from.piece;
      userAgent = from.userAgent;
      log = from.log;
      time = from.time;
    }

    RegistryOptions done() {
      return new RegistryOptions(
          hosts,
          credentials,
          headers,
          plainHttp,
          proxies,
          answerTimeout,
          stallTimeout,
          leastOfPushes,
          attempts,
          patience,
          piece,
          userAgent,
          log,
          time);
    }
  }
}
