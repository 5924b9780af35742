package io.jcontainerd.core.failure;

/**
 * A value in the request can never be right, whatever the state of the daemon. Not for state that
 * merely does not fit now: that is {@link FailedPreconditionException}.
 */
public final class InvalidArgumentException extends ContainerdException {

  private static final long serialVersionUID = 1L;

  /**
   * @param message names the thing and its key
   */
  public InvalidArgumentException(String message) {
    super(message, null);
  }

  /**
   * @param message names the thing and its key
   * @param cause what happened below
   */
  public InvalidArgumentException(String message, Throwable cause) {
    super(message, cause);
  }

  @Override
  public String suffix() {
    return "invalid argument";
  }
}
