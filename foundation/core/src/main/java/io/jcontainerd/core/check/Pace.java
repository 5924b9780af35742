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
}
