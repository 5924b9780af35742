package io.jcontainerd.registry;

import java.io.IOException;

/** Something failed for a reason that trying again does not change. */
final class FinalException extends IOException {
  private static final long serialVersionUID = 1L;

  FinalException(String message) {
    super(message);
  }

  FinalException(String message, Throwable cause) {
    super(message, cause);
  }
}
