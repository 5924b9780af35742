package io.jcontainerd.runtime.shim;

import io.jcontainerd.runtime.bundle.Bundle;
import java.io.IOException;

/** Brings the log lines of shims into the daemon's own log. Safe for many threads. */
public interface ShimLogs {
  /** Makes the bundle's log FIFO if need be and reads it until its writer is gone. */
  void open(Bundle bundle) throws IOException;

  /** Stops reading. Nothing happens if nothing is read. */
  void close(Bundle bundle);
}
