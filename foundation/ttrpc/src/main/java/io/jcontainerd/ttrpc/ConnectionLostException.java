package io.jcontainerd.ttrpc;

import org.jspecify.annotations.Nullable;

/**
 * The connection ended before the answer came: the peer died, closed, or was given up because it no
 * longer read what it was sent. Whether the call took effect is unknown.
 */
public final class ConnectionLostException extends TtrpcException {
  private static final long serialVersionUID = 1L;

  public ConnectionLostException(String message, @Nullable Throwable cause) {
    super(StatusCode.UNAVAILABLE, message, cause);
  }

  @Override
  TtrpcException afresh() {
    return new ConnectionLostException(text(), this);
  }
}
