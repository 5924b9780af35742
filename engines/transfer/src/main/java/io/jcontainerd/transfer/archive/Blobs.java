package io.jcontainerd.transfer.archive;

import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.content.ContentInfo;
import io.jcontainerd.core.content.ContentReader;
import io.jcontainerd.core.content.ContentStore;
import io.jcontainerd.core.failure.DataLossException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.oci.image.ImageDocument;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.Optional;

/** The content store as those see it who look for the parts of an image. */
final class Blobs {
  private final ContentStore content;
  private final BlobWriter writer;

  Blobs(ContentStore content, BlobWriter writer) {
    this.content = content;
    this.writer = writer;
  }

  /** A whole document. */
  byte[] document(Digest digest, long size) {
    return read(content, digest, size);
  }

  /** A whole document, which is not longer than documents are. */
  static byte[] read(ContentStore content, Digest digest, long size) {
    if (size > ImageDocument.LONGEST) {
      throw new InvalidArgumentException(
          "image document " + digest + " of " + size + " bytes is too long");
    }
    try (ContentReader reader = content.reader(digest)) {
      if (reader.size() != size) {
        throw new InvalidArgumentException(
            "content %s has %d bytes instead of %d".formatted(digest, reader.size(), size));
      }
      ByteBuffer bytes = ByteBuffer.allocate((int) size);
      while (bytes.hasRemaining()) {
        if (reader.read(bytes, bytes.position()) < 0) {
          throw new DataLossException("content " + digest + " ends early");
        }
      }
      return bytes.array();
    }
  }

  /** How a layer is packed. */
  Packing packing(Digest digest) {
    try (ContentReader reader = content.reader(digest)) {
      ByteBuffer start = ByteBuffer.allocate(4);
      while (start.hasRemaining() && reader.read(start, start.position()) > 0) {
        // until there are four, or no more
      }
      return Packing.of(start.flip());
    }
  }

  /** Stores a document. */
  void store(byte[] bytes, Map<String, String> labels) {
    writer.document(bytes, labels);
  }

  /** Labels a document. */
  void label(Digest digest, Map<String, String> labels) {
    writer.label(digest, labels);
  }

  /**
   * Whether a part is there, whole; it is kept from now on.
   *
   * @throws NotFoundException if it is not there
   * @throws InvalidArgumentException if it has another size
   */
  void expect(Descriptor part, String of) {
    Optional<ContentInfo> found = content.find(part.digest());
    if (found.isEmpty()) {
      throw new NotFoundException(
          "image archive: %s, part of %s, is not in it".formatted(part.digest(), of));
    }
    if (found.get().size() != part.size()) {
      throw new InvalidArgumentException(
          "image archive: %s, part of %s, has %d bytes instead of %d"
              .formatted(part.digest(), of, found.get().size(), part.size()));
    }
    writer.keep(part.digest());
  }

  /** Whether a part is there at all. */
  boolean has(Digest digest) {
    return content.find(digest).isPresent();
  }
}
