package io.jcontainerd.core.mount;

import java.util.List;

/**
 * One step of building a tree: what {@code mount(8)} would be told. Steps are done in order on one
 * target.
 *
 * @param type such as {@code bind} or {@code overlay}
 * @param source a device, folder or name
 * @param target a path below the place where the list is mounted; empty for the place itself
 * @param options as in {@code fstab(5)}, order kept
 */
public record Mount(String type, String source, String target, List<String> options) {

  /** Copies the options. */
  public Mount {
    options = List.copyOf(options);
  }

  /** A mount at the place itself. */
  public Mount(String type, String source, List<String> options) {
    this(type, source, "", options);
  }
}
