package io.jcontainerd.transfer;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.leases.Lease;
import io.jcontainerd.core.leases.LeaseStore;

/**
 * Adds to the current call's lease what the call is going to rely on, before it looks whether it is
 * there: what exists already is not created by the call, and could be collected between the look
 * and the use.
 *
 * @param leases where leases are
 */
record Keeper(LeaseStore leases) {
  void content(Digest digest) {
    keep(new Lease.Resource(digest.toString(), "content"));
  }

  void snapshot(String snapshotter, String name) {
    keep(new Lease.Resource(name, "snapshots/" + snapshotter));
  }

  private void keep(Lease.Resource resource) {
    Call.current().lease().ifPresent(id -> leases.addResource(id, resource));
  }
}
