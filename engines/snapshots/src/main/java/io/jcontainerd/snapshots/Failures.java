package io.jcontainerd.snapshots;

import java.io.IOException;
import java.nio.file.NoSuchFileException;
import org.jspecify.annotations.Nullable;

/** Failures of steps that do not hold up each other. For one thread. */
final class Failures {
  /** Something that may fail. */
  @FunctionalInterface
  interface Step {
    void run() throws IOException;
  }

  private @Nullable IOException first;

  /**
   * Runs a step that removes something; that it is gone already is no failure.
   *
   * @return whether it did not fail
   */
  boolean collect(Step step) {
    try {
      step.run();
    } catch (NoSuchFileException _) {
      return true; // another clean-up was quicker
    } catch (IOException e) {
      if (first == null) {
        first = e;
      } else {
        first.addSuppressed(e);
      }
      return false;
    }
    return true;
  }

  void throwFirst() throws IOException {
    if (first != null) {
      throw first;
    }
  }
}
