package io.jcontainerd.linux.descriptor;

import io.jcontainerd.linux.ErrnoException;
import io.jcontainerd.linux.libc.PipeCalls;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** Named pipes. */
public final class Fifos {
  private static final int TYPE_MASK = 0170000;
  private static final int TYPE_FIFO = 0010000;

  private Fifos() {}

  /** Makes a named pipe. */
  public static void create(Path path, int mode) throws ErrnoException {
    PipeCalls.mkfifo(path.toString(), mode);
  }

  /** Whether the path names a pipe, following symbolic links; false if there is nothing. */
  public static boolean isFifo(Path path) throws IOException {
    try {
      return ((int) Files.getAttribute(path, "unix:mode") & TYPE_MASK) == TYPE_FIFO;
    } catch (NoSuchFileException e) {
      return false;
    }
  }
}
