package io.jcontainerd.core.failure;

/**
 * The state does not allow the operation now, and repeating it without changing the state is
 * futile.
 */
public final class FailedPreconditionException extends ContainerdException {

  private static final long serialVersionUID = 1L;

  /**
   * @param message names the thing and its key
   */
  public FailedPreconditionException(String message) {
    super(message, null);
  }

  /**
   * @param message names the thing and its key
   * @param cause what happened below
   */
  public FailedPreconditionException(String message, Throwable cause) {
    super(message, cause);
  }

  @Override
  public String suffix() {
    return "failed precondition";
  }
}
