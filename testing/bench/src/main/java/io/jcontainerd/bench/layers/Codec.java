package io.jcontainerd.bench.layers;

import java.util.List;

/** How layers are packed. */
public enum Codec {
  /** Not at all. */
  NONE("", ""),
  /** As builders do unless told otherwise. */
  GZIP("+gzip", "gzip -6 -n -c"),
  /** At its usual level. */
  ZSTD("+zstd", "zstd -3 -q -c");

  private static final String LAYER = "application/vnd.oci.image.layer.v1.tar";

  private final String suffix;
  private final String command;

  Codec(String suffix, String command) {
    this.suffix = suffix;
    this.command = command;
  }

  /** Of layers packed so. */
  public String mediaType() {
    return LAYER + suffix;
  }

  List<String> command() {
    return List.of(command.split(" ", -1));
  }
}
