package io.jcontainerd.core.failure;

/** Credentials are missing or were refused. */
public final class UnauthenticatedException extends ContainerdException {

  private static final long serialVersionUID = 1L;

  /**
   * @param message names the thing and its key
   */
  public UnauthenticatedException(String message) {
    super(message, null);
  }

  /**
   * @param message names the thing and its key
   * @param cause what happened below
   */
  public UnauthenticatedException(String message, Throwable cause) {
    super(message, cause);
  }

  @Override
  public String suffix() {
    return "unauthenticated";
  }
}
