package io.jcontainerd.core.failure;

/** An offset lies beyond the end, or is not where the writer stands. */
public final class OutOfRangeException extends ContainerdException {

  private static final long serialVersionUID = 1L;

  /**
   * @param message names the thing and its key
   */
  public OutOfRangeException(String message) {
    super(message, null);
  }

  /**
   * @param message names the thing and its key
   * @param cause what happened below
   */
  public OutOfRangeException(String message, Throwable cause) {
    super(message, cause);
  }

  @Override
  public String suffix() {
    return "out of range";
  }
}
