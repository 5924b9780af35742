package io.jcontainerd.core.failure;

/** This daemon, plug-in or peer does not know the operation. */
public final class NotImplementedException extends ContainerdException {

  private static final long serialVersionUID = 1L;

  /**
   * @param message names the thing and its key
   */
  public NotImplementedException(String message) {
    super(message, null);
  }

  /**
   * @param message names the thing and its key
   * @param cause what happened below
   */
  public NotImplementedException(String message, Throwable cause) {
    super(message, cause);
  }

  @Override
  public String suffix() {
    return "not implemented";
  }
}
