package io.jcontainerd.core.check;

/** Holds up whoever reads much, so that others are not. */
@FunctionalInterface
public interface Pace {
  /** As quick as it goes. */
  Pace FULL = _ -> {};

  /**
   * So many bytes were read; returns when to go on.
   *
   * @throws InterruptedException if it is time to stop
   */
  void read(long bytes) throws InterruptedException;

  /**
   * Whether what is read may stay in the machine's memory. If not, whoever reads lets go of it, so
   * that it does not push out what others use.
   */
  default boolean fillsCache() {
    return true;
  }
}
