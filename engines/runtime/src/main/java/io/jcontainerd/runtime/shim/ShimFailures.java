package io.jcontainerd.runtime.shim;

import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.ttrpc.ConnectionLostException;
import io.jcontainerd.ttrpc.TtrpcException;
import io.jcontainerd.wire.Failures;

/** What a shim's failures are called in this daemon. Texts pass unchanged. */
final class ShimFailures {
  private ShimFailures() {}

  static ContainerdException of(TtrpcException e) {
    return Failures.toCore(e.code().number(), e.text(), e);
  }

  /** Whether the connection ended before the answer came. */
  static boolean isLost(Throwable failure) {
    for (Throwable t = failure; t != null; t = t.getCause()) {
      if (t instanceof ConnectionLostException) {
        return true;
      }
    }
    return false;
  }
}
