package io.jcontainerd.client;

import io.jcontainerd.client.Progress.Stage;
import io.jcontainerd.core.Call;
import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.FieldMask;
import io.jcontainerd.core.Platform;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.images.Image;
import io.jcontainerd.core.registry.Registry;
import io.jcontainerd.oci.image.GcReferences;
import io.jcontainerd.oci.image.ImageConfig;
import io.jcontainerd.oci.image.ImageDocument;
import io.jcontainerd.oci.image.Index;
import io.jcontainerd.oci.image.Manifest;
import io.jcontainerd.oci.platform.Platforms;
import io.jcontainerd.oci.reference.Reference;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Future;

/**
 * Brings an image from a registry into the daemon: resolves the name, fetches manifest, config and
 * layers several at a time, unpacks the layers as they come, and gives the image its name last.
 *
 * <p>All of it happens under a lease, so that nothing is collected half-way; after a failure the
 * finished blobs stay until the next collection, and a later pull takes up what is still there. The
 * setters return the pull itself. For one thread; {@link #image} may be called more than once.
 */
public final class ImagePull {
  private static final int LARGEST_CONFIG = 8 << 20;
  private static final int MOST_TRIES = 5;
  private static final Duration LEASE = Duration.ofHours(24);

  private final Containerd client;
  private final Registry registry;
  private Platform platform = Platforms.host();
  private String snapshotter = "";
  private boolean unpack = true;
  private int atOnce = 4;
  private Map<String, String> labels = Map.of();
  private Progress.Listener listener = Progress.Listener.NONE;

  ImagePull(Containerd client, Registry registry) {
    this.client = client;
    this.registry = registry;
  }

  /** What the image shall run on; this machine unless told otherwise. */
  public ImagePull platform(Platform wanted) {
    this.platform = wanted;
    return this;
  }

  /** Where layers are unpacked; the usual snapshotter unless told otherwise. */
  public ImagePull snapshotter(String name) {
    this.snapshotter = name;
    return this;
  }

  /** Whether layers are unpacked; they are unless told otherwise. */
  public ImagePull unpack(boolean wanted) {
    this.unpack = wanted;
    return this;
  }

  /** How many blobs come at the same time. */
  public ImagePull atOnce(int blobs) {
    if (blobs < 1) {
      throw new InvalidArgumentException(blobs + " blobs at once are not possible");
    }
    this.atOnce = blobs;
    return this;
  }

  /** Labels for the image's record. */
  public ImagePull labels(Map<String, String> wanted) {
    this.labels = Map.copyOf(wanted);
    return this;
  }

  /** Who hears how it goes. */
  public ImagePull listener(Progress.Listener wanted) {
    this.listener = wanted;
    return this;
  }

  /**
   * Pulls.
   *
   * @param name as people write it
   * @throws NotFoundException if there is no such image, or not for the platform
   */
  public PulledImage image(String name) {
    Reference reference = Reference.parse(name).withDefaultTag();
    if (Call.current().lease().isPresent()) {
      return pull(reference);
    }
    try (LeaseHandle lease = client.leases().grant(LEASE)) {
      return lease.call().call(() -> pull(reference));
    }
  }

  private PulledImage pull(Reference reference) {
    String name = reference.toString();
    listener.progress(new Progress(name, Stage.RESOLVING, 0, 0));
    Descriptor target = registry.resolve(name);
    RemoteContentStore content = client.content();
    BlobFetch fetch =
        new BlobFetch(content, new LeaseKeeper(client.leases()), registry, reference, listener);
    Documents documents = new Documents(content);
    Descriptor manifestAt = findManifest(name, target, fetch, documents);
    Manifest manifest = (Manifest) documents.read(manifestAt);
    ImageConfig config = fetchParts(name, manifest, fetch, documents);
    documents.label(manifestAt.digest(), GcReferences.of(manifest));
    Image image = record(name, target);
    listener.progress(new Progress(name, Stage.DONE, 0, 0));
    return new PulledImage(image, manifestAt, manifest, config);
  }

  /** Follows indexes down to the manifest of the platform. */
  private Descriptor findManifest(
      String name, Descriptor target, BlobFetch fetch, Documents documents) {
    Descriptor at = target;
    for (int depth = 0; ; depth++) {
      Documents.checkDepth(name, depth);
      ImageDocument.checkType(at.mediaType());
      fetch.fetch(at);
      switch (documents.read(at)) {
        case Manifest _ -> {
          return at;
        }
        case Index index -> {
          int chosen = Documents.choose(name, index, platform);
          Descriptor child = index.manifests().get(chosen).descriptor();
          documents.label(
              at.digest(),
              Map.of("containerd.io/gc.ref.content.m." + chosen, child.digest().toString()));
          at = child;
        }
      }
    }
  }

  private ImageConfig fetchParts(
      String name, Manifest manifest, BlobFetch fetch, Documents documents) {
    List<Descriptor> layers = manifest.layers();
    layers.forEach(
        l -> listener.progress(new Progress(l.digest().toString(), Stage.WAITING, 0, l.size())));
    try (Parallel parallel = new Parallel(atOnce)) {
      Future<?> configThere = parallel.begin(() -> fetched(fetch, manifest.config()));
      List<Future<?>> layersThere = new ArrayList<>();
      for (Descriptor layer : layers) {
        layersThere.add(parallel.begin(() -> fetched(fetch, layer)));
      }
      Parallel.await(configThere);
      ImageConfig config =
          ImageConfig.parse(client.content().readAll(manifest.config().digest(), LARGEST_CONFIG));
      Documents.checkPlatform(name, config.platform(), platform);
      if (unpack) {
        new Unpacker(
                client.snapshotter(snapshotter),
                new LeaseKeeper(client.leases()),
                client.diff(),
                documents,
                listener)
            .unpack(
                manifest.config(),
                layers,
                config.diffIds(),
                i -> Parallel.await(layersThere.get(i)));
      }
      layersThere.forEach(Parallel::await);
      return config;
    }
  }

  private static Descriptor fetched(BlobFetch fetch, Descriptor blob) {
    fetch.fetch(blob);
    return blob;
  }

  private Image record(String name, Descriptor target) {
    Image image = new Image(name, target, labels, Instant.EPOCH, Instant.EPOCH);
    RemoteImageStore images = client.images();
    List<String> paths = new ArrayList<>(List.of("target"));
    labels.keySet().forEach(k -> paths.add("labels." + k));
    for (int attempt = 1; ; attempt++) {
      try {
        return images.create(image, Optional.empty());
      } catch (AlreadyExistsException _) {
        try {
          return images.update(image, new FieldMask(paths), Optional.empty());
        } catch (NotFoundException e) {
          if (attempt >= MOST_TRIES) {
            throw e;
          } // else it was removed in between: create it after all
        }
      }
    }
  }
}
