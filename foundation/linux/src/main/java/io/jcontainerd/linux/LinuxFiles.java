package io.jcontainerd.linux;

import io.jcontainerd.core.RawPath;
import io.jcontainerd.core.ports.FileStat;
import io.jcontainerd.core.ports.Files;
import io.jcontainerd.linux.libc.AtCalls;
import io.jcontainerd.linux.libc.DescriptorCalls;
import io.jcontainerd.linux.libc.FileCalls;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/** The files of this machine. Stateless. */
public final class LinuxFiles implements Files {
  private static final int HERE = AtCalls.AT_FDCWD;

  /** The files of this machine. */
  public LinuxFiles() {}

  private interface Action<T> {
    T run() throws IOException;
  }

  private interface Change {
    void run() throws IOException;
  }

  private static <T> T on(Path path, Action<T> action) throws IOException {
    try {
      return action.run();
    } catch (ErrnoException e) {
      throw Failures.told(e, path);
    }
  }

  private static void change(Path path, Change change) throws IOException {
    on(
        path,
        () -> {
          change.run();
          return Boolean.TRUE;
        });
  }

  private static byte[] raw(Path path) {
    return path.toString().getBytes(StandardCharsets.UTF_8);
  }

  private static RawPath name(Path path) {
    return RawPath.of(Objects.requireNonNull(path.getFileName(), "a path with a name").toString());
  }

  private static Path folder(Path path) {
    Path parent = path.getParent();
    return parent == null ? Path.of(".") : parent;
  }

  @Override
  public Handle open(Path file, Open how, int mode) throws IOException {
    return on(
        file,
        () ->
            switch (how) {
              case READ -> new FileHandle(file, openExisting(file, DescriptorCalls.O_RDONLY));
              case WRITE -> new FileHandle(file, openExisting(file, DescriptorCalls.O_RDWR));
              case CREATE_NEW -> new FileHandle(file, create(file, mode));
              case CREATE -> new FileHandle(file, openOrCreate(file, mode));
            });
  }

  private static int openExisting(Path file, int access) throws ErrnoException {
    return AtCalls.openat(
        HERE, raw(file), access | DescriptorCalls.O_CLOEXEC | AtCalls.O_NOFOLLOW, 0);
  }

  private static int create(Path file, int mode) throws IOException {
    int flags =
        DescriptorCalls.O_RDWR
            | DescriptorCalls.O_CREAT
            | DescriptorCalls.O_EXCL
            | DescriptorCalls.O_CLOEXEC;
    int fd = AtCalls.openat(HERE, raw(file), flags, mode);
    try {
      FileCalls.fchmod(fd, mode);
      return fd;
    } catch (ErrnoException e) {
      DescriptorCalls.close(fd);
      throw e;
    }
  }

  /** Another process may make or remove the file between the two attempts, so they are repeated. */
  private static int openOrCreate(Path file, int mode) throws IOException {
    ErrnoException last = null;
    for (int i = 0; i < 8; i++) {
      try {
        return openExisting(file, DescriptorCalls.O_RDWR);
      } catch (ErrnoException e) {
        if (!e.is(Errno.ENOENT)) {
          throw e;
        }
        last = e;
      }
      try {
        return create(file, mode);
      } catch (ErrnoException e) {
        if (!e.is(Errno.EEXIST)) {
          throw e;
        }
        last = e;
      }
    }
    throw Objects.requireNonNull(last);
  }

  @Override
  public void createDirectory(Path folder, int mode) throws IOException {
    change(
        folder,
        () -> {
          AtCalls.mkdirat(HERE, raw(folder), mode);
          AtCalls.fchmodat(HERE, raw(folder), mode);
        });
  }

  @Override
  public void createDirectories(Path folder, int mode) throws IOException {
    Optional<FileStat> there = follow(folder);
    if (there.isPresent()) {
      if (!there.get().isDirectory()) {
        throw new FileAlreadyExistsException(folder.toString());
      }
      return;
    }
    Path parent = folder.getParent();
    if (parent != null) {
      createDirectories(parent, mode);
    }
    try {
      createDirectory(folder, mode);
    } catch (FileAlreadyExistsException e) {
      if (follow(folder).filter(FileStat::isDirectory).isEmpty()) {
        throw e;
      }
    }
  }

