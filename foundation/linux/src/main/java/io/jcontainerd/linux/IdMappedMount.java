package io.jcontainerd.linux;

import io.jcontainerd.linux.libc.AtCalls;
import io.jcontainerd.linux.libc.DescriptorCalls;
import io.jcontainerd.linux.libc.MountCalls;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** Bind mounts in which owners appear mapped (mount_setattr(2), Linux 5.12 and later). */
final class IdMappedMount {
  private IdMappedMount() {}

  /**
   * Shows the source at the target, its owners mapped.
   *
   * @param recursive whether the mounts below the source come along
   */
  static void bind(
      Path source, Path target, UserNamespace namespace, boolean recursive, boolean readOnly)
      throws IOException {
    int flags =
        MountCalls.OPEN_TREE_CLONE
            | MountCalls.OPEN_TREE_CLOEXEC
            | (recursive ? MountCalls.AT_RECURSIVE : 0);
    int tree = MountCalls.open_tree(AtCalls.AT_FDCWD, raw(source), flags);
    try {
      long set = MountCalls.MOUNT_ATTR_IDMAP | (readOnly ? MountCalls.MOUNT_ATTR_RDONLY : 0);
      try {
        MountCalls.mount_setattr(tree, recursive, set, 0, 0, namespace.fd());
      } catch (ErrnoException e) {
        throw new ErrnoException("mount_setattr", source + " id-mapped", e.errno());
      }
      MountCalls.move_mount(tree, raw(target));
    } finally {
      DescriptorCalls.close(tree);
    }
  }

  private static byte[] raw(Path path) {
    return path.toString().getBytes(StandardCharsets.UTF_8);
  }
}
