package io.jcontainerd.core.failure;

/**
 * A failure reported in plain text by something that has no classes, such as an OCI runtime; the
 * text is passed on unchanged.
 */
public final class UnknownException extends ContainerdException {

  private static final long serialVersionUID = 1L;

  /**
   * @param message names the thing and its key
   */
  public UnknownException(String message) {
    super(message, null);
  }

  /**
   * @param message names the thing and its key
   * @param cause what happened below
   */
  public UnknownException(String message, Throwable cause) {
    super(message, cause);
  }

  @Override
  public String suffix() {
    return "unknown";
  }
}
