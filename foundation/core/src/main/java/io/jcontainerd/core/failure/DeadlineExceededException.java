package io.jcontainerd.core.failure;

/** The time that the caller or the configuration allowed is over. */
public final class DeadlineExceededException extends ContainerdException {

  private static final long serialVersionUID = 1L;

  /**
   * @param message names the thing and its key
   */
  public DeadlineExceededException(String message) {
    super(message, null);
  }

  /**
   * @param message names the thing and its key
   * @param cause what happened below
   */
  public DeadlineExceededException(String message, Throwable cause) {
    super(message, cause);
  }

  @Override
  public String suffix() {
    return "context deadline exceeded";
  }
}
