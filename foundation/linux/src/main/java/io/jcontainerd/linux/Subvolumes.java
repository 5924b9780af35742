package io.jcontainerd.linux;

import io.jcontainerd.core.RawPath;
import io.jcontainerd.core.ports.FileStat;
import io.jcontainerd.linux.libc.BtrfsCalls;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Subvolumes of a mounted btrfs. What may wait for its disk never holds a carrier thread. */
public final class Subvolumes {
  /** The number that statfs(2) tells of a btrfs. */
  public static final long MAGIC = 0x9123683EL;

  private Subvolumes() {}

  /** Makes an empty subvolume under a free name. */
  public static void create(Path path) throws IOException {
    within(
        path,
        (folder, name) ->
            Blocking.run("subvolume", () -> BtrfsCalls.create(folder.fd(), name.bytes())));
  }

  /** Makes a subvolume under a free name that holds what another one holds. */
  public static void snapshot(Path from, Path to, boolean readOnly) throws IOException {
    try (Directory source = open(from)) {
      requireTop(source, from);
      within(
          to,
          (folder, name) ->
              Blocking.run(
                  "snapshot",
                  () ->
                      BtrfsCalls.snapshot(
                          folder.fd(),
                          name.bytes(),
                          source.fd(),
                          readOnly ? BtrfsCalls.SUBVOL_RDONLY : 0)));
    }
  }

  /** Whether there is a subvolume of that name. */
  public static boolean is(Path path) throws IOException {
    try (Directory folder = Directory.open(path)) {
      return isTop(folder.status());
    } catch (ErrnoException e) {
      if (e.is(Errno.ENOENT, Errno.ENOTDIR)) {
        return false;
      }
      throw Failures.told(e, path);
    }
  }

  /** The number under which it can be mounted. */
  public static long id(Path path) throws IOException {
    try (Directory folder = open(path)) {
      requireTop(folder, path);
      return BtrfsCalls.subvolume(folder.fd());
    } catch (ErrnoException e) {
      throw Failures.told(e, path);
    }
  }

  /** Removes a subvolume with the subvolumes that somebody made in it. */
  public static void delete(Path path) throws IOException {
    within(path, Subvolumes::delete);
  }

  private static void delete(Directory folder, RawPath name) throws IOException {
    try {
      destroy(folder, name);
    } catch (ErrnoException e) {
      if (!e.is(Errno.ENOTEMPTY)) {
        throw e;
      }
      deleteInner(folder, name);
      destroy(folder, name);
    }
  }

  private static void destroy(Directory folder, RawPath name) throws IOException {
    Blocking.run("subvolume", () -> BtrfsCalls.destroy(folder.fd(), name.bytes()));
  }

  /** Goes down to every subvolume; the way is kept in words, since it may be long. */
  private static void deleteInner(Directory folder, RawPath name) throws IOException {
    var found = new ArrayList<RawPath>();
    try (Directory top = folder.openChild(name)) {
      List<RawPath> left = new ArrayList<>(List.of(RawPath.EMPTY));
      while (!left.isEmpty()) {
        RawPath at = left.removeLast();
        try (Directory here = at.isEmpty() ? top.openChild(RawPath.of(".")) : top.openInRoot(at)) {
          here.eachName(
              0,
              (child, _) -> {
                var stat = here.find(child);
                if (stat.isPresent() && stat.get().isDirectory()) {
                  RawPath path = at.isEmpty() ? child : at.resolve(child);
                  left.add(path);
                  if (isTop(stat.get())) {
                    found.add(path);
                  }
                }
                return true;
              });
        }
      }
      for (RawPath inner : found.reversed()) {
        try (Directory parent = parent(top, inner)) {
          destroy(parent, inner.name());
        }
      }
    }
  }

  private static Directory parent(Directory top, RawPath path) throws ErrnoException {
    RawPath parent = path.parent();
    return parent.isEmpty() ? top.openChild(RawPath.of(".")) : top.openInRoot(parent);
  }

  private static boolean isTop(FileStat stat) {
    return stat.isDirectory() && stat.inode() == BtrfsCalls.TOP_INODE;
  }

  private static void requireTop(Directory folder, Path path) throws IOException {
    if (!isTop(folder.status())) {
      throw new IOException(path + " is a folder but no subvolume");
    }
  }

  private static Directory open(Path path) throws IOException {
    try {
      return Directory.open(path);
    } catch (ErrnoException e) {
      throw Failures.told(e, path);
    }
  }

  private interface OnName {
    void run(Directory folder, RawPath name) throws IOException;
  }

  private static void within(Path path, OnName action) throws IOException {
    Path parent = path.getParent();
    if (parent == null) {
      throw new IOException(path + " lies in no folder");
    }
    try (Directory folder = Directory.open(parent)) {
      action.run(
          folder, RawPath.of(path.getFileName().toString().getBytes(StandardCharsets.UTF_8)));
    } catch (ErrnoException e) {
      throw Failures.told(e, path);
    }
  }
}
