package io.jcontainerd.core.failure;

/** The caller gave up. Not for deadlines: that is {@link DeadlineExceededException}. */
public final class CancelledException extends ContainerdException {

  private static final long serialVersionUID = 1L;

  /**
   * @param message names the thing and its key
   */
  public CancelledException(String message) {
    super(message, null);
  }

  /**
   * @param message names the thing and its key
   * @param cause what happened below
   */
  public CancelledException(String message, Throwable cause) {
    super(message, cause);
  }

  @Override
  public String suffix() {
    return "context canceled";
  }
}
