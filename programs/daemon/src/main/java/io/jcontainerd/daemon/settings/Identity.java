package io.jcontainerd.daemon.settings;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The user and group that this process runs as. */
public final class Identity {
  private static final Path SELF = Path.of("/proc/self");

  private Identity() {}

  public static long uid() {
    return number("unix:uid");
  }

  public static long gid() {
    return number("unix:gid");
  }

  private static long number(String attribute) {
    try {
      return ((Integer) Files.getAttribute(SELF, attribute)).longValue();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read the owner of " + SELF, e);
    }
  }
}
