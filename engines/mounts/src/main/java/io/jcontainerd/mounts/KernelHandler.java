package io.jcontainerd.mounts;

import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.core.ports.Files;
import io.jcontainerd.core.ports.Kernel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** Does mounts that the kernel understands, each in a folder that it makes. */
record KernelHandler(Files files, Kernel kernel) implements MountHandler {
  private static final int MODE = 0700;

  @Override
  public String type() {
    return "";
  }

  @Override
  public Mount mount(Mount mount, Path at) throws IOException {
    files.createDirectory(at, MODE);
    try {
      kernel.mount(List.of(new Mount(mount.type(), mount.source(), mount.options())), at);
    } catch (IOException | RuntimeException e) {
      try {
        files.delete(at);
      } catch (IOException second) {
        e.addSuppressed(second);
      }
      throw e;
    }
    return mount;
  }

  @Override
  public void unmount(Path at) throws IOException {
    if (files.stat(at).isPresent()) {
      kernel.unmountAll(at);
      files.delete(at);
    }
  }

  @Override
  public boolean isMounted(Path at, List<Path> mountPoints) {
    return mountPoints.contains(at);
  }
}
