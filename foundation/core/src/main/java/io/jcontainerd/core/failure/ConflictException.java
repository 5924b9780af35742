package io.jcontainerd.core.failure;

/** Two writers disagree. Travels as a failed precondition whose text ends in {@code : conflict}. */
public final class ConflictException extends ContainerdException {

  private static final long serialVersionUID = 1L;

  /**
   * @param message names the thing and its key
   */
  public ConflictException(String message) {
    super(message, null);
  }

  /**
   * @param message names the thing and its key
   * @param cause what happened below
   */
  public ConflictException(String message, Throwable cause) {
    super(message, cause);
  }

  @Override
  public String suffix() {
    return "conflict";
  }
}
