package io.jcontainerd.daemon.assembly;

import io.jcontainerd.client.Containerd;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Connections to other processes that serve parts of this daemon, one an address. They are made
 * when first needed and made again after they broke.
 */
final class ProxyConnections implements AutoCloseable {
  /** A plug-in may download what it is asked to prepare. */
  private static final Duration PATIENCE = Duration.ofMinutes(10);

  /** For what belongs to no client's namespace, such as looking for what nobody needs any more. */
  private static final String OWN_NAMESPACE = "default";

  private final Map<String, Containerd> open = new ConcurrentHashMap<>();

  Containerd to(String address) {
    return open.computeIfAbsent(
            address, known -> Containerd.connect(new Containerd.Options(known, PATIENCE)))
        .asBackend(OWN_NAMESPACE);
  }

  @Override
  public void close() {
    open.values().forEach(Containerd::close);
  }
}
