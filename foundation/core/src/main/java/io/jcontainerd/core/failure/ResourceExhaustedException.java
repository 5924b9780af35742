package io.jcontainerd.core.failure;

/** A limit was reached: disk space, message size, a quota, file descriptors. */
public final class ResourceExhaustedException extends ContainerdException {

  private static final long serialVersionUID = 1L;

  /**
   * @param message names the thing and its key
   */
  public ResourceExhaustedException(String message) {
    super(message, null);
  }

  /**
   * @param message names the thing and its key
   * @param cause what happened below
   */
  public ResourceExhaustedException(String message, Throwable cause) {
    super(message, cause);
  }

  @Override
  public String suffix() {
    return "resource exhausted";
  }
}
