package io.jcontainerd.core.failure;

/** A peer, a lock or a device cannot answer now; trying again later may help. */
public final class UnavailableException extends ContainerdException {

  private static final long serialVersionUID = 1L;

  /**
   * @param message names the thing and its key
   */
  public UnavailableException(String message) {
    super(message, null);
  }

  /**
   * @param message names the thing and its key
   * @param cause what happened below
   */
  public UnavailableException(String message, Throwable cause) {
    super(message, cause);
  }

  @Override
  public String suffix() {
    return "unavailable";
  }
}
