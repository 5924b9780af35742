package io.jcontainerd.daemon.cli;

/** A command line that cannot be understood; the message says what is wrong with it. */
public final class UsageException extends RuntimeException {
  private static final long serialVersionUID = 1;

  public UsageException(String message) {
    super(message);
  }
}
