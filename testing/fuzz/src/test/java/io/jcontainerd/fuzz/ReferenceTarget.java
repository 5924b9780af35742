package io.jcontainerd.fuzz;

import io.jcontainerd.core.Digest;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.oci.platform.Platforms;
import io.jcontainerd.oci.reference.Reference;
import java.nio.charset.StandardCharsets;

/** Names of images: what was read is written in a form that is read as the same. */
public final class ReferenceTarget {
  private ReferenceTarget() {}

  /** Runs one input. */
  public static void fuzzerTestOneInput(byte[] input) {
    String text = new String(input, StandardCharsets.UTF_8);
    try {
      Reference reference = Reference.parse(text);
      same(reference, Reference.parse(reference.toString()));
      same(reference, Reference.parse(reference.familiar()));
      same(reference.withDefaultTag(), Reference.parse(reference.withDefaultTag().toString()));
    } catch (InvalidArgumentException e) {
      if (!String.valueOf(e.getMessage()).startsWith("image reference \"")) {
        throw new AssertionError("the name is not told", e);
      }
    }
    try {
      same(Digest.parse(text).toString(), text);
    } catch (InvalidArgumentException _) {
      // no digest
    }
    try {
      Platforms.parse(text);
    } catch (InvalidArgumentException _) {
      // no platform
    }
  }

  private static void same(Object first, Object second) {
    if (!first.equals(second)) {
      throw new AssertionError(first + " became " + second);
    }
  }
}
