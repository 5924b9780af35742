package io.jcontainerd.registry;

import java.io.IOException;

/** Somebody was asked and said nothing for as long as is waited. */
final class NoAnswerException extends IOException {
  private static final long serialVersionUID = 1L;

  NoAnswerException(String message, Throwable cause) {
    super(message, cause);
  }
}
