package io.jcontainerd.transfer.archive;

/**
 * What an archive may be before it is taken for an attempt to do harm.
 *
 * @param entries files, folders and links in it
 * @param names bytes of the names and links of all of them, which are kept while it is read
 * @param document bytes of a document, such as its index
 * @param ratio plain bytes to packed ones, which counts from {@link #RATIO_COUNTS_FROM} plain bytes
 *     on
 * @param trailer bytes after its end that are passed over
 */
public record ArchiveLimits(int entries, long names, int document, long ratio, long trailer) {
  /** Bytes of a name or link; no file system can have longer ones. */
  public static final int LONGEST_NAME = 4096;

  /** Indexes and manifests of all images of an archive. */
  static final int DOCUMENTS = 10_000;

  /** Below this size an archive may be packed as tightly as it likes. */
  public static final long RATIO_COUNTS_FROM = 1L << 30;

  /** Far above what images have; the ratio is more than gzip can reach. */
  public static final ArchiveLimits USUAL =
      new ArchiveLimits(50_000, 4 << 20, 8 << 20, 1_100, 64 << 20);
}
