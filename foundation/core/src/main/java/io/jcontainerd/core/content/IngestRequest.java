package io.jcontainerd.core.content;

import io.jcontainerd.core.Digest;
import io.jcontainerd.core.failure.InvalidArgumentException;
import java.util.Optional;

/**
 * What a client says when it opens an ingest.
 *
 * @param ref the name under which it can be resumed; not empty
 * @param total bytes expected; 0 when unknown
 * @param expected the digest, when known beforehand
 */
public record IngestRequest(String ref, long total, Optional<Digest> expected) {

  /** Refuses an empty ref and a negative total. */
  public IngestRequest {
    if (ref.isEmpty()) {
      throw new InvalidArgumentException("ingest ref must not be empty");
    }
    if (total < 0) {
      throw new InvalidArgumentException("ingest " + ref + ": total " + total + " is negative");
    }
  }

  /** A request that knows neither size nor digest. */
  public IngestRequest(String ref) {
    this(ref, 0, Optional.empty());
  }
}
