package io.jcontainerd.metadata;

import io.jcontainerd.core.operation.OperationRegistry;
import io.jcontainerd.core.ports.Time;
import java.util.Set;

/**
 * How the metadata behaves.
 *
 * @param contentSharing who may use blobs that another namespace brought
 * @param gc when the garbage collector runs
 * @param time the clock
 * @param outside what other programs serve
 * @param operations where collections are listed
 */
public record MetadataOptions(
    ContentSharing contentSharing,
    GcOptions gc,
    Time time,
    Outside outside,
    OperationRegistry operations) {
  /** containerd's. */
  public static final MetadataOptions DEFAULTS =
      new MetadataOptions(ContentSharing.SHARED, GcOptions.DEFAULTS, Time.SYSTEM, Outside.NOTHING);

  /** These options, with collections listed nowhere. */
  public MetadataOptions(ContentSharing contentSharing, GcOptions gc, Time time, Outside outside) {
    this(contentSharing, gc, time, outside, new OperationRegistry());
  }

  /** Who may use blobs that another namespace brought without bringing the bytes again. */
  public enum ContentSharing {
    /** Everybody who knows the digest. */
    SHARED,
    /** Nobody, unless the owner is labelled shareable. */
    ISOLATED
  }

  /**
   * Backends that other programs serve, which may not answer: the collector turns to them last and
   * does not wait for them for long.
   *
   * @param content whether the blobs are there
   * @param snapshotters the names of those that are there
   */
  public record Outside(boolean content, Set<String> snapshotters) {
    /** All backends are in this process. */
    public static final Outside NOTHING = new Outside(false, Set.of());

    /** Copies the set. */
    public Outside {
      snapshotters = Set.copyOf(snapshotters);
    }
  }

  /** These options with another clock. */
  public MetadataOptions withTime(Time clock) {
    return new MetadataOptions(contentSharing, gc, clock, outside, operations);
  }

  /** These options with another way of sharing. */
  public MetadataOptions withContentSharing(ContentSharing sharing) {
    return new MetadataOptions(sharing, gc, time, outside, operations);
  }

  /** These options with other times for collecting. */
  public MetadataOptions withGc(GcOptions options) {
    return new MetadataOptions(contentSharing, options, time, outside, operations);
  }

  /** These options with backends elsewhere. */
  public MetadataOptions withOutside(Outside backends) {
    return new MetadataOptions(contentSharing, gc, time, backends, operations);
  }
}
