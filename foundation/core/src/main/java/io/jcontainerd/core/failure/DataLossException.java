package io.jcontainerd.core.failure;

/** Bytes that were promised are gone or wrong. */
public final class DataLossException extends ContainerdException {

  private static final long serialVersionUID = 1L;

  /**
   * @param message names the thing and its key
   */
  public DataLossException(String message) {
    super(message, null);
  }

  /**
   * @param message names the thing and its key
   * @param cause what happened below
   */
  public DataLossException(String message, Throwable cause) {
    super(message, cause);
  }

  @Override
  public String suffix() {
    return "data loss";
  }
}
