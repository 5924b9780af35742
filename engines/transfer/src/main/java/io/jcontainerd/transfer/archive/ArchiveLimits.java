package io.jcontainerd.transfer.archive;

/**
 * What an archive may be before it is taken for an attempt to do harm.
 *
 * @param entries files, folders and links in it
 * @param names bytes of the names and links of all of them, which are kept while it is read
 * @param document bytes of a document, such as its index
 * @param ratio plain bytes to packed ones, of what is beyond the first {@link #RATIO_COUNTS_FROM}
 *     plain bytes
 * @param trailer bytes after its end that are passed over
 */
public record ArchiveLimits(int entries, long names, int document, long ratio, long trailer) {
  /** Bytes of a name or link; no file system can have longer ones. */
  public static final int LONGEST_NAME = 4096;

  /** Indexes and manifests of all images of an archive. */
  static final int DOCUMENTS = 10_000;

  /** Bytes that may come of as few packed ones as they like; the ratio is of what is beyond. */
  static final long RATIO_COUNTS_FROM = 256 << 20;

  /** Bytes that stay free on the disk where blobs go. */
  static final long RESERVE = 32 << 20;

  /** Far above what images have; a gigabyte of zeros, packed with gzip, is beyond. */
  public static final ArchiveLimits USUAL =
      new ArchiveLimits(50_000, 4 << 20, 8 << 20, 200, 64 << 20);
}
