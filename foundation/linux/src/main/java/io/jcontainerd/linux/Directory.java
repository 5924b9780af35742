package io.jcontainerd.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import io.jcontainerd.core.RawPath;
import io.jcontainerd.core.ports.FileStat;
import io.jcontainerd.linux.libc.AtCalls;
import io.jcontainerd.linux.libc.DescriptorCalls;
import io.jcontainerd.linux.libc.FileCalls;
import io.jcontainerd.linux.libc.XattrCalls;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * An open folder, and what can be done to the names in it.
 *
 * <p>A folder that is open stays the same whatever happens to its path, so work below it cannot be
 * led elsewhere by a renamed or replaced parent. Names are single components unless said otherwise,
 * and a symbolic link is never followed. For one thread at a time; closing twice does no harm.
 */
public final class Directory implements AutoCloseable {
  private static final int OPEN_FLAGS =
      DescriptorCalls.O_RDONLY | AtCalls.O_DIRECTORY | DescriptorCalls.O_CLOEXEC;
  private static final byte[] SELF = new byte[0];
  private static final int ENTRIES_BUFFER = 64 * 1024;

  private final Where shown;
  private int fd;

  /**
   * The way to a folder, put into words only when somebody asks: trees may be very deep, so that
   * neither the words nor the way itself may grow with every step.
   */
  private record Where(@Nullable Where above, Object name, int depth) {
    private static final int MOST = 64;

    static Where at(Object top) {
      return new Where(null, top, 0);
    }

    Where child(RawPath child) {
      return depth < MOST
          ? new Where(this, child, depth + 1)
          : new Where(depth == MOST ? this : above, child, MOST + 1);
    }

    Where parent() {
      return above != null && depth <= MOST
          ? above
          : new Where(above == null ? this : above, "..", MOST + 1);
    }

    @Override
    public String toString() {
      Deque<String> names = new ArrayDeque<>();
      for (Where at = this; at != null; at = at.above) {
        names.push((at.depth > MOST ? "\u2026/" : "") + at.name);
      }
      return String.join("/", names);
    }
  }

  private Directory(int fd, Where shown) {
    this.fd = fd;
    this.shown = shown;
  }

  /** Opens a folder; links on the way to it are followed. */
  public static Directory open(Path path) throws ErrnoException {
    byte[] raw = path.toString().getBytes(StandardCharsets.UTF_8);
    return new Directory(AtCalls.openat(AtCalls.AT_FDCWD, raw, OPEN_FLAGS, 0), Where.at(path));
  }

  /**
   * Opens a folder below this one. Links on the way are followed as if this folder were the root of
   * everything: neither {@code ..} nor an absolute link leads out of it.
   */
  public Directory openInRoot(RawPath path) throws ErrnoException {
    byte[] raw = path.isEmpty() ? new byte[] {'.'} : path.bytes();
    return new Directory(
        AtCalls.openat2(fd(), raw, OPEN_FLAGS, 0, AtCalls.RESOLVE_IN_ROOT), shown.child(path));
  }

  /** Opens a folder in this one; a link under that name is refused. */
  public Directory openChild(RawPath name) throws ErrnoException {
    return new Directory(
        AtCalls.openat(fd(), name.bytes(), OPEN_FLAGS | AtCalls.O_NOFOLLOW, 0), shown.child(name));
  }

  /**
   * Opens a folder in this one; a link under that name is refused, and so is (with {@code EXDEV}) a
   * mount point.
   */
  public Directory openChildSameMount(RawPath name) throws ErrnoException {
    return new Directory(
        AtCalls.openat2(
            fd(),
            name.bytes(),
            OPEN_FLAGS | AtCalls.O_NOFOLLOW,
            0,
            AtCalls.RESOLVE_NO_XDEV | AtCalls.RESOLVE_NO_SYMLINKS | AtCalls.RESOLVE_BENEATH),
        shown.child(name));
  }

