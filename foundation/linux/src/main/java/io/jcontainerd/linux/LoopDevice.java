package io.jcontainerd.linux;

import io.jcontainerd.linux.libc.AtCalls;
import io.jcontainerd.linux.libc.DescriptorCalls;
import io.jcontainerd.linux.libc.LoopCalls;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/**
 * A loop device on a file, given back by the kernel with its last user: closing this leaves it to
 * the file system that was mounted meanwhile, or frees it if none was.
 */
final class LoopDevice implements AutoCloseable {
  private static final int ATTEMPTS = 100;

  private final String path;
  private int fd;

  private LoopDevice(String path, int fd) {
    this.path = path;
    this.fd = fd;
  }

  /** Puts the file behind a free device; another process may win that device, so it is repeated. */
  static LoopDevice attach(String file, boolean readOnly) throws IOException {
    int access = readOnly ? DescriptorCalls.O_RDONLY : DescriptorCalls.O_RDWR;
    int backing = open(file, access);
    try {
      int control = open("/dev/loop-control", DescriptorCalls.O_RDWR);
      try {
        for (int i = 0; i < ATTEMPTS; i++) {
          String path = "/dev/loop" + LoopCalls.getFree(control);
          int device = open(path, access);
          try {
            int flags =
                LoopCalls.LO_FLAGS_AUTOCLEAR | (readOnly ? LoopCalls.LO_FLAGS_READ_ONLY : 0);
            LoopCalls.configure(device, backing, flags);
            return new LoopDevice(path, device);
          } catch (ErrnoException e) {
            DescriptorCalls.close(device);
            if (!e.is(Errno.EBUSY)) {
              throw new ErrnoException("loop_configure", file, e.errno());
            }
          }
        }
        throw new ErrnoException("loop_configure", file, Errno.EBUSY);
      } finally {
        DescriptorCalls.close(control);
      }
    } finally {
      DescriptorCalls.close(backing);
    }
  }

  private static int open(String path, int access) throws ErrnoException {
    return AtCalls.openat(
        AtCalls.AT_FDCWD,
        path.getBytes(StandardCharsets.UTF_8),
        access | DescriptorCalls.O_CLOEXEC,
        0);
  }

  /** Whether the kernel frees the device with its last user. */
  void setAutoclear(boolean on) throws ErrnoException {
    LoopCalls.setAutoclear(fd, on);
  }

  /** A device that is in use already. */
  static LoopDevice open(String device) throws ErrnoException {
    return new LoopDevice(device, open(device, DescriptorCalls.O_RDONLY));
  }

  /** The device node. */
  String path() {
    return path;
  }

  @Override
  public void close() throws ErrnoException {
    int open = fd;
    fd = -1;
    if (open >= 0) {
      DescriptorCalls.close(open);
    }
  }
}
