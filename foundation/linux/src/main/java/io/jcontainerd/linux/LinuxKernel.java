package io.jcontainerd.linux;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.jcontainerd.core.RawPath;
import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.core.ports.Kernel;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.linux.libc.FileCalls;
import io.jcontainerd.linux.libc.XattrCalls;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The kernel of this machine. */
public final class LinuxKernel implements Kernel {
  private static final Path BOOT_ID = Path.of("/proc/sys/kernel/random/boot_id");

  private final Time time;
  private final Mounting mounting;

  /**
   * @param temporary a folder for mounts that are needed only while another is made; made when
   *     first needed. What a killed daemon left in it, {@link Mounter#cleanLeftovers} removes
   */
  public LinuxKernel(Path temporary) {
    this(temporary, Time.SYSTEM);
  }

  LinuxKernel(Path temporary, Time time) {
    this.time = time;
    this.mounting = new Mounting(temporary);
  }

  @Override
  public void mount(List<Mount> mounts, Path target) throws IOException {
    List<Path> done = new ArrayList<>();
    try {
      for (Mount mount : mounts) {
        Path place = mount.target().isEmpty() ? target : below(target, mount.target());
        mounting.mount(mount, place);
        done.add(place);
      }
    } catch (IOException | RuntimeException e) {
      for (Path place : done.reversed()) {
        try {
          Unmounting.detach(place);
        } catch (IOException second) {
          e.addSuppressed(second);
        }
      }
      throw e;
    }
  }

  /** The place below the target, which a link in what is mounted there cannot lead outside. */
  private static Path below(Path target, String relative) throws IOException {
    try (Directory root = Directory.open(target);
        Directory place = root.openInRoot(RawPath.of(relative))) {
      return place.currentPath();
    }
  }

  @Override
  public void unmountAll(Path target) throws IOException {
    Unmounting.all(target, time);
  }

  @Override
  public void detachAll(Path target) throws IOException {
    Unmounting.detach(target);
  }

  @Override
  public List<MountPoint> mountTable() throws IOException {
    List<MountPoint> table = new ArrayList<>();
    for (MountInfo mount : MountInfo.read()) {
      List<String> options = new ArrayList<>(mount.options());
      mount.superOptions().stream().filter(o -> !options.contains(o)).forEach(options::add);
      table.add(
          new MountPoint(
              Path.of(mount.mountPoint()),
              mount.type(),
              mount.source(),
              String.join(",", options)));
    }
    return table;
  }

  @Override
  public Space space(Path path) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment statfs = arena.allocate(FileCalls.STATFS_SIZE, 8);
      FileCalls.statfs(raw(path), statfs);
      long unit = statfs.get(JAVA_LONG, 72);
      return new Space(
          statfs.get(JAVA_LONG, 0),
          statfs.get(JAVA_LONG, 16) * unit,
          statfs.get(JAVA_LONG, 32) * unit,
          statfs.get(JAVA_LONG, 48));
    } catch (ErrnoException e) {
      throw Failures.told(e, path);
    }
  }

  @Override
  public Synchroniser synchroniser(Path path) throws IOException {
    try {
      return new OpenFolder(path, Directory.open(path));
    } catch (ErrnoException e) {
      throw Failures.told(e, path);
    }
  }

  private record OpenFolder(Path path, Directory folder) implements Synchroniser {
    @Override
    public void synchronise() throws IOException {
      try {
        folder.syncFileSystem();
      } catch (ErrnoException e) {
        throw Failures.told(e, path);
      }
    }

    @Override
    public void close() throws IOException {
      folder.close();
    }
  }

  @Override
  public List<String> extendedAttributes(Path path) throws IOException {
    try {
      String names = new String(XattrCalls.llistxattr(raw(path)), StandardCharsets.UTF_8);
      return names.isEmpty()
          ? List.of()
          : List.of(names.substring(0, names.length() - 1).split("\0", -1));
    } catch (ErrnoException e) {
      if (e.is(Errno.EOPNOTSUPP)) {
        return List.of();
      }
      throw Failures.told(e, path);
    }
  }

  @Override
  public Optional<byte[]> extendedAttribute(Path path, String name) throws IOException {
    try {
      return Optional.of(XattrCalls.lgetxattr(raw(path), RawPath.of(name).bytes()));
    } catch (ErrnoException e) {
      if (e.is(Errno.ENODATA, Errno.EOPNOTSUPP)) {
        return Optional.empty();
      }
      throw Failures.told(e, path);
    }
  }

  @Override
  public void setExtendedAttribute(Path path, String name, byte @Nullable [] value)
      throws IOException {
    try {
      if (value == null) {
        XattrCalls.lremovexattr(raw(path), RawPath.of(name).bytes());
      } else {
        XattrCalls.lsetxattr(raw(path), RawPath.of(name).bytes(), value);
      }
    } catch (ErrnoException e) {
      throw Failures.told(e, path);
    }
  }

  @Override
  public String bootId() throws IOException {
    return Files.readString(BOOT_ID).strip();
  }

  private static byte[] raw(Path path) {
    return path.toString().getBytes(StandardCharsets.UTF_8);
  }
}
