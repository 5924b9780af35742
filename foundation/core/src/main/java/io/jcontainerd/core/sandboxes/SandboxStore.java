package io.jcontainerd.core.sandboxes;

import io.jcontainerd.core.FieldMask;
import io.jcontainerd.core.filter.Filter;
import java.util.List;

/**
 * Records of sandboxes by id, in the namespace of the current call. Safe for many threads.
 *
 * <p>A record is kept for clients and controllers alike: storing one starts nothing, and removing
 * one ends nothing, nor does it look for containers that name it.
 */
public interface SandboxStore {
  /**
   * The sandbox.
   *
   * @throws io.jcontainerd.core.failure.NotFoundException if there is none
   */
  Sandbox get(String id);

  /** Every sandbox that the filter matches, in order of id. */
  List<Sandbox> list(Filter filter);

  /**
   * Stores a new sandbox; its times are ignored.
   *
   * @throws io.jcontainerd.core.failure.AlreadyExistsException if the id is taken
   */
  Sandbox create(Sandbox sandbox);

  /** Changes labels, extensions, spec or the runtime's options. */
  Sandbox update(Sandbox sandbox, FieldMask mask);

  /**
   * Removes the record.
   *
   * @throws io.jcontainerd.core.failure.NotFoundException if there is none
   */
  void delete(String id);
}
