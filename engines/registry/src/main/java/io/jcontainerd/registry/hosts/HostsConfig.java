package io.jcontainerd.registry.hosts;

import java.util.List;
import java.util.Optional;

/**
 * What is configured for one registry.
 *
 * @param source what told it: a file, a folder of certificates, or empty when nothing did
 * @param mirrors asked before the registry, in this order
 * @param server the registry's address when it is not the usual one
 * @param root how to speak to the registry
 */
public record HostsConfig(
    String source, List<Mirror> mirrors, Optional<HostAddress> server, HostSettings root) {
  /** Nothing is configured. */
  public static final HostsConfig NONE =
      new HostsConfig("", List.of(), Optional.empty(), HostSettings.DEFAULT);

  /** Copies the list. */
  public HostsConfig {
    mirrors = List.copyOf(mirrors);
  }

  /**
   * A host that is asked before the registry.
   *
   * @param address where it is
   * @param settings how to speak to it
   */
  public record Mirror(HostAddress address, HostSettings settings) {}
}
