package io.jcontainerd.core.failure;

/**
 * The thing is already as asked. Travels as a failed precondition whose text ends in {@code : not
 * modified}.
 */
public final class NotModifiedException extends ContainerdException {

  private static final long serialVersionUID = 1L;

  /**
   * @param message names the thing and its key
   */
  public NotModifiedException(String message) {
    super(message, null);
  }

  /**
   * @param message names the thing and its key
   * @param cause what happened below
   */
  public NotModifiedException(String message, Throwable cause) {
    super(message, cause);
  }

  @Override
  public String suffix() {
    return "not modified";
  }
}
