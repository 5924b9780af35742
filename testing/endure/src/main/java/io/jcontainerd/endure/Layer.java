package io.jcontainerd.endure;

import com.github.luben.zstd.Zstd;
import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Digest;
import io.jcontainerd.oci.image.Descriptors;
import io.jcontainerd.oci.image.MediaTypes;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Map;
import java.util.zip.GZIPOutputStream;

/**
 * A layer: what is in it, and the blob that it is distributed as.
 *
 * @param nodes by path, in the order of the archive
 * @param diffId the digest of the archive
 * @param blob the packed archive
 */
record Layer(Map<String, Node> nodes, Digest diffId, Blob blob) {

  /** Packs by a number: with gzip, with zstandard, or not at all. */
  static Layer of(Map<String, Node> nodes, int packing) {
    byte[] tar = Tar.of(nodes);
    Blob blob =
        switch (packing % 5) {
          case 0, 1 -> Blob.of(MediaTypes.LAYER_GZIP, gzip(tar));
          case 2, 3 -> Blob.of(MediaTypes.LAYER_ZSTD, Zstd.compress(tar));
          default -> Blob.of(MediaTypes.LAYER, tar);
        };
    return new Layer(nodes, Digest.sha256(tar), blob);
  }

  private static byte[] gzip(byte[] tar) {
    ByteArrayOutputStream packed = new ByteArrayOutputStream();
    try (GZIPOutputStream out = new GZIPOutputStream(packed)) {
      out.write(tar);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return packed.toByteArray();
  }

  /** Bytes with their name. */
  static final class Blob {
    private final Descriptor descriptor;
    private final byte[] bytes;

    private Blob(Descriptor descriptor, byte[] bytes) {
      this.descriptor = descriptor;
      this.bytes = bytes;
    }

    static Blob of(String mediaType, byte[] bytes) {
      return new Blob(Descriptors.of(mediaType, bytes), bytes);
    }

    Descriptor descriptor() {
      return descriptor;
    }

    Digest digest() {
      return descriptor.digest();
    }

    /** Not to be changed. */
    byte[] bytes() {
      return bytes;
    }
  }
}