  /** The status of what the path leads to, links followed. */
  private static Optional<FileStat> follow(Path path) throws IOException {
    try {
      int fd = AtCalls.openat(HERE, raw(path), AtCalls.O_PATH | DescriptorCalls.O_CLOEXEC, 0);
      try {
        return Optional.of(StatxReader.read(fd, new byte[0], AtCalls.AT_EMPTY_PATH));
      } finally {
        DescriptorCalls.close(fd);
      }
    } catch (ErrnoException e) {
      if (e.is(Errno.ENOENT)) {
        return Optional.empty();
      }
      throw Failures.told(e, path);
    }
  }

  @Override
  public void link(Path name, Path existing) throws IOException {
    change(name, () -> AtCalls.linkat(HERE, raw(existing), HERE, raw(name), 0));
  }

  @Override
  public void symlink(Path name, String target) throws IOException {
    change(name, () -> AtCalls.symlinkat(target.getBytes(StandardCharsets.UTF_8), HERE, raw(name)));
  }

  @Override
  public void rename(Path from, Path to) throws IOException {
    change(from, () -> AtCalls.renameat2(HERE, raw(from), HERE, raw(to), 0));
  }

  @Override
  public void renameNew(Path from, Path to) throws IOException {
    change(
        to,
        () -> {
          try {
            AtCalls.renameat2(HERE, raw(from), HERE, raw(to), AtCalls.RENAME_NOREPLACE);
          } catch (ErrnoException e) {
            if (e.is(Errno.ENOENT)) {
              throw Failures.told(e, from);
            }
            throw e;
          }
        });
  }

  @Override
  public void delete(Path path) throws IOException {
    change(
        path,
        () -> {
          try {
            AtCalls.unlinkat(HERE, raw(path), 0);
          } catch (ErrnoException e) {
            boolean folder =
                e.is(Errno.EISDIR)
                    || (e.is(Errno.EPERM) && StatxReader.read(HERE, raw(path), 0).isDirectory());
            if (!folder) {
              throw e;
            }
            AtCalls.unlinkat(HERE, raw(path), AtCalls.AT_REMOVEDIR);
          }
        });
  }

  @Override
  public void deleteTree(Path path) throws IOException {
    Path whole = path.toAbsolutePath().normalize();
    change(
        path,
        () -> {
          try (Directory parent = Directory.open(folder(whole))) {
            parent.removeTree(name(whole));
          }
        });
  }

  @Override
  public List<String> list(Path folder) throws IOException {
    return on(
        folder,
        () -> {
          try (Directory open = Directory.open(folder)) {
            return open.names().stream().map(RawPath::toString).toList();
          }
        });
  }

  @Override
  public Optional<FileStat> stat(Path path) throws IOException {
    try {
      return Optional.of(StatxReader.read(HERE, raw(path), 0));
    } catch (ErrnoException e) {
      if (e.is(Errno.ENOENT, Errno.ENOTDIR)) {
        return Optional.empty();
      }
      throw Failures.told(e, path);
    }
  }

  @Override
  public void setMode(Path path, int mode) throws IOException {
    change(
        path,
        () -> {
          if (StatxReader.read(HERE, raw(path), 0).type() == FileStat.Type.SYMLINK) {
            throw new ErrnoException("fchmodat", path.toString(), Errno.EOPNOTSUPP);
          }
          AtCalls.fchmodat(HERE, raw(path), mode);
        });
  }

  @Override
  public void setOwner(Path path, int uid, int gid) throws IOException {
    change(path, () -> AtCalls.fchownat(HERE, raw(path), uid, gid, AtCalls.AT_SYMLINK_NOFOLLOW));
  }

  @Override
  public void setModified(Path path, Instant time) throws IOException {
    change(
        path,
        () ->
            AtCalls.utimensat(
                HERE, raw(path), Directory.times(time, time), AtCalls.AT_SYMLINK_NOFOLLOW));
  }

  @Override
  public void forceDirectory(Path folder) throws IOException {
    change(
        folder,
        () -> {
          try (Directory open = Directory.open(folder)) {
            open.force();
          }
        });
  }
}
