package io.jcontainerd.core.mount;

import io.jcontainerd.core.FieldMask;
import java.util.List;

/**
 * Does those mounts of a list that the kernel alone cannot do, and keeps account of them.
 *
 * <p>A list may hold types that somebody on this machine handles, and types with prefixes that say
 * what to do before: {@code format/} fills in where earlier mounts of the list are, {@code mkfs/}
 * makes a file system in a file, {@code mkdir/} makes folders. {@link #activate} does everything up
 * to the last of these and returns what is left for the caller. What it did stays until {@link
 * #deactivate}, or until the garbage collector finds that neither a lease nor another thing refers
 * to it. After a restart of the daemon it is still there, after one of the machine it is not.
 *
 * <p>Names are those of the current call's namespace; its lease keeps what is activated. Safe for
 * many threads.
 */
public interface MountManager {
  /**
   * Does what the list holds for the manager.
   *
   * @throws io.jcontainerd.core.failure.NotImplementedException if there is nothing; the caller
   *     does all mounts itself
   * @throws io.jcontainerd.core.failure.AlreadyExistsException if the name is taken
   * @throws io.jcontainerd.core.failure.InvalidArgumentException if the list makes no sense
   */
  Activation activate(String name, List<Mount> mounts, ActivationOptions options);

  /**
   * Undoes what was done.
   *
   * @throws io.jcontainerd.core.failure.NotFoundException if there is nothing of that name
   */
  void deactivate(String name);

  /**
   * What was done under a name.
   *
   * @throws io.jcontainerd.core.failure.NotFoundException if there is nothing of that name
   */
  Activation info(String name);

  /**
   * Changes labels.
   *
   * @throws io.jcontainerd.core.failure.NotFoundException if there is nothing of that name
   */
  Activation update(Activation activation, FieldMask mask);

  /** Everything of the namespace, in order of name. */
  List<Activation> list();
}
