package io.jcontainerd.registry.hosts;

import java.nio.file.Path;
import java.util.Optional;

/**
 * How we prove who we are by TLS.
 *
 * @param certificate a PEM file: our certificate and those between it and its authority
 * @param key a PEM file with its private key; without one the key is in the file of the certificate
 */
public record ClientCertificate(Path certificate, Optional<Path> key) {
  @Override
  public String toString() {
    return certificate + key.map(file -> " with " + file).orElse("");
  }
}
