package io.jcontainerd.client;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.leases.Lease;

/**
 * Adds to the current call's lease what the call is going to rely on, before it looks whether it is
 * there: what exists already is not created by the call, and could be collected between the look
 * and the use.
 */
final class LeaseKeeper {
  private final RemoteLeaseStore leases;

  LeaseKeeper(RemoteLeaseStore leases) {
    this.leases = leases;
  }

  void keepContent(Digest digest) {
    keep(new Lease.Resource(digest.toString(), "content"));
  }

  void keepSnapshot(String snapshotter, String name) {
    keep(new Lease.Resource(name, "snapshots/" + snapshotter));
  }

  private void keep(Lease.Resource resource) {
    Call.current().lease().ifPresent(id -> leases.addResource(id, resource));
  }
}
