package io.jcontainerd.testkit.memory;

import io.jcontainerd.core.Digest;
import io.jcontainerd.core.Labels;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.NotImplementedException;
import io.jcontainerd.core.filter.Fields;
import io.jcontainerd.core.filter.Filter;
import io.jcontainerd.core.leases.Lease;
import io.jcontainerd.core.leases.LeaseStore;
import io.jcontainerd.core.ports.Time;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Leases in memory; nothing is ever collected. Safe for many threads. */
public final class InMemoryLeaseStore implements LeaseStore {
  private record Held(Lease lease, Set<Lease.Resource> resources) {}

  private final Spaces<String, Held> leases = new Spaces<>();
  private final Time time;
  private int invented;

  /** An empty store that reads this clock. */
  public InMemoryLeaseStore(Time time) {
    this.time = time;
  }

  /** An empty store. */
  public InMemoryLeaseStore() {
    this(Time.SYSTEM);
  }

  private Held held(String id) {
    Held held = leases.current().get(id);
    if (held == null) {
      throw new NotFoundException("lease \"" + id + "\"");
    }
    return held;
  }

  @Override
  public synchronized Lease create(String id, Map<String, String> labels) {
    String name = id.isEmpty() ? "lease-" + ++invented : id;
    var lease = new Lease(name, time.now(), Labels.stored(labels));
    if (leases.current().putIfAbsent(name, new Held(lease, new LinkedHashSet<>())) != null) {
      throw new AlreadyExistsException("lease \"" + name + "\"");
    }
    return lease;
  }

  @Override
  public synchronized void delete(String id, boolean sync) {
    held(id);
    leases.current().remove(id);
  }

  @Override
  public synchronized List<Lease> list(Filter filter) {
    return leases.current().values().stream()
        .map(Held::lease)
        .filter(
            lease ->
                filter.matches(
                    path ->
                        switch (path.getFirst()) {
                          case "id" -> Fields.nonEmpty(lease.id());
                          case "labels" -> Fields.entry(lease.labels(), path);
                          default -> Optional.empty();
                        }))
        .toList();
  }

  @Override
  public synchronized void addResource(String id, Lease.Resource resource) {
    Held held = held(id);
    switch (resource.type()) {
      case "content" -> Digest.parse(resource.id());
      case "images", "ingests" -> {}
      default -> {
        if (!resource.type().matches("snapshots/[^/]+")) {
          throw new NotImplementedException("resource type \"" + resource.type() + "\"");
        }
      }
    }
    held.resources().add(resource);
  }

  @Override
  public synchronized void deleteResource(String id, Lease.Resource resource) {
    held(id).resources().remove(resource);
  }

  @Override
  public synchronized List<Lease.Resource> listResources(String id) {
    return List.copyOf(held(id).resources());
  }
}
