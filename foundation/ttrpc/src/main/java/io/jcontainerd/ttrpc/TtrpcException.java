package io.jcontainerd.ttrpc;

import org.jspecify.annotations.Nullable;

/**
 * A call that did not end well: a gRPC status code and the text that the other side (or this side,
 * for deadlines and lost connections) gave as the reason. The message is the bare text, so that it
 * can be passed on unchanged.
 */
public class TtrpcException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final StatusCode code;

  public TtrpcException(StatusCode code, String message) {
    this(code, message, null);
  }

  public TtrpcException(StatusCode code, String message, @Nullable Throwable cause) {
    super(message, cause);
    if (code == StatusCode.OK) {
      throw new IllegalArgumentException("OK is not a failure: " + message);
    }
    this.code = code;
  }

  public StatusCode code() {
    return code;
  }

  /** The bare text of the status, never null. */
  public String text() {
    String message = getMessage();
    return message == null ? "" : message;
  }

  /** The same failure with the stack of who meets it now. */
  TtrpcException afresh() {
    return new TtrpcException(code, text(), this);
  }
}
