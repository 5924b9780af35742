package io.jcontainerd.core.failure;

/** An invariant is broken: a bug of ours or of a peer. Not for bad input. */
public final class InternalException extends ContainerdException {

  private static final long serialVersionUID = 1L;

  /**
   * @param message names the thing and its key
   */
  public InternalException(String message) {
    super(message, null);
  }

  /**
   * @param message names the thing and its key
   * @param cause what happened below
   */
  public InternalException(String message, Throwable cause) {
    super(message, cause);
  }

  @Override
  public String suffix() {
    return "internal";
  }
}
