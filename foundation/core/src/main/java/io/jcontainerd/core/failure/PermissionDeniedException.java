package io.jcontainerd.core.failure;

/**
 * The caller is known and may not do this. Not for missing credentials: that is {@link
 * UnauthenticatedException}.
 */
public final class PermissionDeniedException extends ContainerdException {

  private static final long serialVersionUID = 1L;

  /**
   * @param message names the thing and its key
   */
  public PermissionDeniedException(String message) {
    super(message, null);
  }

  /**
   * @param message names the thing and its key
   * @param cause what happened below
   */
  public PermissionDeniedException(String message, Throwable cause) {
    super(message, cause);
  }

  @Override
  public String suffix() {
    return "permission denied";
  }
}
