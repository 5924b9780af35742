package io.jcontainerd.wire;

import io.jcontainerd.core.FieldMask;
import java.util.List;

/** Field masks. A mask that is absent or has no paths replaces everything that may change. */
public final class Masks {
  private Masks() {}

  /** The mask of an update request; an absent one is the default instance. */
  public static FieldMask toCore(com.google.protobuf.FieldMask mask) {
    return paths(mask.getPathsList());
  }

  /** The mask made of the paths, as requests without a mask message carry them. */
  public static FieldMask paths(List<String> paths) {
    return paths.isEmpty() ? FieldMask.ALL : new FieldMask(paths);
  }

  /** The mask for an update request. */
  public static com.google.protobuf.FieldMask toApi(FieldMask mask) {
    return com.google.protobuf.FieldMask.newBuilder().addAllPaths(mask.paths()).build();
  }
}
