package io.jcontainerd.diff;

/**
 * How much one layer may become when it is unpacked.
 *
 * @param bytes of its plain form; 0 for no limit
 * @param ratio of plain to packed bytes, which counts only for a layer of more than {@link
 *     #RATIO_COUNTS_FROM} plain bytes; 0 for no limit
 * @param entries files, folders and whatever else it has; 0 for no limit
 */
public record LayerLimits(long bytes, long ratio, long entries) {
  /** Below this size a layer may be packed as tightly as it likes. */
  public static final long RATIO_COUNTS_FROM = 1L << 30;

  /** Of each folder are remembered its times, and where its name differs from the one before. */
  private static final int FOLDER_BYTES_AN_ENTRY = 16;

  private static final int LEAST_FOLDER_BYTES = 16 << 20;
  private static final int MOST_FOLDER_BYTES = Integer.MAX_VALUE - Long.BYTES;

  /**
   * Far above what images have, and far below what fills a disk from a few megabytes. The ratio is
   * more than gzip can reach (1032), for disks of virtual machines, which are mostly zeros, come as
   * layers.
   */
  public static final LayerLimits USUAL = new LayerLimits(128L << 30, 1_100, 1_000_000);

  /** No limits, for layers that this machine made itself. */
  public static final LayerLimits NONE = new LayerLimits(0, 0, 0);

  /** Refuses what is less than nothing. */
  public LayerLimits {
    if (bytes < 0 || ratio < 0 || entries < 0) {
      throw new IllegalArgumentException("a limit of a layer is negative");
    }
  }

  /** The most plain bytes that a blob of that size may become. */
  public long bytesFor(long packed) {
    long most = bytes == 0 ? Long.MAX_VALUE : bytes;
    if (ratio == 0) {
      return most;
    }
    long byRatio = packed > Long.MAX_VALUE / ratio ? Long.MAX_VALUE : packed * ratio;
    return Math.min(most, Math.max(RATIO_COUNTS_FROM, byRatio));
  }

  /**
   * The most bytes of memory that may be used for the times of folders, which are set last: enough
   * for half of all entries in an ordinary tree, far less than a tree that was made to fill memory.
   */
  int folderBytes() {
    if (entries == 0 || entries > MOST_FOLDER_BYTES / FOLDER_BYTES_AN_ENTRY) {
      return MOST_FOLDER_BYTES;
    }
    return Math.max(LEAST_FOLDER_BYTES, (int) entries * FOLDER_BYTES_AN_ENTRY);
  }
}
