package io.jcontainerd.client;

import io.jcontainerd.client.Progress.Stage;
import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.Labels;
import io.jcontainerd.core.diff.Applier;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.core.snapshots.Prepared;
import io.jcontainerd.oci.image.ChainIds;
import io.jcontainerd.oci.image.GcReferences;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Makes snapshots of layers: each layer on the snapshot of those below it, named by chain id. A
 * layer whose snapshot exists is passed over. A failure leaves no half-made snapshot.
 */
final class Unpacker {
  private static final int MOST_TRIES = 4;

  private final RemoteSnapshotter snapshotter;
  private final RemoteDiff diff;
  private final Documents documents;
  private final Progress.Listener listener;
  private final LeaseKeeper keeper;

  Unpacker(
      RemoteSnapshotter snapshotter,
      LeaseKeeper keeper,
      RemoteDiff diff,
      Documents documents,
      Progress.Listener listener) {
    this.snapshotter = snapshotter;
    this.keeper = keeper;
    this.diff = diff;
    this.documents = documents;
    this.listener = listener;
  }

  /**
   * Unpacks all layers.
   *
   * @param fetched waits until a layer's blob is there
   */
  void unpack(
      Descriptor config, List<Descriptor> layers, List<Digest> diffIds, Consumer<Integer> fetched) {
    if (layers.size() != diffIds.size()) {
      throw new FailedPreconditionException(
          "image config "
              + config.digest()
              + " lists "
              + diffIds.size()
              + " layers, its manifest "
              + layers.size());
    }
    List<Digest> chain = ChainIds.of(diffIds);
    for (int i = 0; i < layers.size(); i++) {
      String name = chain.get(i).toString();
      String parent = i == 0 ? "" : chain.get(i - 1).toString();
      String item = layers.get(i).digest().toString();
      keeper.keepSnapshot(snapshotter.name(), name);
      if (!snapshotter.isCommitted(name)) {
        fetched.accept(i);
        long size = layers.get(i).size();
        listener.progress(new Progress(item, Stage.UNPACKING, size, size));
        layer(layers.get(i), diffIds.get(i), name, parent);
      }
      listener.progress(new Progress(item, Stage.UNPACKED, 0, 0));
    }
    if (!chain.isEmpty()) {
      documents.label(
          config.digest(), GcReferences.toSnapshot(snapshotter.name(), chain.getLast().toString()));
    }
  }

  private void layer(Descriptor layer, Digest diffId, String name, String parent) {
    Map<String, String> labels = new HashMap<>();
    labels.put(Labels.SNAPSHOT_REF, name);
    labels.put(Labels.DIFF_ID, diffId.toString());
    if (!parent.isEmpty()) {
      labels.put(Labels.PARENT_CHAIN_ID, parent);
    }
    for (int attempt = 1; ; attempt++) {
      String key = ChainIds.unpackKey(name);
      try {
        switch (snapshotter.prepare(key, parent, labels)) {
          case Prepared.AlreadyThere _ -> {}
          case Prepared.Writable writable -> apply(layer, diffId, name, key, writable);
        }
        return;
      } catch (AlreadyExistsException e) {
        if (snapshotter.isCommitted(name)) {
          return;
        }
        if (attempt >= MOST_TRIES) {
          throw new FailedPreconditionException(
              "snapshot " + name + " can neither be made nor found", e);
        }
      }
    }
  }

  private void apply(
      Descriptor layer, Digest diffId, String name, String key, Prepared.Writable writable) {
    try {
      Descriptor applied =
          diff.apply(layer, writable.mounts(), new Applier.Options(Map.of(), false));
      if (!applied.digest().equals(diffId)) {
        throw new FailedPreconditionException(
            "layer "
                + layer.digest()
                + " unpacks to "
                + applied.digest()
                + ", but the image says "
                + diffId);
      }
      snapshotter.commit(name, key, Map.of(), "");
    } catch (ContainerdException e) {
      try {
        snapshotter.remove(key);
      } catch (ContainerdException more) {
        e.addSuppressed(more);
      }
      throw e;
    }
    documents.label(layer.digest(), Map.of(Labels.UNCOMPRESSED, diffId.toString()));
  }
}
