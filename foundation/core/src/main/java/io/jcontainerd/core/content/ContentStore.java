package io.jcontainerd.core.content;

import io.jcontainerd.core.Digest;
import io.jcontainerd.core.FieldMask;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.filter.Filter;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Blobs by digest, and the ingests that become blobs.
 *
 * <p>A namespaced store shows and changes only what belongs to the namespace of the current {@link
 * io.jcontainerd.core.Call} and adds what it creates to the call's lease; a backend store knows no
 * namespaces and no labels. Safe for many threads.
 */
public interface ContentStore {
  /** The blob, if this store has it. */
  Optional<ContentInfo> find(Digest digest);

  /**
   * The blob.
   *
   * @throws NotFoundException if this store does not have it
   */
  default ContentInfo info(Digest digest) {
    return find(digest).orElseThrow(() -> new NotFoundException("content " + digest));
  }

  /**
   * Changes labels.
   *
   * @param info names the blob and holds the new labels
   * @return the blob as it is now
   */
  ContentInfo update(ContentInfo info, FieldMask mask);

  /** Shows every blob that the filter matches, in order of digest. */
  void walk(Filter filter, Consumer<ContentInfo> each);

  /**
   * Removes the blob from this store.
   *
   * @throws NotFoundException if this store does not have it
   */
  void delete(Digest digest);

  /**
   * Opens the blob.
   *
   * @throws NotFoundException if this store does not have it
   */
  ContentReader reader(Digest digest);

  /**
   * Opens an ingest, new or resumed.
   *
   * @throws io.jcontainerd.core.failure.UnavailableException if another holds the ref
   * @throws io.jcontainerd.core.failure.AlreadyExistsException if the expected blob is there
   */
  Ingest ingest(IngestRequest request);

  /**
   * How far the ingest is.
   *
   * @throws NotFoundException if there is none
   */
  IngestStatus status(String ref);

  /**
   * Opens what an ingest has, and what comes to it while this is open: the end of what there is is
   * no end for ever. Stays readable when the ingest becomes a blob or is removed. Only the digest
   * of the blob tells whether what was read was right.
   *
   * @return empty if there is no such ingest, or this store cannot do that
   */
  default Optional<ContentReader> ingestReader(String ref) {
    return Optional.empty();
  }

  /** Every ingest that the filter matches. */
  List<IngestStatus> statuses(Filter filter);

  /**
   * Removes an ingest with its bytes.
   *
   * @throws NotFoundException if there is none
   */
  void abort(String ref);

  /** Removes what could not be removed from disk when it was deleted. */
  default void cleanup() {}
}
