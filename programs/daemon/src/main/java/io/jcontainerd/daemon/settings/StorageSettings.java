package io.jcontainerd.daemon.settings;

import io.jcontainerd.diff.LayerLimits;
import java.time.Duration;
import java.util.List;

/** The tables of metadata, garbage collection, snapshotters and differs. */
public final class StorageSettings {
  private StorageSettings() {}

  /**
   * The metadata store.
   *
   * @param contentSharingPolicy {@code shared}: a blob that one namespace has is adopted by another
   *     that knows its digest; {@code isolated}: it is sent again
   * @param noSync accepted for compatibility, and refused when true: the store always syncs
   */
  public record Metadata(String contentSharingPolicy, boolean noSync) {
    public Metadata {
      if (!List.of("", "shared", "isolated").contains(contentSharingPolicy)) {
        throw new IllegalArgumentException(
            "content_sharing_policy must be shared or isolated, not " + contentSharingPolicy);
      }
    }

    public static Metadata defaults() {
      return new Metadata("shared", false);
    }
  }

  /**
   * When garbage is collected.
   *
   * @param pauseThreshold the share of time that collecting may block writers, at most 0.5; 0 or
   *     less for no bound
   * @param deletionThreshold collect after that many deletions; 0 waits for the timer
   * @param mutationThreshold collect at the next timer after that many changes
   */
  public record GcScheduler(
      double pauseThreshold,
      long deletionThreshold,
      long mutationThreshold,
      Duration scheduleDelay,
      Duration startupDelay) {
    public GcScheduler {
      if (Double.isNaN(pauseThreshold)) {
        throw new IllegalArgumentException("pause_threshold must be a number");
      }
      requireCount("deletion_threshold", deletionThreshold);
      requireCount("mutation_threshold", mutationThreshold);
      if (scheduleDelay.isNegative() || startupDelay.isNegative()) {
        throw new IllegalArgumentException("delays must not be negative");
      }
    }

    private static void requireCount(String key, long count) {
      if (count < 0 || count > Integer.MAX_VALUE) {
        throw new IllegalArgumentException(
            key + " must be from 0 to " + Integer.MAX_VALUE + ", not " + count);
      }
    }

    public static GcScheduler defaults() {
      return new GcScheduler(0.02, 0, 100, Duration.ZERO, Duration.ofMillis(100));
    }
  }

  /**
   * How everything that is stored is looked at while the machine is idle.
   *
   * @param enabled whether it is at all
   * @param repair whether what is damaged is healed
   * @param fetch whether blobs may be fetched again from the registry that they came from
   * @param interval from the beginning of a round to that of the next
   * @param startupDelay before the first look after a start
   * @param bytesPerSecond read at most
   * @param maxLoad of each processor, above which it waits
   */
  public record Scrub(
      boolean enabled,
      boolean repair,
      boolean fetch,
      Duration interval,
      Duration startupDelay,
      long bytesPerSecond,
      double maxLoad) {
    public Scrub {
      if (bytesPerSecond < 1) {
        throw new IllegalArgumentException("bytes_per_second must be positive");
      }
      if (interval.isNegative() || startupDelay.isNegative()) {
        throw new IllegalArgumentException("times must not be negative");
      }
      if (!(maxLoad > 0)) {
        throw new IllegalArgumentException("max_load must be positive");
      }
    }

    public static Scrub defaults() {
      return new Scrub(true, true, true, Duration.ofDays(7), Duration.ofMinutes(5), 16L << 20, 0.5);
    }
  }

  /** The overlay snapshotter; {@code mountOptions} go into every overlay mount. */
  public record Overlayfs(
      String rootPath,
      boolean upperdirLabel,
      boolean syncRemove,
      boolean slowChown,
      List<String> mountOptions) {
    public static Overlayfs defaults() {
      return new Overlayfs("", false, false, false, List.of());
    }
  }

  /** The snapshotter that copies. */
  public record Native(String rootPath) {
    public static Native defaults() {
      return new Native("");
    }
  }

  /** The btrfs snapshotter. */
  public record Btrfs(String rootPath) {
    public static Btrfs defaults() {
      return new Btrfs("");
    }
  }

  /** The zfs snapshotter. */
  public record Zfs(String rootPath) {
    public static Zfs defaults() {
      return new Zfs("");
    }
  }

  /** The snapshotter that keeps a file system image per snapshot. */
  public record Blockfile(
      String rootPath,
      String scratchFile,
      String fsType,
      List<String> mountOptions,
      boolean recreateScratch) {
    public static Blockfile defaults() {
      return new Blockfile("", "", "", List.of(), false);
    }
  }

  /** The thin-provisioning snapshotter. */
  public record Devmapper(
      String rootPath,
      String poolName,
      String baseImageSize,
      boolean asyncRemove,
      boolean discardBlocks,
      String fsType,
      String fsOptions) {
    public static Devmapper defaults() {
      return new Devmapper("", "", "", false, false, "", "");
    }
  }

  /** The erofs snapshotter. */
  public record Erofs(
      String rootPath,
      List<String> ovlMountOptions,
      boolean enableFsverity,
      boolean setImmutable,
      String defaultSize,
      String dmverityMode) {
    public static Erofs defaults() {
      return new Erofs("", List.of(), false, false, "", "auto");
    }
  }

  /** The erofs differ. */
  public record ErofsDiffer(
      List<String> mkfsOptions, boolean enableTarIndex, boolean enableDmverity) {
    public static ErofsDiffer defaults() {
      return new ErofsDiffer(List.of(), false, false);
    }
  }

  /** The diff service: the differs it asks, in order, and whether it syncs the file system. */
  public record DiffService(List<String> default_, boolean syncFs) {
    public static DiffService defaults() {
      return new DiffService(List.of("walking"), false);
    }
  }

  /**
   * The differ for tar layers. What is larger than these limits is refused while it is unpacked; 0
   * is no limit.
   *
   * @param maxLayerBytes of a layer in its plain form
   * @param maxLayerRatio of plain to packed bytes, counted for layers of more than a gibibyte
   * @param maxLayerEntries files, folders and whatever else a layer has
   */
  public record WalkingDiffer(long maxLayerBytes, long maxLayerRatio, long maxLayerEntries) {
    public WalkingDiffer {
      if (maxLayerBytes < 0 || maxLayerRatio < 0 || maxLayerEntries < 0) {
        throw new IllegalArgumentException("the limits of a layer must not be negative");
      }
    }

    public static WalkingDiffer defaults() {
      return new WalkingDiffer(
          LayerLimits.USUAL.bytes(), LayerLimits.USUAL.ratio(), LayerLimits.USUAL.entries());
    }
  }
}
