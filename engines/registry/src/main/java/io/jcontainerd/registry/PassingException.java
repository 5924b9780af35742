package io.jcontainerd.registry;

import java.io.IOException;
import java.time.Duration;
import java.util.Optional;

/** Something beside the registry failed, for a reason that may pass. */
final class PassingException extends IOException {
  private static final long serialVersionUID = 1L;

  private final transient Optional<Duration> wait;

  /**
   * It failed.
   *
   * @param wait how long we are asked to wait, if we are
   */
  PassingException(String message, Optional<Duration> wait) {
    super(message);
    this.wait = wait;
  }

  Optional<Duration> asked() {
    return wait;
  }
}
