package io.jcontainerd.core;

import java.util.List;

/**
 * What a binary runs on (OCI image-spec, image index, {@code platform}).
 *
 * @param os such as {@code linux}; may be empty
 * @param architecture in Go's words, such as {@code amd64}
 * @param variant such as {@code v8}; may be empty
 * @param osVersion may be empty
 * @param osFeatures may be empty
 */
public record Platform(
    String os, String architecture, String variant, String osVersion, List<String> osFeatures) {

  /** Copies the features. */
  public Platform {
    osFeatures = List.copyOf(osFeatures);
  }

  /** A platform of just the three usual parts. */
  public Platform(String os, String architecture, String variant) {
    this(os, architecture, variant, "", List.of());
  }
}
