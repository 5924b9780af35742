package io.jcontainerd.core.containers;

import io.jcontainerd.core.FieldMask;
import io.jcontainerd.core.filter.Filter;
import java.util.List;

/** Containers by id, in the namespace of the current call. Safe for many threads. */
public interface ContainerStore {
  /**
   * The container.
   *
   * @throws io.jcontainerd.core.failure.NotFoundException if there is none
   */
  Container get(String id);

  /** Every container that the filter matches, in order of id. */
  List<Container> list(Filter filter);

  /**
   * Stores a new container; its times are ignored.
   *
   * @throws io.jcontainerd.core.failure.AlreadyExistsException if the id is taken
   */
  Container create(Container container);

  /** Changes labels, spec, extensions, image or snapshot key. */
  Container update(Container container, FieldMask mask);

  /**
   * Removes the record; neither tasks nor snapshots are looked at.
   *
   * @throws io.jcontainerd.core.failure.NotFoundException if there is none
   */
  void delete(String id);
}
