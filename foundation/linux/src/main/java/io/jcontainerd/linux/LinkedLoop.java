package io.jcontainerd.linux;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/**
 * Loop devices that stay until they are given back, each found by a symbolic link to it. The kernel
 * keeps a device beyond its last user only once the link is there, and frees it when the link is
 * about to go, so that a kill at any step leaves no device that nobody knows of.
 */
public final class LinkedLoop {
  private LinkedLoop() {}

  /** Puts a file behind a device and makes the link. */
  public static void attach(Path file, boolean readOnly, Path link) throws IOException {
    try (LoopDevice device = LoopDevice.attach(file.toString(), readOnly)) {
      Files.createSymbolicLink(link, Path.of(device.path()));
      try {
        device.setAutoclear(false);
      } catch (IOException e) {
        Files.delete(link);
        throw e;
      }
    }
  }

  /** Gives a device back; no failure if it is gone. */
  public static void detach(Path link) throws IOException {
    String path;
    try {
      path = Files.readSymbolicLink(link).toString();
    } catch (NoSuchFileException _) {
      return;
    }
    try (LoopDevice device = LoopDevice.open(path)) {
      device.setAutoclear(true);
    } catch (ErrnoException e) {
      if (!e.is(Errno.ENXIO, Errno.ENOENT)) {
        throw e;
      }
    }
    Files.delete(link);
  }

  /** Whether there is a file behind the device. */
  public static boolean isAttached(Path link) throws IOException {
    try {
      Path name = Files.readSymbolicLink(link).getFileName();
      return Files.exists(Path.of("/sys/block", String.valueOf(name), "loop", "backing_file"));
    } catch (NoSuchFileException _) {
      return false;
    }
  }
}
