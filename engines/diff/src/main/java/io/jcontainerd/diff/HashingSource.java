package io.jcontainerd.diff;

import io.jcontainerd.core.Digest;
import io.jcontainerd.oci.tar.ByteSource;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import org.jspecify.annotations.Nullable;

/** Hashes and counts the bytes that pass through. */
final class HashingSource implements ByteSource {
  private final ByteSource source;
  private final MessageDigest hasher = Digest.hasher("sha256");
  private long size;

  HashingSource(ByteSource source) {
    this.source = source;
  }

  @Override
  public @Nullable ByteBuffer next() throws IOException {
    ByteBuffer piece = source.next();
    if (piece != null) {
      size += piece.remaining();
      hasher.update(piece.duplicate());
    }
    return piece;
  }

  /** The digest of all that passed; ends the hashing. */
  Digest digest() {
    return Digest.of("sha256", hasher.digest());
  }

  long size() {
    return size;
  }
}
