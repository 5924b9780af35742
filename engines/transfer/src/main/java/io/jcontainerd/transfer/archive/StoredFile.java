package io.jcontainerd.transfer.archive;

import io.jcontainerd.core.Digest;
import java.util.Optional;

/**
 * A file of an archive that is in the content store now.
 *
 * @param digest its name there
 * @param size in bytes
 * @param diffId the digest of its plain bytes, where it was packed on the way in
 */
record StoredFile(Digest digest, long size, Optional<Digest> diffId) {
  StoredFile(Digest digest, long size) {
    this(digest, size, Optional.empty());
  }
}
