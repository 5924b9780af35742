package io.jcontainerd.core.content;

import io.jcontainerd.core.Digest;
import java.time.Instant;
import java.util.Optional;

/**
 * How far an ingest is.
 *
 * @param ref the name that the client gave it
 * @param offset bytes written so far
 * @param total bytes expected; 0 when unknown
 * @param expected the digest that the client announced
 * @param startedAt when it was first opened
 * @param updatedAt when it was last written
 */
public record IngestStatus(
    String ref,
    long offset,
    long total,
    Optional<Digest> expected,
    Instant startedAt,
    Instant updatedAt) {}
