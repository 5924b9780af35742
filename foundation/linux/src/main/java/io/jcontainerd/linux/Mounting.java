package io.jcontainerd.linux;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.linux.libc.FileCalls;
import io.jcontainerd.linux.libc.MountCalls;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Does one mount, with all that mount(8) would add to mount(2). */
final class Mounting {
  /** {@code statvfs} bits and the mount flags they stand for. */
  private static final long[][] STATFS_FLAGS = {
    {1, MountCalls.MS_RDONLY},
    {2, MountCalls.MS_NOSUID},
    {4, MountCalls.MS_NODEV},
    {8, MountCalls.MS_NOEXEC},
    {1024, MountCalls.MS_NOATIME},
    {2048, MountCalls.MS_NODIRATIME},
    {4096, MountCalls.MS_RELATIME},
    {8192, MountCalls.MS_NOSYMFOLLOW},
  };

  private final Path temporary;

  Mounting(Path temporary) {
    this.temporary = temporary;
  }

  /** Does the mount; after a failure nothing of it is left. */
  void mount(Mount mount, Path target) throws IOException {
    MountOptions options = parse(mount, target);
    String type = mount.type();
    if (type.startsWith("fuse.") || type.startsWith("fuse3.")) {
      FuseHelper.mount(mount, target);
      return;
    }
    try {
      Blocking.run("mount", () -> inKernel(mount.type(), mount.source(), target, options));
    } catch (ErrnoException e) {
      throw new IOException(describe(mount, target) + ": " + e.getMessage(), e);
    }
  }

  private static MountOptions parse(Mount mount, Path target) throws IOException {
    try {
      MountOptions options = MountOptions.parse(mount.options());
      boolean bind = mount.type().equals("bind");
      return bind ? options.withFlags(options.flags() | MountCalls.MS_BIND) : options;
    } catch (IllegalArgumentException e) {
      throw new IOException(describe(mount, target) + ": " + e.getMessage(), e);
    }
  }

  private static String describe(Mount mount, Path target) {
    return "mount of " + mount.type() + " " + mount.source() + " at " + target;
  }

  private void inKernel(String type, String source, Path target, MountOptions options)
      throws IOException {
    if (options.loop()) {
      try (LoopDevice device = LoopDevice.attach(source, options.has(MountCalls.MS_RDONLY))) {
        first(type, device.path(), target, options);
      }
    } else {
      first(type, source, target, options);
    }
    if (options.has(MountCalls.MS_REMOUNT)) {
      return;
    }
    try {
      afterwards(target, options);
    } catch (IOException e) {
      try {
        Unmounting.detach(target);
      } catch (IOException second) {
        e.addSuppressed(second);
      }
      throw e;
    }
  }

  private void first(String type, String source, Path target, MountOptions options)
      throws IOException {
    boolean bind = options.has(MountCalls.MS_BIND);
    boolean mapped = options.uids().isPresent() && options.gids().isPresent();
    if (mapped && bind) {
      try (UserNamespace namespace =
          UserNamespace.create(options.uids().get(), options.gids().get())) {
        boolean recursive = options.has(MountCalls.MS_REC);
        IdMappedMount.bind(Path.of(source), target, namespace, recursive, false);
      }
    } else if (mapped && type.equals("overlay")) {
      Files.createDirectories(temporary);
      try (IdMappedLowers lowers =
          IdMappedLowers.map(
              options.data(), temporary, options.uids().get(), options.gids().get())) {
        OverlayMount.mount(source, target, options.flags(), lowers.data());
      }
    } else if (mapped) {
      throw new IOException("only bind mounts and overlays can be id-mapped, not " + type);
    } else if (type.equals("overlay") && !options.has(MountCalls.MS_REMOUNT)) {
      OverlayMount.mount(source, target, options.flags(), options.data());
    } else {
      plain(type, source, target, options);
    }
  }

  /** A mount without type, source and flags exists only to change the propagation of another. */
  private static void plain(String type, String source, Path target, MountOptions options)
      throws IOException {
    boolean nothingElse =
        options.flags() == 0
            && options.data().isEmpty()
            && !options.propagation().isEmpty()
            && (type.isEmpty() || type.equals("none"));
    if (!nothingElse) {
      MountCalls.mount(raw(source), raw(target), type, options.flags(), raw(options.dataText()));
    }
  }

  private static void afterwards(Path target, MountOptions options) throws IOException {
    long perMount = options.flags() & MountOptions.PER_MOUNT;
    if (options.has(MountCalls.MS_BIND) && perMount != 0) {
      long flags = MountCalls.MS_REMOUNT | MountCalls.MS_BIND | perMount | present(target);
      if ((perMount & (MountCalls.MS_NOATIME | MountCalls.MS_STRICTATIME)) != 0) {
        flags &= ~MountCalls.MS_RELATIME;
      }
      MountCalls.mount(raw(""), raw(target), "", flags, raw(""));
    }
    for (long change : options.propagation()) {
      MountCalls.mount(raw(""), raw(target), "", change, raw(""));
    }
  }

  /** The flags that a mount has already; a remount that left one out would take it away. */
  private static long present(Path target) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment statfs = arena.allocate(FileCalls.STATFS_SIZE, 8);
      FileCalls.statfs(raw(target), statfs);
      long bits = statfs.get(JAVA_LONG, 80);
      long flags = 0;
      for (long[] pair : STATFS_FLAGS) {
        if ((bits & pair[0]) != 0) {
          flags |= pair[1];
        }
      }
      return flags;
    }
  }

  private static byte[] raw(Path path) {
    return raw(path.toString());
  }

  private static byte[] raw(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
