package io.jcontainerd.transfer.archive;

/**
 * What an archive may be before it is taken for an attempt to do harm.
 *
 * @param entries files, folders and links in it
 * @param document bytes of a document, such as its index
 * @param ratio plain bytes to packed ones, which counts from {@link #RATIO_COUNTS_FROM} plain bytes
 *     on
 * @param trailer bytes after its end that are passed over
 */
public record ArchiveLimits(int entries, int document, long ratio, long trailer) {
  /** Below this size an archive may be packed as tightly as it likes. */
  public static final long RATIO_COUNTS_FROM = 1L << 30;

  /** Far above what images have; the ratio is more than gzip can reach. */
  public static final ArchiveLimits USUAL = new ArchiveLimits(100_000, 8 << 20, 1_100, 64 << 20);
}
