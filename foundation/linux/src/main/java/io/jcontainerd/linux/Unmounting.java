package io.jcontainerd.linux;

import io.jcontainerd.core.ports.Time;
import io.jcontainerd.linux.libc.MountCalls;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Undoing mounts. */
final class Unmounting {
  private static final Duration BUSY_PAUSE = Duration.ofMillis(50);
  private static final int BUSY_ATTEMPTS = 50;

  private Unmounting() {}

  /**
   * Undoes every mount at the place and below it, the latest first. A busy one is tried again for
   * two and a half seconds.
   */
  static void all(Path target, Time time) throws IOException {
    ErrnoException busy = null;
    for (int attempt = 0; attempt < BUSY_ATTEMPTS; attempt++) {
      List<String> left = at(target);
      if (left.isEmpty()) {
        return;
      }
      busy = null;
      for (String mountPoint : left.reversed()) {
        try {
          unmount(mountPoint, MountCalls.UMOUNT_NOFOLLOW);
        } catch (ErrnoException e) {
          if (e.is(Errno.EBUSY)) {
            busy = e;
          } else if (!e.is(Errno.EINVAL, Errno.ENOENT)) {
            throw e;
          }
        }
      }
      if (busy != null) {
        pause(time, target);
      }
    }
    throw busy != null ? busy : new ErrnoException("umount2", target.toString(), Errno.EBUSY);
  }

  /**
   * Takes every mount at the place and below it out of the tree; busy ones end with their users.
   */
  static void detach(Path target) throws IOException {
    for (int attempt = 0; attempt < BUSY_ATTEMPTS; attempt++) {
      List<String> left = at(target);
      if (left.isEmpty()) {
        return;
      }
      for (String mountPoint : left.reversed()) {
        try {
          unmount(mountPoint, MountCalls.UMOUNT_NOFOLLOW | MountCalls.MNT_DETACH);
        } catch (ErrnoException e) {
          if (!e.is(Errno.EINVAL, Errno.ENOENT)) {
            throw e;
          }
        }
      }
    }
    throw new ErrnoException("umount2", target.toString(), Errno.EBUSY);
  }

  private static void unmount(String mountPoint, int flags) throws IOException {
    byte[] raw = mountPoint.getBytes(StandardCharsets.UTF_8);
    Blocking.run("umount2", () -> MountCalls.umount2(raw, flags));
  }

  private static void pause(Time time, Path target) throws IOException {
    try {
      time.sleep(BUSY_PAUSE);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw (IOException)
          new InterruptedIOException("unmounting " + target + ": interrupted").initCause(e);
    }
  }

  /** Mount points at and below the place, in the order in which they were mounted. */
  private static List<String> at(Path target) throws IOException {
    String place = real(target);
    if (place.isEmpty()) {
      return List.of();
    }
    String below = place.equals("/") ? place : place + "/";
    List<String> found = new ArrayList<>();
    for (MountInfo mount : MountInfo.read()) {
      String point = mount.mountPoint();
      if (point.equals(place) || (point.startsWith(below) && !point.endsWith("//deleted"))) {
        found.add(point);
      }
    }
    return found;
  }

  /**
   * The path without links, as the mount table has it; empty if its folder is gone. The last
   * component is left alone: what is mounted there may be dead.
   */
  private static String real(Path target) throws IOException {
    Path absolute = target.toAbsolutePath().normalize();
    Path folder = absolute.getParent();
    Path name = absolute.getFileName();
    if (folder == null || name == null) {
      return absolute.toString();
    }
    try {
      return folder.toRealPath().resolve(name).toString();
    } catch (NoSuchFileException e) {
      return "";
    }
  }
}
