package io.jcontainerd.transfer.archive;

import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.Platform;
import io.jcontainerd.core.content.ContentInfo;
import io.jcontainerd.core.content.ContentStore;
import io.jcontainerd.core.failure.DataLossException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.oci.image.ImageDocument;
import io.jcontainerd.oci.image.Index;
import io.jcontainerd.oci.image.Manifest;
import io.jcontainerd.oci.image.MediaTypes;
import io.jcontainerd.oci.platform.PlatformChoice;
import io.jcontainerd.oci.platform.Platforms;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Collects the blobs that images consist of, and sees that all of them are there. */
final class ExportedParts {
  private static final int DEEPEST = 8;

  /**
   * The manifest by which an image is known where there can be only one.
   *
   * @param at where it is
   */
  record Main(Descriptor at, Manifest manifest) {}

  private final ContentStore content;
  private final PlatformChoice platforms;
  private final boolean allPlatforms;
  private final boolean skipNonDistributable;
  private final Map<Digest, Long> blobs = new LinkedHashMap<>();
  private final Map<Document, Optional<Main>> seen = new HashMap<>();

  /** What was read already, however often indexes list it. */
  private record Document(Digest digest, String mediaType) {}

  ExportedParts(
      ContentStore content,
      List<Platform> platforms,
      boolean allPlatforms,
      boolean skipNonDistributable) {
    this.content = content;
    this.platforms = new PlatformChoice(platforms);
    this.allPlatforms = allPlatforms;
    this.skipNonDistributable = skipNonDistributable;
  }

  /** Sizes by digest. */
  Map<Digest, Long> all() {
    return blobs;
  }

  /**
   * Adds all of an image.
   *
   * @return its manifest for the platforms
   */
  Optional<Main> add(Descriptor image) {
    return add(image, 0);
  }

  private Optional<Main> add(Descriptor part, int depth) {
    if (depth > DEEPEST) {
      throw new InvalidArgumentException("export: indexes nested deeper than " + DEEPEST);
    }
    blob(part);
    if (!MediaTypes.isIndex(part.mediaType()) && !MediaTypes.isManifest(part.mediaType())) {
      return Optional.empty();
    }
    var document = new Document(part.digest(), part.mediaType());
    Optional<Main> known = seen.get(document);
    if (known != null) {
      return known;
    }
    Optional<Main> main = read(part, depth);
    seen.put(document, main);
    if (seen.size() > ArchiveLimits.DOCUMENTS) {
      throw new InvalidArgumentException(
          "export: more than " + ArchiveLimits.DOCUMENTS + " indexes and manifests");
    }
    return main;
  }

  private Optional<Main> read(Descriptor part, int depth) {
    byte[] bytes = Blobs.read(content, part.digest(), part.size());
    return switch (ImageDocument.parse(bytes, part.mediaType())) {
      case Index index -> index(part, index, depth);
      case Manifest manifest -> {
        blob(manifest.config());
        for (Descriptor layer : manifest.layers()) {
          if (!skipNonDistributable || !MediaTypes.isNondistributable(layer.mediaType())) {
            blob(layer);
          }
        }
        yield Optional.of(new Main(part, manifest));
      }
    };
  }

  private Optional<Main> index(Descriptor at, Index index, int depth) {
    List<Index.Entry> fitting = platforms.of(index.manifests(), Index.Entry::platform);
    if (fitting.isEmpty() && !allPlatforms && !index.manifests().isEmpty()) {
      throw new NotFoundException(
          "export: %s has nothing for %s"
              .formatted(
                  at.digest(),
                  String.join(", ", platforms.wanted().stream().map(Platforms::format).toList())));
    }
    Optional<Main> main = Optional.empty();
    for (Index.Entry entry : fitting) {
      Optional<Main> found = add(entry.descriptor(), depth + 1);
      main = main.or(() -> found);
    }
    if (allPlatforms) {
      for (Index.Entry entry : index.manifests()) {
        if (!fitting.contains(entry)) {
          add(entry.descriptor(), depth + 1);
        }
      }
    }
    return main;
  }

  private void blob(Descriptor part) {
    ContentInfo info =
        content
            .find(part.digest())
            .orElseThrow(
                () ->
                    new NotFoundException(
                        "export: content " + part.digest() + " (" + part.mediaType() + ")"));
    if (info.size() != part.size()) {
      throw new DataLossException(
          "content %s has %d bytes instead of %d"
              .formatted(part.digest(), info.size(), part.size()));
    }
    blobs.put(part.digest(), part.size());
  }
}
