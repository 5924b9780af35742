package io.jcontainerd.metadata;

import io.jcontainerd.core.Labels;
import io.jcontainerd.core.failure.InvalidArgumentException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;

/**
 * Labels: kept as they were given, and read by the garbage collector whatever they say. Keys and
 * values are the parts of the input between NUL bytes.
 */
public final class LabelsTarget {
  private static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");

  private LabelsTarget() {}

  /** Runs one input. */
  public static void fuzzerTestOneInput(byte[] input) {
    String[] parts = new String(input, StandardCharsets.UTF_8).split("\0", -1);
    Map<String, String> labels = new HashMap<>();
    for (int i = 0; i + 1 < parts.length; i += 2) {
      labels.put(parts[i], parts[i + 1]);
    }
    try {
      Labels.check(labels);
    } catch (InvalidArgumentException e) {
      return;
    }
    Map<String, String> kept = LabelText.read(LabelText.write(labels));
    if (!kept.equals(labels)) {
      throw new AssertionError(labels + " became " + kept);
    }
    GcLabels.isRoot(labels);
    GcLabels.expiry(labels);
    GcLabels.references("n", labels);
    GcLabels.backReferences("n", labels);
    Instant used = GcLabels.usedAt(labels).orElse(NOW);
    GcLabels.conditions("n", labels)
        .forEach(
            condition -> {
              condition.holds(used, NOW);
              condition.ends(used);
            });
  }
}
