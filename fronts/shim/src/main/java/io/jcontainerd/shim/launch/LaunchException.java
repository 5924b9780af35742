package io.jcontainerd.shim.launch;

import org.jspecify.annotations.Nullable;

/** What the launcher's caller is told, in one sentence. */
final class LaunchException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  LaunchException(String message) {
    this(message, null);
  }

  LaunchException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
