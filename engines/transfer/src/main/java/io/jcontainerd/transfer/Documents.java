package io.jcontainerd.transfer;

import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.FieldMask;
import io.jcontainerd.core.content.ContentInfo;
import io.jcontainerd.core.content.ContentReader;
import io.jcontainerd.core.content.ContentStore;
import io.jcontainerd.core.failure.DataLossException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.oci.image.ImageConfig;
import io.jcontainerd.oci.image.ImageDocument;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.Map;

/**
 * Small blobs and the labels of all.
 *
 * @param content where they are
 */
record Documents(ContentStore content) {
  /** Indexes inside of indexes, at most. */
  static final int DEEPEST = 4;

  private static final int LONGEST_CONFIG = 8 << 20;

  ImageDocument read(Descriptor at) {
    return ImageDocument.parse(bytes(at.digest(), ImageDocument.LONGEST), at.mediaType());
  }

  ImageConfig config(Descriptor at) {
    return ImageConfig.parse(bytes(at.digest(), LONGEST_CONFIG));
  }

  private byte[] bytes(Digest digest, int longest) {
    try (ContentReader reader = content.reader(digest)) {
      if (reader.size() > longest) {
        throw new InvalidArgumentException(
            "content %s of %d bytes is longer than %d".formatted(digest, reader.size(), longest));
      }
      ByteBuffer bytes = ByteBuffer.allocate((int) reader.size());
      while (bytes.hasRemaining()) {
        if (reader.read(bytes, bytes.position()) < 0) {
          throw new DataLossException("content " + digest + " ends early");
        }
      }
      return bytes.array();
    }
  }

  /** Whether the blob can be read here. */
  boolean has(Digest digest) {
    if (content.find(digest).isEmpty()) {
      return false;
    }
    try (ContentReader _ = content.reader(digest)) {
      return true;
    } catch (NotFoundException _) {
      return false; // it was lost, or set aside as damaged
    }
  }

  /** Sets labels of a blob, leaving its others as they are. */
  void label(Digest digest, Map<String, String> labels) {
    if (!labels.isEmpty()) {
      ContentInfo info = new ContentInfo(digest, 0, Instant.EPOCH, Instant.EPOCH, labels);
      content.update(
          info, new FieldMask(labels.keySet().stream().map(key -> "labels." + key).toList()));
    }
  }
}
