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

  /**
   * The end of a blob or manifest.
   *
   * @param ahead how many bytes come before it
   */
  record Rest(InputStream in, long ahead) {}

  /** The bytes from an offset to the end. */
  Rest open(Host host, Reference reference, Descriptor descriptor, long offset) throws IOException {
    if (isManifest(descriptor)) {
      byte[] bytes = manifest(host, reference, descriptor);
      int from = Math.toIntExact(offset);
      return new Rest(new ByteArrayInputStream(bytes, from, bytes.length - from), 0);
    }
    if (offset > 0) {
      Answer answer = exchange.send(part(ask(host, reference, descriptor), offset, ""));
      if (answer.status() == 200) {
        return new Rest(whole(answer, descriptor), offset);
      }
      Optional<InputStream> rest = part(answer, descriptor, offset, descriptor.size());
      if (rest.isPresent()) {
        return new Rest(rest.get(), 0);
      }
    }
    Answer answer = exchange.send(ask(host, reference, descriptor));
    return switch (answer.status()) {
      case 200 -> new Rest(whole(answer, descriptor), offset);
      case 206 -> {
        if (!isOf(answer, 0, descriptor.size(), descriptor.size())) {
          answer.drop();
          throw new IOException(
              answer.question() + ": answered with a part of what was asked for as a whole");
        }
        yield new Rest(whole(answer, descriptor), offset);
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
    Answer answer = exchange.send(part(ask(host, reference, descriptor), from, last));
    if (answer.status() != 200) {
      return part(answer, descriptor, from, until);
    }
    if (from == 0 && until == descriptor.size()) {
      return Optional.of(whole(answer, descriptor));
    }
    answer.drop();
    return Optional.empty();
  }

  private static Ask part(Ask ask, long from, String last) {
    return ask.header("Range", "bytes=" + from + "-" + last);
  }

  /** Of an answer that is not the whole. */
  private static Optional<InputStream> part(
      Answer answer, Descriptor descriptor, long from, long until) throws IOException {
    return switch (answer.status()) {
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
