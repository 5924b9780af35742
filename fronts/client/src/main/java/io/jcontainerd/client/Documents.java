package io.jcontainerd.client;

import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.FieldMask;
import io.jcontainerd.core.Platform;
import io.jcontainerd.core.content.ContentInfo;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.oci.image.ImageDocument;
import io.jcontainerd.oci.image.Index;
import io.jcontainerd.oci.image.MediaTypes;
import io.jcontainerd.oci.platform.Platforms;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Reading images that are in the daemon. */
final class Documents {
  /** Indexes inside of indexes, at most. */
  static final int DEEPEST = 4;

  private final RemoteContentStore content;

  Documents(RemoteContentStore content) {
    this.content = content;
  }

  ImageDocument read(Descriptor descriptor) {
    return ImageDocument.parse(
        content.readAll(descriptor.digest(), ImageDocument.LONGEST), descriptor.mediaType());
  }

  /** The entry of an index that the platform runs best. */
  static int choose(String image, Index index, Platform platform) {
    List<Index.Entry> entries = index.manifests();
    List<Index.Entry> images =
        entries.stream()
            .filter(
                e ->
                    MediaTypes.isManifest(e.descriptor().mediaType())
                        || MediaTypes.isIndex(e.descriptor().mediaType()))
            .toList();
    return Platforms.best(platform, images, Index.Entry::platform)
        .map(entries::indexOf)
        .orElseThrow(
            () ->
                new NotFoundException(
                    "image "
                        + image
                        + " for platform "
                        + Platforms.format(platform)
                        + "; it offers "
                        + offers(images)));
  }

  private static String offers(List<Index.Entry> entries) {
    List<String> names =
        entries.stream()
            .flatMap(e -> e.platform().stream())
            .map(Platforms::format)
            .distinct()
            .toList();
    return names.isEmpty() ? "none" : String.join(", ", names);
  }

  static void checkPlatform(String image, Platform found, Platform wanted) {
    if (!found.os().isEmpty() && Platforms.rank(wanted, found).isEmpty()) {
      throw new NotFoundException(
          "image "
              + image
              + " for platform "
              + Platforms.format(wanted)
              + "; it offers "
              + Platforms.format(Platforms.normalize(found)));
    }
  }

  static void checkDepth(String image, int depth) {
    if (depth > DEEPEST) {
      throw new InvalidArgumentException("image " + image + ": indexes are nested too deeply");
    }
  }

  /** Sets labels of a blob, leaving its others as they are. */
  void label(Digest digest, Map<String, String> labels) {
    ContentInfo info = new ContentInfo(digest, 0, Instant.EPOCH, Instant.EPOCH, labels);
    content.update(info, new FieldMask(labels.keySet().stream().map(k -> "labels." + k).toList()));
  }

  Optional<ContentInfo> find(Descriptor descriptor) {
    return content.find(descriptor.digest());
  }
}
