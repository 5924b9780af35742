package io.jcontainerd.endure;

import io.jcontainerd.client.Containerd;
import io.jcontainerd.client.RemoteSnapshotter;
import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.Labels;
import io.jcontainerd.core.diff.Applier;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.core.leases.Lease;
import io.jcontainerd.core.snapshots.Prepared;
import io.jcontainerd.core.snapshots.SnapshotInfo;
import io.jcontainerd.core.snapshots.SnapshotKind;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;

/** Makes snapshots of an image's layers as containerd's client does, keys included. */
final class Unpacking {
  private static final int MOST_TRIES = 20;

  private final Ledger ledger;
  private final String namespace;

  Unpacking(Ledger ledger, String namespace) {
    this.ledger = ledger;
    this.namespace = namespace;
  }

  /** All layers are committed when it returns. To be called within the lease. */
  void unpack(Containerd client, ModelImage image, String name, String lease) {
    RemoteSnapshotter snapshotter = client.snapshotter(name);
    String parent = "";
    for (int i = 0; i < image.layers().size(); i++) {
      String chain = image.chain().get(i).toString();
      client.leases().addResource(lease, new Lease.Resource(chain, "snapshots/" + name));
      if (!isCommitted(snapshotter, chain)) {
        layer(client, snapshotter, image.layers().get(i), parent, chain);
      }
      ledger.settle(Keys.layer(namespace, lease, name, chain), "there");
      parent = chain;
    }
  }

  private static boolean isCommitted(RemoteSnapshotter snapshotter, String chain) {
    return snapshotter
        .find(chain)
        .map(SnapshotInfo::kind)
        .filter(SnapshotKind.COMMITTED::equals)
        .isPresent();
  }

  private static void layer(
      Containerd client, RemoteSnapshotter snapshotter, Layer layer, String parent, String chain) {
    for (int attempt = 1; ; attempt++) {
      String key = "extract-" + ThreadLocalRandom.current().nextLong(Long.MAX_VALUE) + " " + chain;
      try {
        Prepared prepared = snapshotter.prepare(key, parent, Map.of(Labels.SNAPSHOT_REF, chain));
        if (prepared instanceof Prepared.Writable writable) {
          apply(client, layer, writable);
          snapshotter.commit(chain, key, Map.of(), "");
        }
        return;
      } catch (AlreadyExistsException e) {
        // another worker was quicker; what was prepared goes with the lease
        if (isCommitted(snapshotter, chain)) {
          return;
        }
        if (attempt == MOST_TRIES) {
          throw new FailedPreconditionException(
              "snapshot " + chain + " can neither be made nor found", e);
        }
      }
    }
  }

  private static void apply(Containerd client, Layer layer, Prepared.Writable writable) {
    Descriptor applied =
        client
            .diff()
            .apply(
                layer.blob().descriptor(),
                List.copyOf(writable.mounts()),
                new Applier.Options(Map.of(), false));
    Digest found = applied.digest();
    if (!found.equals(layer.diffId())) {
      throw new FailedPreconditionException(
          "layer " + layer.blob().digest() + " unpacks to " + found + ", not " + layer.diffId());
    }
  }
}
