package io.jcontainerd.registry;

import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.ports.Time;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * How to speak to registries.
 *
 * @param credentials who we are, by host as in references
 * @param plainHttp hosts spoken to without TLS; loopback always is
 * @param connectTimeout the longest wait for a connection
 * @param answerTimeout the longest wait for the beginning of an answer
 * @param stallTimeout the longest wait for the next bytes of a body
 * @param attempts how often a request is tried that fails for reasons that may pass
 * @param patience the longest that a registry may ask to wait before the next try
 * @param userAgent how we introduce ourselves
 * @param time the clock
 */
public record RegistryOptions(
    Function<String, Optional<Credentials>> credentials,
    Predicate<String> plainHttp,
    Duration connectTimeout,
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

  /** No credentials, TLS everywhere but on loopback, patient with slow lines. */
  public static RegistryOptions defaults() {
    return new RegistryOptions(
        _ -> Optional.empty(),
        _ -> false,
        Duration.ofSeconds(30),
        Duration.ofSeconds(60),
        Duration.ofSeconds(60),
        5,
        Duration.ofSeconds(60),
        "jcontainerd",
        Time.SYSTEM);
  }

  /** The same with credentials. */
  public RegistryOptions withCredentials(Function<String, Optional<Credentials>> who) {
    return new RegistryOptions(
        who,
        plainHttp,
        connectTimeout,
        answerTimeout,
        stallTimeout,
        attempts,
        patience,
        userAgent,
        time);
  }

  /** The same with more hosts that are spoken to without TLS. */
  public RegistryOptions withPlainHttp(Predicate<String> hosts) {
    return new RegistryOptions(
        credentials,
        hosts,
        connectTimeout,
        answerTimeout,
        stallTimeout,
        attempts,
        patience,
        userAgent,
        time);
  }

  /** The same with other waits. */
  public RegistryOptions withTimeouts(Duration connect, Duration answer, Duration stall) {
    return new RegistryOptions(
        credentials, plainHttp, connect, answer, stall, attempts, patience, userAgent, time);
  }

  /** The same on another clock. */
  public RegistryOptions withTime(Time other) {
    return new RegistryOptions(
        credentials,
        plainHttp,
        connectTimeout,
        answerTimeout,
        stallTimeout,
        attempts,
        patience,
        userAgent,
        other);
  }
}
