package io.jcontainerd.core.mount;

import java.time.Instant;
import java.util.Map;

/**
 * A mount that was done for others to build on.
 *
 * @param mount as it was done: with everything filled in that stood for earlier mounts
 * @param mountedAt when
 * @param mountPoint where it can be found
 * @param data what its kind tells of it beyond that
 */
public record ActiveMount(
    Mount mount, Instant mountedAt, String mountPoint, Map<String, String> data) {
  /** Copies the data. */
  public ActiveMount {
    data = Map.copyOf(data);
  }

  /** One of which there is no more to tell. */
  public ActiveMount(Mount mount, Instant mountedAt, String mountPoint) {
    this(mount, mountedAt, mountPoint, Map.of());
  }
}