  /** Opens the folder that holds this one. */
  public Directory openParent() throws ErrnoException {
    return new Directory(
        AtCalls.openat(fd(), new byte[] {'.', '.'}, OPEN_FLAGS, 0), shown.parent());
  }

  /** The descriptor, for calls of this package. */
  int fd() {
    if (fd < 0) {
      throw new IllegalStateException("folder " + shown + " is closed");
    }
    return fd;
  }

  /** Where the folder is now, as this process sees it. */
  public Path currentPath() throws ErrnoException {
    byte[] link = ("/proc/self/fd/" + fd()).getBytes(StandardCharsets.US_ASCII);
    return Path.of(new String(AtCalls.readlinkat(AtCalls.AT_FDCWD, link), StandardCharsets.UTF_8));
  }

  /** What the kernel knows of the folder itself. */
  public FileStat status() throws ErrnoException {
    return StatxReader.read(fd(), SELF, AtCalls.AT_EMPTY_PATH);
  }

  /** What the kernel knows of a name in the folder. */
  public FileStat status(RawPath name) throws ErrnoException {
    return StatxReader.read(fd(), name.bytes(), 0);
  }

  /** What the kernel knows of a name in the folder, if it is there. */
  public Optional<FileStat> find(RawPath name) throws ErrnoException {
    try {
      return Optional.of(status(name));
    } catch (ErrnoException e) {
      if (e.is(Errno.ENOENT)) {
        return Optional.empty();
      }
      throw e;
    }
  }

  /** The names in the folder without {@code .} and {@code ..}, sorted by bytes. */
  public List<RawPath> names() throws ErrnoException {
    List<RawPath> names = new ArrayList<>();
    eachName(0, (name, _) -> names.add(name));
    names.sort(null);
    return names;
  }

  /** Is shown the names in a folder one after the other. */
  @FunctionalInterface
  public interface EachName {
    /**
     * Looks at a name; may remove it, but must not close the folder.
     *
     * @param next the place after the name, from where another look at the folder can go on
     * @return whether to go on
     */
    boolean see(RawPath name, long next) throws ErrnoException;
  }

