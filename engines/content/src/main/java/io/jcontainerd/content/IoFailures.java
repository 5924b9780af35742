package io.jcontainerd.content;

import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.ResourceExhaustedException;
import io.jcontainerd.core.failure.UnknownException;
import io.jcontainerd.core.ports.NoSpaceException;
import java.io.IOException;
import java.nio.file.FileSystemException;

/** Turns a failure of the disk into one that a caller can read. */
final class IoFailures {
  private IoFailures() {}

  /**
   * The failure to throw.
   *
   * @param what names the thing, its key and what was being done
   */
  static ContainerdException of(String what, IOException cause) {
    String text = what + ": " + reason(cause);
    return cause instanceof NoSpaceException
        ? new ResourceExhaustedException(text, cause)
        : new UnknownException(text, cause);
  }

  private static String reason(IOException cause) {
    if (cause instanceof FileSystemException failure && failure.getReason() != null) {
      return failure.getReason();
    }
    String message = cause.getMessage();
    return cause.getClass().getSimpleName() + (message == null ? "" : ": " + message);
  }
}
