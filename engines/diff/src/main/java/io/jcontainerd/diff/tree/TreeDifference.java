package io.jcontainerd.diff.tree;

import static java.time.temporal.ChronoUnit.SECONDS;

import io.jcontainerd.core.RawPath;
import io.jcontainerd.core.ports.FileStat;
import io.jcontainerd.linux.DeviceNumber;
import io.jcontainerd.linux.Directory;
import io.jcontainerd.linux.OpenFile;
import io.jcontainerd.oci.tar.TarEntry;
import io.jcontainerd.oci.tar.TarWriter;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * Writes what must be done to one tree to make it another, as a layer (OCI image-spec, "Image Layer
 * Filesystem Changeset").
 *
 * <p>Both trees are walked side by side in order of names. A folder is written when it differs or
 * when anything in it is written, before it. Names of one file stay names of one file: when one of
 * them is written, those that did not change are written as links to it. Sockets are left out. The
 * trees must not change meanwhile. For one thread.
 */
public final class TreeDifference {
  private static final RawPath WHITEOUT = RawPath.of(".wh.");
  private static final int BUFFER = 128 * 1024;

  private final TarWriter out;
  private final Optional<Instant> latest;
  private final Map<FileId, Links> links = new HashMap<>();
  private final ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER);
  private final ByteBuffer other = ByteBuffer.allocateDirect(BUFFER);
  private final byte[] heap = new byte[BUFFER];

  private record FileId(long device, long inode) {}

  /** What is known of a file with several names. */
  private static final class Links {
    Optional<RawPath> written = Optional.empty();
    final List<Unchanged> unchanged = new ArrayList<>();
  }

  private record Unchanged(Frame folder, RawPath path, FileStat stat) {}

  /** A folder on the way, with the entry that it will get if anything in it is written. */
  private static final class Frame {
    final Optional<Frame> parent;
    final TarEntry entry;
    boolean written;

    Frame(Optional<Frame> parent, TarEntry entry) {
      this.parent = parent;
      this.entry = entry;
    }
  }

  private TreeDifference(TarWriter out, Optional<Instant> latest) {
    this.out = out;
    this.latest = latest;
  }

  /**
   * Writes the difference.
   *
   * @param lower the tree before; empty for no tree at all
   * @param upper the tree after
   * @param latest no time in the archive is later, and whiteouts have this one
   */
  public static void write(
      Optional<Directory> lower, Directory upper, Optional<Instant> latest, TarWriter out)
      throws IOException {
    TreeDifference difference = new TreeDifference(out, latest);
    FileStat stat = upper.status();
    TarEntry entry =
        difference.entry(
            TarEntry.Type.DIRECTORY, RawPath.of("./"), stat, Attributes.read(upper, RawPath.EMPTY));
    Frame root = new Frame(Optional.empty(), entry);
    root.written = true;
    if (lower.isPresent()
        && !(sameOwner(lower.get().status(), stat)
            && sameAttributes(lower.get(), RawPath.EMPTY, upper, RawPath.EMPTY))) {
      out.entry(entry);
    }
    difference.folders(lower, upper, RawPath.EMPTY, root);
  }

  private void folders(Optional<Directory> lower, Directory upper, RawPath path, Frame frame)
      throws IOException {
    List<RawPath> above = upper.names();
    List<RawPath> below = lower.isPresent() ? lower.get().names() : List.of();
    int inAbove = 0;
    int inBelow = 0;
    while (inAbove < above.size() || inBelow < below.size()) {
      checkInterrupt();
      int order =
          inAbove == above.size()
              ? 1
              : inBelow == below.size() ? -1 : above.get(inAbove).compareTo(below.get(inBelow));
      RawPath name = order <= 0 ? above.get(inAbove) : below.get(inBelow);
      inAbove += order <= 0 ? 1 : 0;
      inBelow += order >= 0 ? 1 : 0;
      compare(lower, upper, name, path, frame);
    }
  }

  private void compare(
      Optional<Directory> lower, Directory upper, RawPath name, RawPath path, Frame frame)
      throws IOException {
    Optional<FileStat> before = lower.isPresent() ? lower.get().find(name) : Optional.empty();
    Optional<FileStat> after = upper.find(name).filter(stat -> stat.type() != FileStat.Type.SOCKET);
    RawPath at = path.resolve(name);
    EntryName.checkLength(at);
    if (after.isPresent()) {
      refuseReserved(name, at);
      present(lower, before, upper, after.get(), name, at, frame);
    } else if (before.isPresent() && before.get().type() != FileStat.Type.SOCKET) {
      writeFolders(frame);
      out.entry(whiteout(path.resolve(WHITEOUT.concat(name))));
    }
  }

  /** Equal trees are long to read and nothing is written meanwhile that could fail. */
  private static void checkInterrupt() throws InterruptedIOException {
    if (Thread.currentThread().isInterrupted()) {
      throw new InterruptedIOException("interrupted");
    }
  }

  private static void refuseReserved(RawPath name, RawPath path) throws EntryException {
    if (name.startsWith(WHITEOUT)) {
      throw new EntryException(
          "\"" + path + "\" cannot be in a layer: names in .wh. mean removed files");
    }
  }

  private void present(
      Optional<Directory> lower,
      Optional<FileStat> before,
      Directory upper,
      FileStat after,
      RawPath name,
      RawPath path,
      Frame frame)
      throws IOException {
    boolean same =
        before.isPresent() && unchanged(lower.orElseThrow(), before.get(), upper, after, name);
    if (after.isDirectory()) {
      TarEntry entry =
          entry(
              TarEntry.Type.DIRECTORY,
              path.concat(RawPath.of("/")),
              after,
              Attributes.read(upper, name));
      Frame child = new Frame(Optional.of(frame), entry);
      if (!same) {
        writeFolders(child);
      }
      boolean both = before.isPresent() && before.get().isDirectory();
      try (Directory inUpper = upper.openChild(name)) {
        if (both) {
          try (Directory inLower = lower.orElseThrow().openChild(name)) {
            folders(Optional.of(inLower), inUpper, path, child);
          }
        } else {
          folders(Optional.empty(), inUpper, path, child);
        }
      }
    } else if (after.links() > 1) {
      linked(upper, after, name, path, frame, same);
    } else if (!same) {
      writeFolders(frame);
      file(upper, after, name, path);
    }
  }

  private void linked(
      Directory upper, FileStat stat, RawPath name, RawPath path, Frame frame, boolean same)
      throws IOException {
    Links known = links.computeIfAbsent(new FileId(stat.device(), stat.inode()), _ -> new Links());
    if (known.written.isPresent()) {
      writeFolders(frame);
      out.entry(link(path, known.written.get(), stat));
    } else if (same) {
      known.unchanged.add(new Unchanged(frame, path, stat));
    } else {
      writeFolders(frame);
      file(upper, stat, name, path);
      known.written = Optional.of(path);
      for (Unchanged earlier : known.unchanged) {
        writeFolders(earlier.folder());
        out.entry(link(earlier.path(), path, earlier.stat()));
      }
      known.unchanged.clear();
    }
  }

  /** Writes the folder and those that hold it, where that was not done yet. */
  private void writeFolders(Frame frame) throws IOException {
    if (!frame.written) {
      frame.written = true;
      if (frame.parent.isPresent()) {
        writeFolders(frame.parent.get());
      }
      out.entry(frame.entry);
    }
  }

  private boolean unchanged(
      Directory lower, FileStat before, Directory upper, FileStat after, RawPath name)
      throws IOException {
    if (before.device() == after.device()
        && before.inode() == after.inode()
        && before.changed().equals(after.changed())) {
      return true;
    }
    if (before.type() != after.type()
        || !sameOwner(before, after)
        || !sameAttributes(lower, name, upper, name)) {
      return false;
    }
    return switch (after.type()) {
      case DIRECTORY -> before.modified().equals(after.modified());
      case SYMLINK ->
          before.modified().equals(after.modified())
              && lower.readSymlink(name).equals(upper.readSymlink(name));
      case CHARACTER_DEVICE, BLOCK_DEVICE ->
          before.rdev() == after.rdev() && before.modified().equals(after.modified());
      case FIFO, SOCKET -> before.modified().equals(after.modified());
      case REGULAR -> sameFile(lower, before, upper, after, name);
    };
  }

  private static boolean sameOwner(FileStat one, FileStat two) {
    return one.mode() == two.mode() && one.uid() == two.uid() && one.gid() == two.gid();
  }

  private static boolean sameAttributes(
      Directory lower, RawPath lowerName, Directory upper, RawPath upperName) throws IOException {
    Map<RawPath, byte[]> one = Attributes.read(lower, lowerName);
    Map<RawPath, byte[]> two = Attributes.read(upper, upperName);
    return one.keySet().equals(two.keySet())
        && one.entrySet().stream()
            .allMatch(e -> Objects.deepEquals(e.getValue(), two.get(e.getKey())));
  }

  /**
   * Equal times to the nanosecond mean equal bytes. A time without a fraction may have been cut
   * off, by an archive or a file system, so that it proves nothing and the bytes are compared.
   */
  private boolean sameFile(
      Directory lower, FileStat before, Directory upper, FileStat after, RawPath name)
      throws IOException {
    if (before.size() != after.size() || !before.modified().equals(after.modified())) {
      return false;
    }
    boolean fraction = !after.modified().equals(after.modified().truncatedTo(SECONDS));
    return fraction || sameBytes(lower, upper, name, after.size());
  }

  private boolean sameBytes(Directory lower, Directory upper, RawPath name, long size)
      throws IOException {
    try (OpenFile one = lower.openFile(name);
        OpenFile two = upper.openFile(name)) {
      long at = 0;
      while (at < size) {
        fill(one, buffer, at);
        fill(two, other, at);
        if (!buffer.equals(other)) {
          return false;
        }
        if (!buffer.hasRemaining()) {
          return true;
        }
        at += buffer.remaining();
      }
      return true;
    }
  }

  private static void fill(OpenFile file, ByteBuffer into, long position) throws IOException {
    checkInterrupt();
    into.clear();
    long at = position;
    while (into.hasRemaining()) {
      int count = file.read(into, at);
      if (count < 0) {
        break;
      }
      at += count;
    }
    into.flip();
  }

  private void file(Directory upper, FileStat stat, RawPath name, RawPath path) throws IOException {
    Map<RawPath, byte[]> attributes = Attributes.read(upper, name);
    switch (stat.type()) {
      case REGULAR -> {
        try (OpenFile file = upper.openFile(name)) {
          out.entry(entry(TarEntry.Type.REGULAR, path, stat, attributes));
          copy(file, stat.size(), path);
        }
      }
      case SYMLINK ->
          out.entry(
              withLink(
                  entry(TarEntry.Type.SYMLINK, path, stat, attributes), upper.readSymlink(name)));
      case CHARACTER_DEVICE ->
          out.entry(entry(TarEntry.Type.CHARACTER_DEVICE, path, stat, attributes));
      case BLOCK_DEVICE -> out.entry(entry(TarEntry.Type.BLOCK_DEVICE, path, stat, attributes));
      case FIFO -> out.entry(entry(TarEntry.Type.FIFO, path, stat, attributes));
      case DIRECTORY, SOCKET -> throw new AssertionError(stat.type());
    }
  }

  private void copy(OpenFile file, long size, RawPath path) throws IOException {
    long at = 0;
    while (at < size) {
      checkInterrupt();
      buffer.clear().limit((int) Math.min(size - at, BUFFER));
      int count = file.read(buffer, at);
      if (count < 0) {
        throw new EntryException("\"" + path + "\" became shorter while it was read");
      }
      buffer.flip().get(heap, 0, count);
      out.body(heap, 0, count);
      at += count;
    }
  }

  private Instant clamped(Instant time) {
    return latest.filter(time::isAfter).orElse(time);
  }

  private TarEntry entry(
      TarEntry.Type type, RawPath path, FileStat stat, Map<RawPath, byte[]> attributes) {
    return new TarEntry(
        type,
        path,
        RawPath.EMPTY,
        stat.mode(),
        stat.uid(),
        stat.gid(),
        type == TarEntry.Type.REGULAR ? stat.size() : 0,
        clamped(stat.modified()),
        Optional.empty(),
        DeviceNumber.major(stat.rdev()),
        DeviceNumber.minor(stat.rdev()),
        attributes,
        Optional.empty());
  }

  private static TarEntry withLink(TarEntry entry, RawPath link) {
    return new TarEntry(
        entry.type(),
        entry.name(),
        link,
        entry.mode(),
        entry.uid(),
        entry.gid(),
        0,
        entry.modified(),
        Optional.empty(),
        0,
        0,
        entry.attributes(),
        Optional.empty());
  }

  private TarEntry link(RawPath path, RawPath target, FileStat stat) {
    return withLink(entry(TarEntry.Type.HARD_LINK, path, stat, Map.of()), target);
  }

  private TarEntry whiteout(RawPath path) {
    return new TarEntry(
        TarEntry.Type.REGULAR,
        path,
        RawPath.EMPTY,
        0,
        0,
        0,
        0,
        latest.orElse(Instant.EPOCH),
        Optional.empty(),
        0,
        0,
        Map.of(),
        Optional.empty());
  }
}
