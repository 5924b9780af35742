package io.jcontainerd.metadata;

import io.jcontainerd.core.FieldMask;
import io.jcontainerd.core.Labels;
import java.util.Map;

/** Updates of things of which only the labels can change. */
final class Masks {
  private Masks() {}

  static Map<String, String> labels(
      FieldMask mask, String what, Map<String, String> current, Map<String, String> updated) {
    if (mask.isAll()) {
      return Labels.stored(updated);
    }
    Map<String, String> labels = current;
    for (String path : mask.paths()) {
      if (!FieldMask.selects(path, "labels")) {
        throw FieldMask.refused(path, what);
      }
      labels = FieldMask.patch(path, "labels", labels, updated);
    }
    return Labels.stored(labels);
  }
}
