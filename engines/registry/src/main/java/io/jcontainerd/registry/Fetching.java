package io.jcontainerd.registry;

import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.failure.DataLossException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.oci.image.ImageDocument;
import io.jcontainerd.oci.image.MediaTypes;
import io.jcontainerd.oci.reference.Reference;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Brings the bytes of a blob or manifest from one host (distribution-spec, "pulling blobs" and
 * "pulling manifests"; RFC 9110, section 14). A manifest is compared with its digest, for it is
 * small and the next host may have the right one; of a blob, whoever stores it compares.
 */
final class Fetching {
  private final Exchange exchange;

  Fetching(Exchange exchange) {
    this.exchange = exchange;
  }

  static boolean isManifest(Descriptor descriptor) {
    String type = descriptor.mediaType();
    return MediaTypes.isManifest(type) || MediaTypes.isIndex(type) || MediaTypes.isSchema1(type);
  }

  /** The bytes from an offset to the end. */
  InputStream open(Host host, Reference reference, Descriptor descriptor, long offset)
      throws IOException {
    if (isManifest(descriptor)) {
      byte[] bytes = manifest(host, reference, descriptor);
      int from = Math.toIntExact(offset);
      return new ByteArrayInputStream(bytes, from, bytes.length - from);
    }
    if (offset > 0) {
      Optional<InputStream> rest = part(host, reference, descriptor, offset, descriptor.size());
      if (rest.isPresent()) {
        return rest.get();
      }
    }
    Answer answer = exchange.send(ask(host, reference, descriptor));
    return switch (answer.status()) {
      case 200 -> skipping(whole(answer, descriptor), offset);
      case 206 -> {
        if (!isOf(answer, 0, descriptor.size(), descriptor.size())) {
          answer.drop();
          throw new IOException(
              answer.question() + ": answered with a part of what was asked for as a whole");
        }
        yield skipping(whole(answer, descriptor), offset);
      }
      default -> throw answer.failure();
    };
  }

  /**
   * The bytes of a range; empty if the host does not give ranges of this blob.
   *
   * @param until the offset after the last byte
   */
  Optional<InputStream> part(
      Host host, Reference reference, Descriptor descriptor, long from, long until)
      throws IOException {
    String last = until == descriptor.size() ? "" : Long.toString(until - 1);
    Answer answer =
        exchange.send(
            ask(host, reference, descriptor).header("Range", "bytes=" + from + "-" + last));
    return switch (answer.status()) {
      case 200 ->
          from == 0 && until == descriptor.size()
              ? Optional.of(whole(answer, descriptor))
              : skippingAll(answer, descriptor, from, until);
      case 206 -> {
        if (!isOf(answer, from, until, descriptor.size())) {
          answer.drop();
          yield Optional.empty();
        }
        checkName(answer, descriptor);
        yield Optional.of(answer.body());
      }
      case 416 -> {
        answer.drop();
        yield Optional.empty();
      }
      default -> throw answer.failure();
    };
  }

  /** The whole came instead of the rest; it may as well be used for the rest. */
  private static Optional<InputStream> skippingAll(
      Answer answer, Descriptor descriptor, long from, long until) throws IOException {
    if (until < descriptor.size()) {
      answer.drop();
      return Optional.empty();
    }
    return Optional.of(skipping(whole(answer, descriptor), from));
  }

  private Ask ask(Host host, Reference reference, Descriptor descriptor) {
    URI uri = host.api(reference, "/blobs/" + descriptor.digest());
    return Ask.of(host, reference, "GET", uri, Scopes.pull(reference)).manner(Ask.Manner.BULK);
  }

  private static InputStream whole(Answer answer, Descriptor descriptor) throws IOException {
    OptionalLong length = answer.length();
    if (length.isPresent() && length.getAsLong() != descriptor.size()) {
      answer.drop();
      throw new IOException(
          "%s: announced %d bytes where %d were to be expected"
              .formatted(answer.question(), length.getAsLong(), descriptor.size()));
    }
    checkName(answer, descriptor);
    return answer.body();
  }

  private static void checkName(Answer answer, Descriptor descriptor) {
    if (answer.denies(descriptor.digest())) {
      answer.drop();
      throw new DataLossException(
          answer.ask().words()
              + " answered with "
              + Printable.text(answer.claimed().orElse(""))
              + " instead of "
              + descriptor.digest());
    }
  }

  /** Whether the answer holds the bytes that were asked for. */
  private static boolean isOf(Answer answer, long from, long until, long size) throws IOException {
    Optional<ContentRange> told = ContentRange.parse(answer.header("Content-Range").orElse(""));
    if (told.filter(range -> range.whole().orElse(size) != size).isPresent()) {
      answer.drop();
      throw new IOException(
          "%s: has %d bytes where %d were to be expected"
              .formatted(answer.question(), told.get().whole().orElse(0), size));
    }
    return told.filter(range -> range.is(from, until)).isPresent();
  }

  private static InputStream skipping(InputStream body, long offset) throws IOException {
    try {
      body.skipNBytes(offset);
      return body;
    } catch (IOException e) {
      body.close();
      throw e;
    }
  }

  private byte[] manifest(Host host, Reference reference, Descriptor descriptor)
      throws IOException {
    if (descriptor.size() > ImageDocument.LONGEST) {
      throw new InvalidArgumentException(
          "image %s: the manifest of %d bytes is longer than %d"
              .formatted(reference, descriptor.size(), ImageDocument.LONGEST));
    }
    URI uri = host.api(reference, "/manifests/" + descriptor.digest());
    Ask ask =
        Ask.of(host, reference, "GET", uri, Scopes.pull(reference))
            .header("Accept", descriptor.mediaType() + ", */*");
    byte[] bytes = exchange.read(ask, Math.toIntExact(descriptor.size())).bytes();
    Digest digest = like(descriptor.digest(), bytes);
    if (!digest.equals(descriptor.digest())) {
      throw new DataLossException(
          ask.words()
              + " answered with %d bytes of %s instead of %d of %s"
                  .formatted(bytes.length, digest, descriptor.size(), descriptor.digest()));
    }
    return bytes;
  }

  /** The digest of the bytes in the algorithm of another. */
  static Digest like(Digest other, byte[] bytes) {
    String algorithm = other.algorithm();
    return Digest.of(algorithm, Digest.hasher(algorithm).digest(bytes));
  }
}
