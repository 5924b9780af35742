package io.jcontainerd.client;

import io.jcontainerd.client.Progress.Stage;
import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Labels;
import io.jcontainerd.core.Platform;
import io.jcontainerd.core.content.ContentInfo;
import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.core.images.Image;
import io.jcontainerd.core.registry.Registry;
import io.jcontainerd.oci.image.ImageDocument;
import io.jcontainerd.oci.image.Index;
import io.jcontainerd.oci.image.Manifest;
import io.jcontainerd.oci.image.MediaTypes;
import io.jcontainerd.oci.reference.Reference;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Future;

/**
 * Takes an image from the daemon to a registry: blobs several at a time, then the manifests, then
 * what names them. What the registry has is not sent again. For one thread.
 */
public final class ImagePush {
  private final Containerd client;
  private final Registry registry;
  private Optional<Platform> platform = Optional.empty();
  private int atOnce = 4;
  private Progress.Listener listener = Progress.Listener.NONE;

  ImagePush(Containerd client, Registry registry) {
    this.client = client;
    this.registry = registry;
  }

  /** Pushes the manifest of one platform instead of a whole index. */
  public ImagePush platform(Platform wanted) {
    this.platform = Optional.of(wanted);
    return this;
  }

  /** Who hears how it goes. */
  public ImagePush listener(Progress.Listener wanted) {
    this.listener = wanted;
    return this;
  }

  /** Pushes the image under its own name. */
  public void image(String name) {
    image(name, name);
  }

  /**
   * Pushes an image.
   *
   * @param name of the image in the daemon, as people write it
   * @param remote the name that it gets in the registry
   * @throws FailedPreconditionException if parts of the image are not in the daemon
   */
  public void image(String name, String remote) {
    Reference local = Reference.parse(name).withDefaultTag();
    Reference reference = Reference.parse(remote).withDefaultTag();
    Image image = client.images().get(local.toString());
    Documents documents = new Documents(client.content());
    Descriptor root =
        platform.map(p -> one(name, image.target(), p, documents)).orElse(image.target());
    Set<Descriptor> blobs = new LinkedHashSet<>();
    List<Descriptor> manifests = new ArrayList<>();
    collect(name, root, 0, documents, blobs, manifests);
    try (Parallel parallel = new Parallel(atOnce)) {
      List<Future<Descriptor>> sent = new ArrayList<>();
      for (Descriptor blob : blobs) {
        sent.add(parallel.begin(() -> send(reference, blob)));
      }
      sent.forEach(Parallel::await);
    }
    for (Descriptor manifest : manifests) {
      boolean isRoot = manifest.equals(root);
      send(isRoot ? reference : reference.withDigest(manifest.digest()), manifest);
    }
    listener.progress(new Progress(reference.toString(), Stage.DONE, 0, 0));
  }

  private static Descriptor one(
      String name, Descriptor target, Platform platform, Documents documents) {
    Descriptor at = target;
    for (int depth = 0; ; depth++) {
      Documents.checkDepth(name, depth);
      if (!(documents.read(at) instanceof Index index)) {
        return at;
      }
      at = index.manifests().get(Documents.choose(name, index, platform)).descriptor();
    }
  }

  /** Blobs in any order; manifests after what they refer to. */
  private void collect(
      String name,
      Descriptor at,
      int depth,
      Documents documents,
      Set<Descriptor> blobs,
      List<Descriptor> manifests) {
    Documents.checkDepth(name, depth);
    if (documents.find(at).isEmpty()) {
      throw new FailedPreconditionException(
          "image "
              + name
              + ": content "
              + at.digest()
              + " is not here; pull all platforms, or push one");
    }
    ImageDocument document = documents.read(at);
    switch (document) {
      case Manifest manifest -> {
        blobs.add(manifest.config());
        manifest.layers().stream()
            .filter(l -> !MediaTypes.isNondistributable(l.mediaType()))
            .forEach(blobs::add);
      }
      case Index index ->
          index
              .manifests()
              .forEach(e -> collect(name, e.descriptor(), depth + 1, documents, blobs, manifests));
    }
    manifests.add(at);
  }

  private Descriptor send(Reference reference, Descriptor blob) {
    String item = blob.digest().toString();
    listener.progress(new Progress(item, Stage.WAITING, 0, blob.size()));
    ContentInfo info = client.content().info(blob.digest());
    Map<String, String> annotations = new HashMap<>(blob.annotations());
    info.labels()
        .forEach(
            (key, value) -> {
              if (key.startsWith(Labels.DISTRIBUTION_SOURCE)) {
                annotations.put(key, value);
              }
            });
    Descriptor known = new Descriptor(blob.mediaType(), blob.digest(), blob.size(), annotations);
    boolean sent = registry.push(reference.toString(), known, () -> open(blob));
    listener.progress(
        new Progress(item, sent ? Stage.TRANSFERRED : Stage.PRESENT, blob.size(), blob.size()));
    return blob;
  }

  private InputStream open(Descriptor blob) {
    String item = blob.digest().toString();
    return new FilterInputStream(client.content().open(blob.digest(), 0)) {
      private long done;

      @Override
      public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
      }

      @Override
      public int read(byte[] into, int offset, int length) throws IOException {
        int count = super.read(into, offset, length);
        if (count > 0) {
          done += count;
          listener.progress(new Progress(item, Stage.TRANSFERRING, done, blob.size()));
        }
        return count;
      }
    };
  }
}
