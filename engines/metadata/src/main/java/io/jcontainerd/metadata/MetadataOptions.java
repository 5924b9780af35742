package io.jcontainerd.metadata;

import io.jcontainerd.core.ports.Time;

/**
 * How the metadata behaves.
 *
 * @param contentSharing who may use blobs that another namespace brought
 * @param gc when the garbage collector runs
 * @param time the clock
 */
public record MetadataOptions(ContentSharing contentSharing, GcOptions gc, Time time) {
  /** containerd's. */
  public static final MetadataOptions DEFAULTS =
      new MetadataOptions(ContentSharing.SHARED, GcOptions.DEFAULTS, Time.SYSTEM);

  /** Who may use blobs that another namespace brought without bringing the bytes again. */
  public enum ContentSharing {
    /** Everybody who knows the digest. */
    SHARED,
    /** Nobody, unless the owner is labelled shareable. */
    ISOLATED
  }

  /** These options with another clock. */
  public MetadataOptions withTime(Time clock) {
    return new MetadataOptions(contentSharing, gc, clock);
  }

  /** These options with another way of sharing. */
  public MetadataOptions withContentSharing(ContentSharing sharing) {
    return new MetadataOptions(sharing, gc, time);
  }

  /** These options with other times for collecting. */
  public MetadataOptions withGc(GcOptions options) {
    return new MetadataOptions(contentSharing, options, time);
  }
}
