package io.jcontainerd.transfer.archive;

import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.Platform;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.transfer.ImageSelection;
import io.jcontainerd.oci.image.GcReferences;
import io.jcontainerd.oci.image.ImageDocument;
import io.jcontainerd.oci.image.Index;
import io.jcontainerd.oci.image.Manifest;
import io.jcontainerd.oci.image.MediaTypes;
import io.jcontainerd.oci.platform.PlatformChoice;
import io.jcontainerd.oci.platform.Platforms;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Sees to it that an imported image is whole for the platforms that count, and that its documents
 * keep their parts from the garbage collector. For one thread.
 */
final class ImportedTree {
  private static final int DEEPEST = 8;

  private final Blobs blobs;
  private final ImageSelection destination;
  private final PlatformChoice platforms;
  private final Set<Checked> seen = new HashSet<>();

  /** A document, and whether its layers had to be there. */
  private record Checked(Digest digest, boolean layers) {}

  ImportedTree(Blobs blobs, ImageSelection destination) {
    this.blobs = blobs;
    this.destination = destination;
    this.platforms = new PlatformChoice(destination.platforms());
  }

  /** Whether an image of that platform counts; one that tells none does. */
  boolean counts(Optional<Platform> platform) {
    return platform.isEmpty() || platforms.accepts(platform.get());
  }

  /**
   * Checks an image and labels its documents.
   *
   * @throws NotFoundException naming what is missing
   */
  void check(Descriptor image) {
    check(image, "the archive", true, 0);
  }

  private void check(Descriptor part, String of, boolean layers, int depth) {
    if (depth > DEEPEST) {
      throw new InvalidArgumentException("image archive: indexes nested deeper than " + DEEPEST);
    }
    blobs.expect(part, of);
    boolean isDocument =
        MediaTypes.isIndex(part.mediaType()) || MediaTypes.isManifest(part.mediaType());
    if (!isDocument || !seen.add(new Checked(part.digest(), layers))) {
      return;
    }
    if (seen.size() > ArchiveLimits.DOCUMENTS) {
      throw new InvalidArgumentException(
          "image archive has more than " + ArchiveLimits.DOCUMENTS + " indexes and manifests");
    }
    byte[] bytes = blobs.document(part.digest(), part.size());
    switch (ImageDocument.parse(bytes, part.mediaType())) {
      case Index index -> {
        blobs.label(part.digest(), GcReferences.of(index));
        check(index, part, depth);
      }
      case Manifest manifest -> {
        blobs.label(part.digest(), GcReferences.of(manifest));
        check(manifest, part, layers);
      }
    }
  }

  private void check(Index index, Descriptor at, int depth) {
    List<Index.Entry> chosen = platforms.of(index.manifests(), Index.Entry::platform);
    if (destination.manifestLimit() > 0 && chosen.size() > destination.manifestLimit()) {
      chosen = chosen.subList(0, destination.manifestLimit());
    }
    if (chosen.isEmpty() && !index.manifests().isEmpty()) {
      throw new NotFoundException(
          "image archive: %s has nothing for %s"
              .formatted(
                  at.digest(),
                  String.join(", ", platforms.wanted().stream().map(Platforms::format).toList())));
    }
    for (Index.Entry entry : chosen) {
      check(entry.descriptor(), "index " + at.digest(), true, depth + 1);
    }
    if (destination.allMetadata()) {
      Set<Index.Entry> whole = new HashSet<>(chosen);
      for (Index.Entry entry : index.manifests()) {
        if (!whole.contains(entry) && blobs.has(entry.descriptor().digest())) {
          check(entry.descriptor(), "index " + at.digest(), false, depth + 1);
        }
      }
    }
  }

  private void check(Manifest manifest, Descriptor at, boolean layers) {
    String of = "manifest " + at.digest();
    blobs.expect(manifest.config(), of);
    for (Descriptor layer : manifest.layers()) {
      boolean mayMiss = !layers || MediaTypes.isNondistributable(layer.mediaType());
      if (!mayMiss || blobs.has(layer.digest())) {
        blobs.expect(layer, of);
      }
    }
  }
}
