package io.jcontainerd.core.mount;

import java.util.List;
import java.util.Set;

/**
 * What is behind a {@link MountManager}: does mounts in folders of its own, without names or
 * records. Safe for many threads.
 */
public interface MountActivator {
  /**
   * Mounts that were done together.
   *
   * @param id a number that is not used again as long as the mounts are there
   * @param active what was done, in order
   * @param system what is left to be done
   */
  record Done(long id, List<ActiveMount> active, List<Mount> system) {
    /** Copies everything. */
    public Done {
      active = List.copyOf(active);
      system = List.copyOf(system);
    }
  }

  /**
   * Does what the list holds for it; after a failure nothing of it is left.
   *
   * @throws io.jcontainerd.core.failure.NotImplementedException if there is nothing
   */
  Done activate(List<Mount> mounts, ActivationOptions options);

  /**
   * Undoes mounts, the last first.
   *
   * @throws io.jcontainerd.core.failure.NotFoundException if there are none
   */
  void deactivate(long id);

  /** The numbers of which anything is there. */
  Set<Long> ids();

  /** Whether everything is still mounted that was done. */
  boolean isWhole(Done done);
}
