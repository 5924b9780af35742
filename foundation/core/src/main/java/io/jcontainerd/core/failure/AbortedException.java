package io.jcontainerd.core.failure;

/** The operation was given up on by the server, and may be tried again from its beginning. */
public final class AbortedException extends ContainerdException {

  private static final long serialVersionUID = 1L;

  /**
   * @param message names the thing and its key
   */
  public AbortedException(String message) {
    super(message, null);
  }

  /**
   * @param message names the thing and its key
   * @param cause what happened below
   */
  public AbortedException(String message, Throwable cause) {
    super(message, cause);
  }

  @Override
  public String suffix() {
    return "aborted";
  }
}
