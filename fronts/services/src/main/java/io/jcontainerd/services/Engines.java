package io.jcontainerd.services;

import io.jcontainerd.core.containers.ContainerStore;
import io.jcontainerd.core.content.ContentStore;
import io.jcontainerd.core.diff.Applier;
import io.jcontainerd.core.diff.Comparer;
import io.jcontainerd.core.events.EventExchange;
import io.jcontainerd.core.images.ImageStore;
import io.jcontainerd.core.introspection.Introspection;
import io.jcontainerd.core.leases.LeaseStore;
import io.jcontainerd.core.namespaces.NamespaceStore;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.core.snapshots.Snapshotter;
import io.jcontainerd.core.tasks.TaskRuntime;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * Everything that the services stand on. The stores are namespaced ones.
 *
 * @param version of this daemon, readable as a semantic version
 * @param revision of the source it was built from; may be empty
 * @param introspection what the daemon tells about itself
 * @param namespaces all namespaces
 * @param containers the call's containers
 * @param content the call's blobs
 * @param images the call's images
 * @param leases the call's leases
 * @param snapshotters the call's snapshots, by snapshotter name
 * @param appliers asked in order
 * @param comparers asked in order
 * @param syncFs whether every applied layer is forced to disk before the answer
 * @param events the exchange
 * @param tasks the call's tasks
 * @param temp a folder for temporary files; made when first needed
 * @param time the clock
 */
public record Engines(
    String version,
    String revision,
    Introspection introspection,
    NamespaceStore namespaces,
    ContainerStore containers,
    ContentStore content,
    ImageStore images,
    LeaseStore leases,
    Map<String, Snapshotter> snapshotters,
    List<Applier> appliers,
    List<Comparer> comparers,
    boolean syncFs,
    EventExchange events,
    TaskRuntime tasks,
    Path temp,
    Time time) {

  /** Copies the collections. */
  public Engines {
    snapshotters = Map.copyOf(snapshotters);
    appliers = List.copyOf(appliers);
    comparers = List.copyOf(comparers);
  }
}