  /**
   * Shows the names in the folder without {@code .} and {@code ..}, in no order, as they are read:
   * a folder may hold more names than fit into memory. Names that come or go meanwhile may be seen
   * or not.
   *
   * @param from 0 for the beginning, or a place that was shown before
   * @return where it was stopped, or -1 at the end
   */
  public long eachName(long from, EachName each) throws ErrnoException {
    FileCalls.lseek(fd(), from, FileCalls.SEEK_SET);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(ENTRIES_BUFFER, 8);
      long filled = AtCalls.getdents64(fd(), buffer);
      while (filled > 0) {
        long stopped = showEntries(buffer.asSlice(0, filled), each);
        if (stopped >= 0) {
          return stopped;
        }
        filled = AtCalls.getdents64(fd(), buffer);
      }
    }
    return -1;
  }

  /** {@code struct linux_dirent64}: inode 8, offset 8, record length 2, type 1, name with NUL. */
  private static long showEntries(MemorySegment entries, EachName each) throws ErrnoException {
    long at = 0;
    while (at < entries.byteSize()) {
      int length = Short.toUnsignedInt(entries.get(JAVA_SHORT_UNALIGNED, at + 16));
      byte[] tail = entries.asSlice(at + 19, length - 19L).toArray(JAVA_BYTE);
      int end = 0;
      while (tail[end] != 0) {
        end++;
      }
      byte[] name = Arrays.copyOf(tail, end);
      boolean dots = name[0] == '.' && (end == 1 || (end == 2 && name[1] == '.'));
      if (!dots) {
        long next = entries.get(JAVA_LONG_UNALIGNED, at + 8);
        if (!each.see(RawPath.of(name), next)) {
          return next;
        }
      }
      at += length;
    }
    return -1;
  }

  /** Makes a folder; the mode is subject to the umask. */
  public void makeDirectory(RawPath name, int mode) throws ErrnoException {
    AtCalls.mkdirat(fd(), name.bytes(), mode);
  }

  /** Makes a regular file, which must not exist, and opens it for reading and writing. */
  public OpenFile createFile(RawPath name, int mode) throws ErrnoException {
    int flags =
        DescriptorCalls.O_RDWR
            | DescriptorCalls.O_CREAT
            | DescriptorCalls.O_EXCL
            | DescriptorCalls.O_CLOEXEC
            | AtCalls.O_NOFOLLOW;
    return new OpenFile(AtCalls.openat(fd(), name.bytes(), flags, mode));
  }

  /** Opens a file for reading; never waits for the other end of a FIFO. */
  public OpenFile openFile(RawPath name) throws ErrnoException {
    int flags =
        DescriptorCalls.O_RDONLY
            | DescriptorCalls.O_CLOEXEC
            | DescriptorCalls.O_NONBLOCK
            | AtCalls.O_NOFOLLOW;
    return new OpenFile(AtCalls.openat(fd(), name.bytes(), flags, 0));
  }

  /** Makes a symbolic link. */
  public void makeSymlink(RawPath name, RawPath target) throws ErrnoException {
    AtCalls.symlinkat(target.bytes(), fd(), name.bytes());
  }

  /** What a symbolic link says. */
  public RawPath readSymlink(RawPath name) throws ErrnoException {
    return RawPath.of(AtCalls.readlinkat(fd(), name.bytes()));
  }

  /** Makes a further name for a file that is in another (or this) folder. */
  public void makeLink(RawPath name, Directory existingIn, RawPath existing) throws ErrnoException {
    AtCalls.linkat(existingIn.fd(), existing.bytes(), fd(), name.bytes(), 0);
  }

  /**
   * Makes a device, FIFO or socket.
   *
   * @param device as {@link DeviceNumber} packs it; 0 for FIFOs and sockets
   */
  public void makeNode(RawPath name, FileStat.Type type, int mode, long device)
      throws ErrnoException {
    int kind =
        switch (type) {
          case CHARACTER_DEVICE -> 0020000;
          case BLOCK_DEVICE -> 0060000;
          case FIFO -> 0010000;
          case SOCKET -> 0140000;
          case REGULAR -> 0100000;
          case DIRECTORY, SYMLINK -> throw new IllegalArgumentException("no node: " + type);
        };
    AtCalls.mknodat(fd(), name.bytes(), kind | mode, device);
  }

  /** Removes a name that is no folder. */
  public void unlink(RawPath name) throws ErrnoException {
    AtCalls.unlinkat(fd(), name.bytes(), 0);
  }

  /** Removes an empty folder. */
  public void removeDirectory(RawPath name) throws ErrnoException {
    AtCalls.unlinkat(fd(), name.bytes(), AtCalls.AT_REMOVEDIR);
  }

  /** Removes a name with all that is below it; see {@link TreeRemoval}. */
  public void removeTree(RawPath name) throws ErrnoException {
    TreeRemoval.remove(this, name);
  }

  /** Renames, replacing what has the new name. */
  public void rename(RawPath from, Directory toFolder, RawPath to) throws ErrnoException {
    AtCalls.renameat2(fd(), from.bytes(), toFolder.fd(), to.bytes(), 0);
  }

  /** Renames to a name that is free. */
  public void renameNew(RawPath from, Directory toFolder, RawPath to) throws ErrnoException {
    AtCalls.renameat2(fd(), from.bytes(), toFolder.fd(), to.bytes(), AtCalls.RENAME_NOREPLACE);
  }

  /** Gives owner and group (-1 keeps one); the kernel then clears the setuid bits of files. */
  public void setOwner(RawPath name, int uid, int gid) throws ErrnoException {
    AtCalls.fchownat(fd(), name.bytes(), uid, gid, AtCalls.AT_SYMLINK_NOFOLLOW);
  }

  /**
   * Sets the twelve permission bits. A symbolic link has none: the caller must know that the name
   * is not one.
   */
  public void setMode(RawPath name, int mode) throws ErrnoException {
    AtCalls.fchmodat(fd(), name.bytes(), mode);
  }

  /** Sets the times of access and of modification, to the nanosecond. */
  public void setTimes(RawPath name, Instant accessed, Instant modified) throws ErrnoException {
    AtCalls.utimensat(fd(), name.bytes(), times(accessed, modified), AtCalls.AT_SYMLINK_NOFOLLOW);
  }

  static long[] times(Instant accessed, Instant modified) {
    return new long[] {
      accessed.getEpochSecond(), accessed.getNano(), modified.getEpochSecond(), modified.getNano()
    };
  }

  /** Gives owner and group to the folder itself. */
  public void setOwner(int uid, int gid) throws ErrnoException {
    FileCalls.fchown(fd(), uid, gid);
  }

  /** Sets the permission bits of the folder itself. */
  public void setMode(int mode) throws ErrnoException {
    FileCalls.fchmod(fd(), mode);
  }

  /** Sets the times of the folder itself. */
  public void setTimes(Instant accessed, Instant modified) throws ErrnoException {
    FileCalls.futimens(fd(), times(accessed, modified));
  }

  /** The names of the extended attributes of a name; of the folder itself if it is empty. */
  public List<RawPath> attributes(RawPath name) throws ErrnoException {
    byte[] list;
    try {
      list = XattrCalls.llistxattr(viaProc(name));
    } catch (ErrnoException e) {
      if (e.is(Errno.EOPNOTSUPP)) {
        return List.of();
      }
      throw e;
    }
    List<RawPath> names = new ArrayList<>();
    int start = 0;
    for (int i = 0; i < list.length; i++) {
      if (list[i] == 0) {
        names.add(RawPath.of(Arrays.copyOfRange(list, start, i)));
        start = i + 1;
      }
    }
    names.sort(null);
    return names;
  }

  /** The value of an extended attribute, if it is set. */
  public Optional<byte[]> attribute(RawPath name, RawPath attribute) throws ErrnoException {
    try {
      return Optional.of(XattrCalls.lgetxattr(viaProc(name), attribute.bytes()));
    } catch (ErrnoException e) {
      if (e.is(Errno.ENODATA, Errno.EOPNOTSUPP)) {
        return Optional.empty();
      }
      throw e;
    }
  }

  /** Sets an extended attribute. */
  public void setAttribute(RawPath name, RawPath attribute, byte[] value) throws ErrnoException {
    XattrCalls.lsetxattr(viaProc(name), attribute.bytes(), value);
  }

  /** Removes an extended attribute, which must be set. */
  public void removeAttribute(RawPath name, RawPath attribute) throws ErrnoException {
    XattrCalls.lremovexattr(viaProc(name), attribute.bytes());
  }

  /** There is no {@code setxattrat} before Linux 6.13; the open folder's link in proc serves. */
  private byte[] viaProc(RawPath name) {
    String folder = "/proc/self/fd/" + fd() + "/";
    return RawPath.of(folder).concat(name.isEmpty() ? RawPath.of(".") : name).bytes();
  }

  /** Makes the names in the folder survive a power cut. */
  public void force() throws IOException {
    int open = fd();
    Blocking.run("fsync", () -> FileCalls.fsync(open));
  }

  /** Makes everything written to the folder's file system survive a power cut. */
  public void syncFileSystem() throws IOException {
    int open = fd();
    Blocking.run("syncfs", () -> FileCalls.syncfs(open));
  }

  @Override
  public void close() throws ErrnoException {
    int open = fd;
    fd = -1;
    if (open >= 0) {
      DescriptorCalls.close(open);
    }
  }

  @Override
  public String toString() {
    return shown.toString();
  }
}
