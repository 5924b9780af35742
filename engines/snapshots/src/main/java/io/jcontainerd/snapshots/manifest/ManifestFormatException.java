package io.jcontainerd.snapshots.manifest;

import java.io.IOException;

/** The bytes are no manifest, or no longer the one that was written. */
public final class ManifestFormatException extends IOException {
  private static final long serialVersionUID = 1L;

  /** With words for people. */
  public ManifestFormatException(String message) {
    super(message);
  }
}
