package io.jcontainerd.testkit.files;

/** What a power cut leaves of writes that were not forced. File systems do any of these. */
public enum Survival {
  /** Nothing: files end where they were last forced, folders hold what they last forced. */
  ONLY_FORCED,
  /**
   * Names and sizes, but bytes that were not forced are zeros: the journal came before the data.
   */
  NAMES_WITHOUT_BYTES,
  /** Bytes, but names are as they were when their folder was last forced. */
  BYTES_WITHOUT_NAMES,
  /** Everything, as if only the process had died. */
  ALL
}
