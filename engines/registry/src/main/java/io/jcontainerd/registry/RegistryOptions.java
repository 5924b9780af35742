package io.jcontainerd.registry;

import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.registry.hosts.HostsDirectory;
import java.net.ProxySelector;
import java.net.URI;
import java.net.http.HttpClient;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * How to speak to registries.
 *
 * @param hosts where mirrors, certificates and the like are configured
 * @param credentials who we are, by host as in references
 * @param plainHttp registries spoken to without TLS
 * @param proxies whom requests go through
 * @param answerTimeout the longest wait for the beginning of an answer
 * @param stallTimeout the longest wait for the next bytes of a body
 * @param attempts how often a request is tried that fails for reasons that may pass, of the last
 *     host that is asked
 * @param patience the longest that a registry may ask to wait before the next try
 * @param userAgent how we introduce ourselves
 * @param time the clock
 */
public record RegistryOptions(
    HostsDirectory hosts,
    Function<String, Optional<Credentials>> credentials,
    Predicate<String> plainHttp,
    ProxySelector proxies,
    Duration answerTimeout,
    Duration stallTimeout,
    int attempts,
    Duration patience,
    String userAgent,
    Time time) {
  /** Refuses fewer than one attempt. */
  public RegistryOptions {
    if (attempts < 1) {
      throw new InvalidArgumentException("registry attempts " + attempts + " is not positive");
    }
  }

  /** No configuration, no credentials, no proxy, patient with slow lines. */
  public static RegistryOptions defaults() {
    return new RegistryOptions(
        HostsDirectory.NONE,
        _ -> Optional.empty(),
        _ -> false,
        HttpClient.Builder.NO_PROXY,
        Duration.ofSeconds(60),
        Duration.ofSeconds(60),
        5,
        Duration.ofSeconds(60),
        "jcontainerd",
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
    return new RegistryOptions(
        folders,
        credentials,
        plainHttp,
        proxies,
        answerTimeout,
        stallTimeout,
        attempts,
        patience,
        userAgent,
        time);
  }

  /** The same with credentials. */
  public RegistryOptions withCredentials(Function<String, Optional<Credentials>> who) {
    return new RegistryOptions(
        hosts,
        who,
        plainHttp,
        proxies,
        answerTimeout,
        stallTimeout,
        attempts,
        patience,
        userAgent,
        time);
  }

  /** The same with registries that are spoken to without TLS. */
  public RegistryOptions withPlainHttp(Predicate<String> registries) {
    return new RegistryOptions(
        hosts,
        credentials,
        registries,
        proxies,
        answerTimeout,
        stallTimeout,
        attempts,
        patience,
        userAgent,
        time);
  }

  /** The same through proxies. */
  public RegistryOptions withProxies(ProxySelector others) {
    return new RegistryOptions(
        hosts,
        credentials,
        plainHttp,
        others,
        answerTimeout,
        stallTimeout,
        attempts,
        patience,
        userAgent,
        time);
  }

  /** The same with other waits. */
  public RegistryOptions withTimeouts(Duration answer, Duration stall) {
    return new RegistryOptions(
        hosts, credentials, plainHttp, proxies, answer, stall, attempts, patience, userAgent, time);
  }

  /** The same on another clock. */
  public RegistryOptions withTime(Time other) {
    return new RegistryOptions(
        hosts,
        credentials,
        plainHttp,
        proxies,
        answerTimeout,
        stallTimeout,
        attempts,
        patience,
        userAgent,
        other);
  }
}
