package io.jcontainerd.diff;

import java.io.IOException;

/** A layer that is larger than the limits allow. */
final class LayerLimitException extends IOException {
  private static final long serialVersionUID = 1L;

  LayerLimitException(String message) {
    super(message);
  }
}
