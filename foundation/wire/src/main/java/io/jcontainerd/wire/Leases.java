package io.jcontainerd.wire;

import io.jcontainerd.api.services.leases.v1.Resource;
import io.jcontainerd.core.leases.Lease;

/** Leases and their messages. */
public final class Leases {
  private Leases() {}

  /** A lease as a message. */
  public static io.jcontainerd.api.services.leases.v1.Lease toApi(Lease lease) {
    return io.jcontainerd.api.services.leases.v1.Lease.newBuilder()
        .setId(lease.id())
        .setCreatedAt(Times.toApi(lease.createdAt()))
        .putAllLabels(lease.labels())
        .build();
  }

  /** A message as a lease. */
  public static Lease toCore(io.jcontainerd.api.services.leases.v1.Lease message) {
    return new Lease(message.getId(), Times.toCore(message.getCreatedAt()), message.getLabelsMap());
  }

  /** A resource as a message. */
  public static Resource toApi(Lease.Resource resource) {
    return Resource.newBuilder().setId(resource.id()).setType(resource.type()).build();
  }

  /** A message as a resource. */
  public static Lease.Resource toCore(Resource message) {
    return new Lease.Resource(message.getId(), message.getType());
  }
}
