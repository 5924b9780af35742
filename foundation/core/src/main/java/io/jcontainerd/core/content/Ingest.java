package io.jcontainerd.core.content;

import io.jcontainerd.core.Digest;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.Optional;

/**
 * A blob being written. It holds the lock of its ref from opening to closing. Closing without a
 * commit keeps the bytes, so that a later ingest of the same ref resumes them. For one thread at a
 * time.
 */
public interface Ingest extends AutoCloseable {
  /** How far it is. */
  IngestStatus status();

  /**
   * The digest of the bytes written so far, by the algorithm of the expected digest or SHA-256. May
   * be called after every write.
   */
  Digest digest();

  /**
   * Appends all remaining bytes of the buffer.
   *
   * @throws io.jcontainerd.core.failure.ResourceExhaustedException if the disk is full; what was
   *     written before stays
   */
  void write(ByteBuffer bytes);

  /**
   * Cuts back to the first bytes.
   *
   * @param size 0 restarts from nothing; other sizes may be refused with {@link
   *     io.jcontainerd.core.failure.NotImplementedException}
   */
  void truncate(long size);

  /**
   * Makes the bytes a blob, durably, and ends the ingest. After any failure other than an already
   * existing blob, the ingest is kept.
   *
   * @param size checked if greater than 0
   * @param expected checked if present
   * @param labels given to the blob
   * @return the blob's digest
   * @throws io.jcontainerd.core.failure.FailedPreconditionException if size or digest differ
   * @throws io.jcontainerd.core.failure.AlreadyExistsException if the blob exists; the ingest is
   *     then removed
   */
  Digest commit(long size, Optional<Digest> expected, Map<String, String> labels);

  /** Releases the ref; harmless when repeated. */
  @Override
  void close();
}
