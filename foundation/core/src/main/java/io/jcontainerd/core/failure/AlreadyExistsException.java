package io.jcontainerd.core.failure;

/** The named thing exists already; for content, clients treat this as success. */
public final class AlreadyExistsException extends ContainerdException {

  private static final long serialVersionUID = 1L;

  /**
   * @param message names the thing and its key
   */
  public AlreadyExistsException(String message) {
    super(message, null);
  }

  /**
   * @param message names the thing and its key
   * @param cause what happened below
   */
  public AlreadyExistsException(String message, Throwable cause) {
    super(message, cause);
  }

  @Override
  public String suffix() {
    return "already exists";
  }
}
