package io.jcontainerd.transfer;

import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.Labels;
import io.jcontainerd.core.diff.Applier;
import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.core.snapshots.Snapshotter;
import io.jcontainerd.oci.image.ChainIds;
import io.jcontainerd.oci.image.ImageConfig;
import io.jcontainerd.oci.image.Manifest;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The layers of one manifest, and where they go. While it is open, layers that will be needed may
 * come beforehand. Safe for many threads.
 */
final class UnpackPlan implements AutoCloseable {
  private static final String REBASE = "rebase";
  private static final String REMOTE = "enable_remote_snapshot_annotations";

  private final Session session;
  private final Descriptor at;
  private final Descriptor config;
  private final List<Descriptor> layers;
  private final List<Digest> diffIds;
  private final List<Digest> chain;
  private final String snapshotterName;
  private final Snapshotter snapshotter;
  private final Applier applier;
  private final Blobs blobs;

  /** Guards itself and what follows; nothing is asked for or closed under it. */
  private final Map<Integer, Blobs.Interest> ahead = new HashMap<>();

  private final Set<Integer> dropped = new HashSet<>();
  private boolean asked;
  private boolean closed;

  /**
   * @param at where the manifest is
   */
  UnpackPlan(
      Session session,
      Descriptor at,
      Manifest manifest,
      ImageConfig config,
      String snapshotterName,
      Snapshotter snapshotter,
      Applier applier,
      Blobs blobs) {
    this.session = session;
    this.at = at;
    this.config = manifest.config();
    this.layers = manifest.layers();
    this.diffIds = config.diffIds();
    this.chain = ChainIds.of(diffIds);
    this.snapshotterName = snapshotterName;
    this.snapshotter = snapshotter;
    this.applier = applier;
    this.blobs = blobs;
    if (layers.size() != diffIds.size()) {
      throw new FailedPreconditionException(
          "image config %s lists %d layers, its manifest %d"
              .formatted(manifest.config().digest(), diffIds.size(), layers.size()));
    }
  }

  Session session() {
    return session;
  }

  Descriptor config() {
    return config;
  }

  List<Descriptor> layers() {
    return layers;
  }

  Digest diffId(int layer) {
    return diffIds.get(layer);
  }

  /** The name of the snapshot with the layer on top. */
  String name(int layer) {
    return chain.get(layer).toString();
  }

  /** The name of the snapshot below the layer; empty for none. */
  String below(int layer) {
    return layer == 0 ? "" : name(layer - 1);
  }

  String snapshotterName() {
    return snapshotterName;
  }

  Snapshotter snapshotter() {
    return snapshotter;
  }

  Applier applier() {
    return applier;
  }

  /**
   * Whether a layer can be unpacked beside what is below it, and put on it at the end. A
   * snapshotter that may fetch the layer by itself puts it on its parent at once, so that must be
   * there.
   */
  boolean isSideBySide() {
    return snapshotter.capabilities().contains(REBASE) && !isRemote(snapshotter);
  }

  /** Whether the snapshotter may have layers from elsewhere, if it is told what they are. */
  static boolean isRemote(Snapshotter snapshotter) {
    return "true".equals(snapshotter.exports().get(REMOTE));
  }

  /** What the snapshotter is told of a layer. */
  Map<String, String> labels(int layer) {
    Descriptor blob = layers.get(layer);
    Map<String, String> labels = new HashMap<>();
    blob.annotations()
        .forEach(
            (key, value) -> {
              if (key.startsWith(Labels.SNAPSHOT_PREFIX)) {
                labels.put(key, value);
              }
            });
    labels.put(Labels.SNAPSHOT_REF, name(layer));
    labels.put(Labels.DIFF_ID, diffId(layer).toString());
    if (layer > 0) {
      labels.put(Labels.PARENT_CHAIN_ID, below(layer));
    }
    if (isRemote(snapshotter)) {
      labels.put(Labels.SNAPSHOT_PREFIX + "cri.image-ref", session.reference());
      labels.put(Labels.SNAPSHOT_PREFIX + "cri.manifest-digest", at.digest().toString());
      labels.put(Labels.SNAPSHOT_PREFIX + "cri.layer-digest", blob.digest().toString());
      String key = Labels.SNAPSHOT_PREFIX + "cri.image-layers";
      labels.put(key, list(key, layers.subList(layer, layers.size())));
    }
    return labels;
  }

  /** As many digests as fit into a label. */
  private static String list(String key, List<Descriptor> layers) {
    List<String> fitting = new ArrayList<>();
    int left = Labels.MAX_BYTES - key.length();
    for (Descriptor layer : layers) {
      String digest = layer.digest().toString();
      left -= digest.length() + 1;
      if (left < 0) {
        break;
      }
      fitting.add(digest);
    }
    return String.join(",", fitting);
  }

  /**
   * The layer will be unpacked, so those above it probably will be too: where each waits for the
   * one below, their blobs may come meanwhile. The first call counts.
   */
  void comeAhead(int layer) {
    if (isSideBySide()) {
      return;
    }
    synchronized (ahead) {
      if (asked) {
        return;
      }
      asked = true;
    }
    for (int above = layer + 1; above < layers.size() && isOpen(); above++) {
      keep(above, blobs.begin(session, layers.get(above), above));
    }
  }

  private boolean isOpen() {
    synchronized (ahead) {
      return !closed;
    }
  }

  private void keep(int layer, Blobs.Interest interest) {
    synchronized (ahead) {
      if (!closed && !dropped.contains(layer)) {
        ahead.put(layer, interest);
        return;
      }
    }
    interest.close();
  }

  /** The layer's blob is not needed after all, or its own work waits for it now. */
  void drop(int layer) {
    Blobs.Interest interest;
    synchronized (ahead) {
      dropped.add(layer);
      interest = ahead.remove(layer);
    }
    if (interest != null) {
      interest.close();
    }
  }

  @Override
  public void close() {
    List<Blobs.Interest> left;
    synchronized (ahead) {
      closed = true;
      left = List.copyOf(ahead.values());
      ahead.clear();
    }
    left.forEach(Blobs.Interest::close);
  }
}
