package io.jcontainerd.core.filter;

/** An expression that RE2 would not accept either. */
final class RegexSyntaxException extends Exception {
  private static final long serialVersionUID = 1L;

  RegexSyntaxException(String message) {
    super(message, null, false, false);
  }
}
