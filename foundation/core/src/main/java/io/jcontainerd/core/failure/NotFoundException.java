package io.jcontainerd.core.failure;

/**
 * The named thing does not exist in the namespace of the call. Not for a namespace that was not
 * given.
 */
public final class NotFoundException extends ContainerdException {

  private static final long serialVersionUID = 1L;

  /**
   * @param message names the thing and its key
   */
  public NotFoundException(String message) {
    super(message, null);
  }

  /**
   * @param message names the thing and its key
   * @param cause what happened below
   */
  public NotFoundException(String message, Throwable cause) {
    super(message, cause);
  }

  @Override
  public String suffix() {
    return "not found";
  }
}
