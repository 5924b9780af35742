package io.jcontainerd.registry.hosts;

import java.time.Duration;
import java.util.Collections;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What one section of a {@code hosts.toml} says, beside the address.
 *
 * @param capabilities what the host may be used for
 * @param overridePath whether the path of the address is used as it is, without {@code /v2}
 * @param tls whom to believe
 * @param headers sent with every request to this host, and only to it
 * @param dialTimeout the longest wait for a connection
 */
public record HostSettings(
    Set<Capability> capabilities,
    boolean overridePath,
    TlsSettings tls,
    Map<String, List<String>> headers,
    Optional<Duration> dialTimeout) {
  /** What holds where nothing is said. */
  public static final HostSettings DEFAULT = of(TlsSettings.USUAL);

  /** Copies the collections, with their order. */
  public HostSettings {
    capabilities = Collections.unmodifiableSet(EnumSet.copyOf(capabilities));
    Map<String, List<String>> copy = new LinkedHashMap<>();
    headers.forEach((name, values) -> copy.put(name, List.copyOf(values)));
    headers = Collections.unmodifiableMap(copy);
  }

  /** Only these settings of TLS. */
  static HostSettings of(TlsSettings tls) {
    return new HostSettings(Capability.all(), false, tls, Map.of(), Optional.empty());
  }
}
