package io.jcontainerd.mounts;

import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.linux.LinkedLoop;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** Puts files behind loop devices, for later mounts that want a device; each is a link to one. */
public final class LoopHandler implements MountHandler {
  /** Loop devices of this machine. */
  public LoopHandler() {}

  @Override
  public String type() {
    return "loop";
  }

  @Override
  public Mount mount(Mount mount, Path at) throws IOException {
    LinkedLoop.attach(Path.of(mount.source()), mount.options().contains("ro"), at);
    return mount;
  }

  @Override
  public void unmount(Path at) throws IOException {
    LinkedLoop.detach(at);
  }

  @Override
  public boolean isMounted(Path at, List<Path> mountPoints) throws IOException {
    return LinkedLoop.isAttached(at);
  }
}
