package io.jcontainerd.registry.hosts;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * Whom to believe and what to show. Equal settings can share connections.
 *
 * @param authorities PEM files of authorities that are believed beside the usual ones
 * @param clients our certificates
 * @param skipVerify whether any certificate is believed; absent when nobody said
 */
public record TlsSettings(
    List<Path> authorities, List<ClientCertificate> clients, Optional<Boolean> skipVerify) {
  /** Nothing but the usual authorities. */
  public static final TlsSettings USUAL = new TlsSettings(List.of(), List.of(), Optional.empty());

  /** Copies the lists. */
  public TlsSettings {
    authorities = List.copyOf(authorities);
    clients = List.copyOf(clients);
  }

  /** True when somebody said anything of TLS, and so expects it. */
  boolean isConfigured() {
    return !authorities.isEmpty() || !clients.isEmpty() || skipVerify.isPresent();
  }

  /** Whether any certificate is believed. */
  public boolean believesAll() {
    return skipVerify.orElse(false);
  }

  TlsSettings skippingVerificationUnlessSaid() {
    return skipVerify.isPresent() ? this : new TlsSettings(authorities, clients, Optional.of(true));
  }
}
