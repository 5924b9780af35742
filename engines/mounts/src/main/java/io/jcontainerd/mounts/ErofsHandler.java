package io.jcontainerd.mounts;

import io.jcontainerd.core.failure.NotImplementedException;
import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.core.ports.Files;
import io.jcontainerd.core.ports.Kernel;
import io.jcontainerd.linux.Errno;
import io.jcontainerd.linux.ErrnoException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Mounts files that hold an EROFS: straight from the file where the kernel can do so (Linux 6.12),
 * which takes no loop device, else through one.
 */
public final class ErofsHandler implements MountHandler {
  private static final String LOOP = "loop";
  private static final String VERITY = "X-containerd.dmverity=";
  private static final String DEVICE = "device=";

  private final KernelHandler handler;

  /** Mounts of this kernel. */
  public ErofsHandler(Files files, Kernel kernel) {
    this.handler = new KernelHandler(files, kernel);
  }

  @Override
  public String type() {
    return "erofs";
  }

  @Override
  public Mount mount(Mount mount, Path at) throws IOException {
    var direct = new ArrayList<String>();
    boolean more = false;
    for (String option : mount.options()) {
      if (option.startsWith(VERITY)) {
        throw new NotImplementedException(
            "mount of erofs " + mount.source() + ": dm-verity, asked for by " + option);
      }
      if (!option.equals(LOOP)) {
        direct.add(option);
      }
      more |= option.startsWith(DEVICE);
    }
    try {
      return handler.mount(with(mount, direct), at);
    } catch (IOException e) {
      if (!needsDevice(e)) {
        throw e;
      }
      if (more) {
        throw new IOException("this kernel mounts no erofs of several files: " + e.getMessage(), e);
      }
    }
    var options = new ArrayList<>(direct);
    options.add(LOOP);
    return handler.mount(with(mount, options), at);
  }

  private static Mount with(Mount mount, List<String> options) {
    return new Mount(mount.type(), mount.source(), mount.target(), options);
  }

  private static boolean needsDevice(Throwable e) {
    for (Throwable at = e; at != null; at = at.getCause()) {
      if (at instanceof ErrnoException errno && errno.is(Errno.ENOTBLK)) {
        return true;
      }
    }
    return false;
  }

  @Override
  public void unmount(Path at) throws IOException {
    handler.unmount(at);
  }

  @Override
  public boolean isMounted(Path at, List<Path> mountPoints) {
    return handler.isMounted(at, mountPoints);
  }
}
