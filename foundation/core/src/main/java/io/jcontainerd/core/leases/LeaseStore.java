package io.jcontainerd.core.leases;

import io.jcontainerd.core.filter.Filter;
import java.util.List;
import java.util.Map;

/** Leases in the namespace of the current call. Safe for many threads. */
public interface LeaseStore {
  /**
   * Grants a lease.
   *
   * @param id empty for one made up
   * @throws io.jcontainerd.core.failure.AlreadyExistsException if the id is taken
   */
  Lease create(String id, Map<String, String> labels);

  /**
   * Ends a lease; what only it kept can be collected.
   *
   * @param sync waits for a garbage collection that began after the end
   * @throws io.jcontainerd.core.failure.NotFoundException if there is none
   */
  void delete(String id, boolean sync);

  /** Every lease that the filter matches. */
  List<Lease> list(Filter filter);

  /** Adds a resource, which need not exist. */
  void addResource(String id, Lease.Resource resource);

  /** Takes a resource away; one that is absent is no failure. */
  void deleteResource(String id, Lease.Resource resource);

  /** What the lease keeps. */
  List<Lease.Resource> listResources(String id);
}
