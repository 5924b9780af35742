package io.jcontainerd.core.images;

import io.jcontainerd.core.Digest;
import io.jcontainerd.core.FieldMask;
import io.jcontainerd.core.filter.Filter;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** Images by name, in the namespace of the current call. Safe for many threads. */
public interface ImageStore {
  /**
   * The image.
   *
   * @throws io.jcontainerd.core.failure.NotFoundException if there is none
   */
  Image get(String name);

  /** Every image that the filter matches, in order of name. */
  List<Image> list(Filter filter);

  /**
   * Stores a new image.
   *
   * @param image its times are ignored
   * @param sourceDateEpoch becomes the time of creation, if present
   * @throws io.jcontainerd.core.failure.AlreadyExistsException if the name is taken
   */
  Image create(Image image, Optional<Instant> sourceDateEpoch);

  /** Changes labels, target or annotations. */
  Image update(Image image, FieldMask mask, Optional<Instant> sourceDateEpoch);

  /**
   * Removes the name.
   *
   * @param target if present, the image is removed only while it names this blob
   * @param sync waits for a garbage collection that began after the removal
   */
  void delete(String name, Optional<Digest> target, boolean sync);
}
