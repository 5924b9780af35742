package io.jcontainerd.transfer;

import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.transfer.ImageSelection;
import io.jcontainerd.oci.image.ContentNames;
import io.jcontainerd.oci.image.ImageDocument;
import io.jcontainerd.oci.image.Index;
import io.jcontainerd.oci.image.Manifest;
import io.jcontainerd.oci.image.MediaTypes;
import io.jcontainerd.oci.platform.PlatformChoice;
import io.jcontainerd.oci.platform.Platforms;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Follows an image from its name down to its manifests, the platforms deciding which way. Of an
 * index that somebody put together wrongly, no part is followed twice. For one thread.
 */
final class TreeWalk {
  /** Whoever walks: brings documents, and hears of them. */
  interface Visitor {
    /** The document, which may have to be fetched first. */
    ImageDocument document(Descriptor at, String parent) throws InterruptedException;

    /** Something that an index lists and that is no document of an image. */
    void other(Descriptor at, String parent) throws InterruptedException;
  }

  private final String image;
  private final ImageSelection selection;
  private final PlatformChoice choice;
  private final Visitor visitor;
  private final List<ImageTree.Part> parts = new ArrayList<>();

  /** What was walked, and whether as a whole. */
  private final Map<Descriptor, Boolean> seen = new HashMap<>();

  private final Set<String> offers = new LinkedHashSet<>();

  /**
   * @param image for messages
   */
  TreeWalk(String image, ImageSelection selection, Visitor visitor) {
    this.image = image;
    this.selection = selection;
    this.choice = new PlatformChoice(selection.platforms());
    this.visitor = visitor;
  }

  /**
   * Walks.
   *
   * @throws NotFoundException if nothing is for the platforms
   */
  ImageTree from(Descriptor root) throws InterruptedException {
    ImageDocument.checkType(root.mediaType());
    walk(new Index.Entry(root, Optional.empty()), image, true, 0);
    if (parts.stream().noneMatch(ImageTree.Part::isWhole)) {
      throw new NotFoundException(
          "image %s for platform %s; it offers %s"
              .formatted(
                  image,
                  choice.wanted().stream().map(Platforms::format).collect(Collectors.joining(", ")),
                  offers.isEmpty() ? "none" : String.join(", ", offers)));
    }
    return new ImageTree(root, parts);
  }

  private void walk(Index.Entry at, String parent, boolean isWhole, int depth)
      throws InterruptedException {
    if (depth > Documents.DEEPEST) {
      throw new InvalidArgumentException("image " + image + ": indexes are nested too deeply");
    }
    Descriptor descriptor = at.descriptor();
    Boolean before = seen.get(descriptor);
    if (before != null && (before || !isWhole)) {
      return;
    }
    seen.put(descriptor, isWhole);
    String type = descriptor.mediaType();
    if (!MediaTypes.isManifest(type) && !MediaTypes.isIndex(type)) {
      if (isWhole) {
        visitor.other(descriptor, parent);
      }
      return;
    }
    switch (visitor.document(descriptor, parent)) {
      case Manifest manifest -> {
        parts.removeIf(part -> part.at().equals(descriptor)); // of which only a part was wanted
        parts.add(new ImageTree.Part(descriptor, manifest, at.platform(), isWhole));
      }
      case Index index -> follow(index, ContentNames.of(descriptor), isWhole, depth);
    }
  }

  private void follow(Index index, String parent, boolean isWhole, int depth)
      throws InterruptedException {
    List<Index.Entry> chosen = choice.of(index.manifests(), Index.Entry::platform);
    int limit = selection.manifestLimit();
    if (limit > 0 && chosen.size() > limit) {
      chosen = chosen.subList(0, limit);
    }
    for (Index.Entry entry : chosen) {
      walk(entry, parent, isWhole, depth + 1);
    }
    for (Index.Entry entry : index.manifests()) {
      entry.platform().map(Platforms::format).ifPresent(offers::add);
      if (selection.allMetadata() && !chosen.contains(entry)) {
        walk(entry, parent, false, depth + 1);
      }
    }
  }
}
