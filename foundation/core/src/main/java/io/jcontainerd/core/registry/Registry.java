package io.jcontainerd.core.registry;

import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.failure.NotImplementedException;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Optional;

/**
 * Where images come from and go to: other machines that hold blobs and manifests by name.
 *
 * <p>References are full names, {@code host[:port]/path[:tag][@digest]}. Every method blocks until
 * the other side has answered and has its own deadlines; interruption ends it with {@link
 * io.jcontainerd.core.failure.CancelledException}. What comes is not verified but by its length:
 * who stores it compares the digest. Safe for many threads; closing ends what still goes on.
 */
public interface Registry extends AutoCloseable {
  /**
   * What the reference names now.
   *
   * @throws io.jcontainerd.core.failure.NotFoundException if the other side does not know it
   * @throws io.jcontainerd.core.failure.UnauthenticatedException if it wants to know who asks
   * @throws io.jcontainerd.core.failure.PermissionDeniedException if it knows and refuses
   * @throws io.jcontainerd.core.failure.UnavailableException if it does not answer sensibly
   */
  Descriptor resolve(String reference);

  /**
   * The bytes of a blob or manifest of the reference's repository. A connection that breaks is
   * opened again where it broke; the stream ends after exactly the descriptor's size or fails with
   * an {@link IOException}. Fails to open as {@link #resolve} does.
   *
   * @param offset where to begin, in bytes
   */
  InputStream fetch(String reference, Descriptor descriptor, long offset);

  /**
   * A part of a blob, for those who fetch several at once. Unlike {@link #fetch}, a connection that
   * breaks is not opened again: the stream fails with an {@link IOException}, and the caller asks
   * for what is missing.
   *
   * @param offset where to begin, in bytes
   * @param length how many bytes, at least 1
   * @return the bytes; empty if the other side cannot give parts
   */
  default Optional<InputStream> fetchPart(
      String reference, Descriptor descriptor, long offset, long length) {
    return Optional.empty();
  }

  /**
   * The same as {@link #fetch}, of somebody else: where several have it, so many of those who would
   * be asked first are asked last.
   */
  default InputStream fetchElsewhere(
      String reference, Descriptor descriptor, long offset, int passedOver) {
    return fetch(reference, descriptor, offset);
  }

  /** The same as {@link #fetchPart}, of somebody else, as in {@link #fetchElsewhere}. */
  default Optional<InputStream> fetchPartElsewhere(
      String reference, Descriptor descriptor, long offset, long length, int passedOver) {
    return fetchPart(reference, descriptor, offset, length);
  }

  /**
   * Brings a blob, or a manifest with everything it refers to already there, into the reference's
   * repository; a manifest gets the reference's tag. What is there already is not sent again.
   *
   * @return whether bytes were sent
   */
  boolean push(String reference, Descriptor descriptor, Source source);

  /** The tags of the reference's repository, in order of name. */
  List<String> tags(String reference);

  /** Ends what still goes on; harmless when repeated. */
  @Override
  default void close() {}

  /**
   * What refers to a manifest of the reference's repository. Nothing refers to one that the other
   * side does not have.
   *
   * @param artifactType only what is of this type; all if empty
   * @throws NotImplementedException if nobody keeps that here
   */
  default List<Referrer> referrers(String reference, Digest subject, String artifactType) {
    throw new NotImplementedException("image " + reference + ": referrers are not known here");
  }

  /** The bytes of something to push; opened again when a try failed. */
  @FunctionalInterface
  interface Source {
    /** The whole, from its beginning. */
    InputStream open() throws IOException;
  }
}
