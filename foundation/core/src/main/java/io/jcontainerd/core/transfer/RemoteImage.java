package io.jcontainerd.core.transfer;

import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.registry.RegistryAccess;

/**
 * An image in a registry ({@code OCIRegistry}).
 *
 * @param reference {@code host[:port]/path[:tag][@digest]}
 * @param access how the registry is spoken to
 */
public record RemoteImage(String reference, RegistryAccess access) {
  /** Refuses an empty reference. */
  public RemoteImage {
    if (reference.isEmpty()) {
      throw new InvalidArgumentException("image reference must not be empty");
    }
  }
}
