package io.jcontainerd.testkit.contract;

import io.jcontainerd.core.containers.ContainerStore;
import io.jcontainerd.core.content.ContentStore;
import io.jcontainerd.core.images.ImageStore;
import io.jcontainerd.core.leases.LeaseStore;
import io.jcontainerd.core.namespaces.NamespaceStore;
import io.jcontainerd.core.snapshots.Snapshotter;

/**
 * The stores of one daemon. All but the first work in the namespace of the current call.
 *
 * @param namespaces all namespaces
 * @param images names of images
 * @param containers records of containers
 * @param content blobs
 * @param leases what keeps things
 * @param snapshotter the name of the snapshotter
 * @param snapshots what that snapshotter has
 */
public record Stores(
    NamespaceStore namespaces,
    ImageStore images,
    ContainerStore containers,
    ContentStore content,
    LeaseStore leases,
    String snapshotter,
    Snapshotter snapshots) {}
