package io.jcontainerd.registry;

import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.failure.DataLossException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.oci.image.ImageDocument;
import io.jcontainerd.oci.image.MediaTypes;
import io.jcontainerd.oci.reference.Reference;
import java.io.IOException;
import java.net.URI;
import java.util.Optional;

/** Finds out what a name means at one host (distribution-spec, "pulling manifests"). */
final class Resolving {
  private static final String ACCEPTED =
      String.join(
          ", ",
          MediaTypes.INDEX,
          MediaTypes.MANIFEST,
          MediaTypes.DOCKER_LIST,
          MediaTypes.DOCKER_MANIFEST,
          "*/*");

  private final Exchange exchange;

  Resolving(Exchange exchange) {
    this.exchange = exchange;
  }

  Descriptor resolve(Host host, Reference reference) throws IOException {
    Descriptor descriptor = byHead(host, reference);
    if (MediaTypes.isSchema1(descriptor.mediaType())) {
      try {
        ImageDocument.checkType(descriptor.mediaType());
      } catch (InvalidArgumentException e) {
        throw new InvalidArgumentException(
            "image " + reference + ": registry " + host.name() + ": " + e.getMessage(), e);
      }
    }
    if (descriptor.size() > ImageDocument.LONGEST) {
      throw new InvalidArgumentException(
          "image %s: registry %s: the manifest of %d bytes is longer than %d"
              .formatted(reference, host.name(), descriptor.size(), ImageDocument.LONGEST));
    }
    if (reference.digest().isPresent() && !reference.digest().get().equals(descriptor.digest())) {
      throw new DataLossException(
          "image "
              + reference
              + ": registry "
              + host.name()
              + " answered with "
              + descriptor.digest());
    }
    return descriptor;
  }

  /**
   * Some servers refuse HEAD, or leave things out, and a failure is explained only to a GET. Not so
   * when there were too many requests, and a GET may count as a pull.
   */
  private Descriptor byHead(Host host, Reference reference) throws IOException {
    URI uri = host.api(reference, "/manifests/" + reference.object());
    Ask head =
        Ask.of(host, reference, "HEAD", uri, Scopes.pull(reference)).header("Accept", ACCEPTED);
    Answer answer = exchange.send(head);
    if (answer.status() == 429) {
      throw answer.failure();
    }
    answer.drop();
    Optional<Descriptor> announced = answer.status() == 200 ? announced(answer) : Optional.empty();
    return announced.isPresent() ? announced.get() : byContent(host, reference, uri);
  }

  /** What the headers alone tell, if they tell all, and of what can be a manifest. */
  private static Optional<Descriptor> announced(Answer answer) {
    String type = answer.mediaType();
    Optional<String> digest = answer.claimed();
    long size = answer.length().orElse(-1);
    if (!isKnown(type) || digest.isEmpty() || size <= 0) {
      return Optional.empty();
    }
    try {
      return Optional.of(new Descriptor(type, Digest.parse(digest.get()), size));
    } catch (InvalidArgumentException _) {
      return Optional.empty();
    }
  }

  private static boolean isKnown(String type) {
    return MediaTypes.isIndex(type) || MediaTypes.isManifest(type) || MediaTypes.isSchema1(type);
  }

  private Descriptor byContent(Host host, Reference reference, URI uri) throws IOException {
    Ask get =
        Ask.of(host, reference, "GET", uri, Scopes.pull(reference)).header("Accept", ACCEPTED);
    Exchange.Whole whole = exchange.read(get, ImageDocument.LONGEST);
    Answer answer = whole.answer();
    byte[] bytes = whole.bytes();
    Digest digest =
        reference
            .digest()
            .map(wanted -> Fetching.like(wanted, bytes))
            .orElseGet(() -> Digest.sha256(bytes));
    if (answer.denies(digest)) {
      throw new DataLossException(
          "image "
              + reference
              + ": registry "
              + host.name()
              + " answered with "
              + digest
              + " and called it "
              + Printable.text(answer.claimed().orElse("")));
    }
    String type = answer.mediaType();
    return new Descriptor(isKnown(type) ? type : typeOf(get, bytes), digest, bytes.length);
  }

  private static String typeOf(Ask get, byte[] manifest) {
    try {
      return ImageDocument.parse(manifest, "").mediaType();
    } catch (InvalidArgumentException e) {
      throw new InvalidArgumentException(
          get.words()
              + " answered with what is no manifest: "
              + Printable.text(String.valueOf(e.getMessage())),
          e);
    }
  }
}
