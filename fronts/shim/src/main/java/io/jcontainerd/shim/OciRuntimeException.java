package io.jcontainerd.shim;

/** The OCI runtime refused or failed. The message says in its own words why. */
final class OciRuntimeException extends Exception {
  private static final long serialVersionUID = 1L;

  OciRuntimeException(String message) {
    super(message);
  }

  /** Whether the runtime does not know the container, or its process is gone. */
  boolean isGone() {
    String text = String.valueOf(getMessage());
    return text.contains("does not exist")
        || text.contains("not found")
        || text.contains("process already finished")
        || text.contains("container not running")
        || text.contains("No such process")
        || text.contains("no such process");
  }
}
