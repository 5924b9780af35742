package io.jcontainerd.client;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.leases.Lease;
import java.util.Optional;

/**
 * A granted lease. What is created within its {@link #call} is kept until the handle is closed.
 * Closing takes no account of the caller's own interruption or deadline; one that is gone already
 * is closed.
 */
public final class LeaseHandle implements AutoCloseable {
  private final RemoteLeaseStore store;
  private final Lease lease;
  private final Call call;
  private boolean closed;

  LeaseHandle(RemoteLeaseStore store, Lease lease, Call call) {
    this.store = store;
    this.lease = lease;
    this.call = call.withLease(lease.id());
  }

  /** The lease's id. */
  public String id() {
    return lease.id();
  }

  /** The call to work in: {@code lease.call().run(…)}. */
  public Call call() {
    return call;
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    boolean interrupted = Thread.interrupted();
    try {
      new Call(call.namespaceHeader(), Optional.empty(), Optional.empty())
          .run(() -> store.delete(lease.id(), false));
    } catch (NotFoundException _) {
      // it expired, or somebody ended it: either way it is closed
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
