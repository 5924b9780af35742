package io.jcontainerd.transfer;

import io.jcontainerd.core.content.ContentStore;
import io.jcontainerd.core.diff.Applier;
import io.jcontainerd.core.diff.LayerImages;
import io.jcontainerd.core.images.ImageStore;
import io.jcontainerd.core.images.ImageVerifier;
import io.jcontainerd.core.leases.LeaseStore;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.core.registry.Registries;
import io.jcontainerd.core.snapshots.Snapshotter;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.LongUnaryOperator;

/**
 * Who does the steps. All of them know namespaces.
 *
 * @param content blobs
 * @param images names
 * @param leases what keeps both meanwhile
 * @param snapshotters by name
 * @param appliers by name
 * @param registries where images come from and go to
 * @param verifiers who may refuse an image, by name
 * @param layerImages makes file system images of layers, if anybody does
 * @param mostLayerBytes the most plain bytes that a packed layer of so many may become, as where
 *     layers are unpacked
 * @param space room on the disks
 * @param time the clock
 */
public record TransferParts(
    ContentStore content,
    ImageStore images,
    LeaseStore leases,
    Function<String, Optional<Snapshotter>> snapshotters,
    Function<String, Optional<Applier>> appliers,
    Registries registries,
    Map<String, ImageVerifier> verifiers,
    Optional<LayerImages> layerImages,
    LongUnaryOperator mostLayerBytes,
    DiskSpace space,
    Time time) {
  /** Copies the verifiers. */
  public TransferParts {
    verifiers = Map.copyOf(verifiers);
  }
}
