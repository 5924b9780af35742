package io.jcontainerd.snapshots.manifest;

import io.jcontainerd.core.RawPath;
import io.jcontainerd.core.check.Damage;
import io.jcontainerd.core.check.Pace;
import io.jcontainerd.core.ports.FileStat;
import io.jcontainerd.linux.Directory;
import io.jcontainerd.linux.Errno;
import io.jcontainerd.linux.ErrnoException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Compares a tree with its manifest, both read once in the same order. What stands in one and not
 * in the other is seen by the order of the names.
 */
final class Comparison {
  private final TreeWalk walk;
  private final ManifestReader reader;
  private final @Nullable FileReading reading;
  private final Consumer<Wrong> each;
  private final List<RawPath> way = new ArrayList<>();
  private final Map<Long, First> firsts = new HashMap<>();
  private long number = -1;
  private long missingAbove = Long.MAX_VALUE;

  /** The first name of a file that has several. */
  private record First(RawPath path, Optional<FileStat> found) {}

  private Comparison(
      TreeWalk walk, ManifestReader reader, @Nullable FileReading reading, Consumer<Wrong> each) {
    this.walk = walk;
    this.reader = reader;
    this.reading = reading;
    this.each = each;
  }

  /**
   * Compares.
   *
   * @param top the folder, which is closed
   * @return how many names the manifest has
   */
  static long of(
      Directory top, ManifestReader reader, boolean deep, Pace pace, Consumer<Wrong> each)
      throws IOException, InterruptedException {
    try (TreeWalk walk = new TreeWalk(top)) {
      Comparison comparison =
          new Comparison(walk, reader, deep ? new FileReading(pace) : null, each);
      comparison.run(pace);
      return comparison.number + 1;
    }
  }

  private void run(Pace pace) throws IOException, InterruptedException {
    Entry expected = next();
    boolean found = walk.next();
    while (expected != null || found) {
      int order = order(expected, found);
      if (expected == null || order > 0) {
        each.accept(
            new Wrong(walk.path(), Damage.EXTRA, kind(walk.stat()), null, RawPath.EMPTY, false));
        walk.skip();
        found = walk.next();
      } else if (order < 0) {
        missing(expected);
        expected = next();
      } else {
        compare(expected);
        expected = next();
        found = walk.next();
        pace.read(0);
      }
    }
  }

  /** Below 0 if the expected name comes first, above 0 if the found one does. */
  private int order(@Nullable Entry expected, boolean found) {
    if (expected == null) {
      return 1;
    }
    if (!found || expected.depth() > walk.depth()) {
      return -1;
    }
    if (expected.depth() < walk.depth()) {
      return 1;
    }
    return expected.name().compareTo(walk.name());
  }

  private @Nullable Entry next() throws IOException {
    Entry entry = reader.next();
    if (entry == null) {
      return null;
    }
    number++;
    if (entry.depth() > way.size()) {
      throw new ManifestFormatException("an entry without the folder it is in");
    }
    while (way.size() > entry.depth()) {
      way.removeLast();
    }
    way.add(entry.name());
    if (entry.depth() <= missingAbove) {
      missingAbove = Long.MAX_VALUE;
    }
    return entry;
  }

  private RawPath path() {
    RawPath path = RawPath.EMPTY;
    for (RawPath name : way.subList(1, way.size())) {
      path = path.resolve(name);
    }
    return path;
  }

  private void missing(Entry expected) {
    boolean below = missingAbove != Long.MAX_VALUE;
    if (expected.isDirectory() && !below) {
      missingAbove = expected.depth();
    }
    if (expected.linked() && expected.first().isEmpty()) {
      firsts.put(number, new First(path(), Optional.empty()));
    }
    RawPath original =
        expected.first().isPresent() ? original(expected.first().getAsLong()) : RawPath.EMPTY;
    each.accept(new Wrong(path(), Damage.MISSING, "", expected, original, below));
  }

  private RawPath original(long first) {
    First known = firsts.get(first);
    return known == null ? RawPath.EMPTY : known.path();
  }

  private void compare(Entry expected) throws IOException, InterruptedException {
    FileStat found = walk.stat();
    if (expected.first().isPresent()) {
      compareLink(expected, found);
      return;
    }
    if (expected.linked()) {
      firsts.put(number, new First(path(), Optional.of(found)));
    }
    if (expected.type() != found.type()) {
      wrong(expected, Damage.TYPE, kind(expected.type()) + " became " + kind(found));
      walk.skip();
      if (expected.isDirectory()) {
        missingAbove = expected.depth();
      }
      return;
    }
    compareBytes(expected, found);
    if (expected.type() != FileStat.Type.SYMLINK && expected.mode() != found.mode()) {
      wrong(expected, Damage.MODE, "%04o became %04o".formatted(expected.mode(), found.mode()));
    }
    if (expected.uid() != found.uid() || expected.gid() != found.gid()) {
      wrong(
          expected,
          Damage.OWNER,
          "%d:%d became %d:%d".formatted(expected.uid(), expected.gid(), found.uid(), found.gid()));
    }
    compareAttributes(expected);
    if (!expected.modified().equals(found.modified())) {
      wrong(expected, Damage.TIME, expected.modified() + " became " + found.modified());
    }
  }

  private void compareLink(Entry expected, FileStat found) {
    First first = firsts.get(expected.first().orElseThrow());
    boolean same =
        first != null
            && first.found().isPresent()
            && first.found().get().inode() == found.inode()
            && first.found().get().device() == found.device();
    if (!same) {
      RawPath original = first == null ? RawPath.EMPTY : first.path();
      each.accept(
          new Wrong(
              path(),
              Damage.LINK,
              "no longer the same file as " + original,
              expected,
              original,
              false));
      if (found.isDirectory()) {
        walk.skip();
      }
    }
  }

  private void compareBytes(Entry expected, FileStat found)
      throws IOException, InterruptedException {
    switch (expected.type()) {
      case REGULAR -> {
        if (expected.size() != found.size()) {
          wrong(
              expected, Damage.SIZE, "%d bytes became %d".formatted(expected.size(), found.size()));
        } else if (reading != null && expected.sum().isPresent()) {
          compareSum(expected, reading);
        }
      }
      case SYMLINK -> {
        RawPath target = walk.folder().readSymlink(walk.name());
        if (!expected.target().equals(target)) {
          wrong(expected, Damage.TARGET, expected.target() + " became " + target);
        }
      }
      case CHARACTER_DEVICE, BLOCK_DEVICE -> {
        if (expected.device() != found.rdev()) {
          wrong(expected, Damage.DEVICE, "%x became %x".formatted(expected.device(), found.rdev()));
        }
      }
      case DIRECTORY, FIFO, SOCKET -> {}
    }
  }

  private void compareSum(Entry expected, FileReading reader)
      throws IOException, InterruptedException {
    try {
      if (reader.sum(walk.folder(), walk.name()) != expected.sum().getAsLong()) {
        wrong(expected, Damage.CONTENT, "");
      }
    } catch (ErrnoException e) {
      if (!e.is(Errno.EIO, Errno.EUCLEAN, Errno.EBADMSG)) {
        throw e;
      }
      wrong(expected, Damage.CONTENT, "the disk cannot read it");
    }
  }

  private void compareAttributes(Entry expected) throws ErrnoException {
    Map<RawPath, byte[]> found = Carried.read(walk.folder(), walk.name());
    if (expected.attributes().isEmpty() && found.isEmpty()) {
      return;
    }
    for (Map.Entry<RawPath, byte[]> attribute : expected.attributes().entrySet()) {
      byte[] value = found.remove(attribute.getKey());
      if (value == null || !Arrays.equals(value, attribute.getValue())) {
        wrong(
            expected,
            Damage.ATTRIBUTES,
            attribute.getKey() + (value == null ? " is gone" : " differs"));
        return;
      }
    }
    if (!found.isEmpty()) {
      wrong(expected, Damage.ATTRIBUTES, found.keySet().iterator().next() + " is extra");
    }
  }

  private void wrong(Entry expected, Damage damage, String detail) {
    each.accept(new Wrong(path(), damage, detail, expected, RawPath.EMPTY, false));
  }

  private static String kind(FileStat stat) {
    return kind(stat.type());
  }

  private static String kind(FileStat.Type type) {
    return switch (type) {
      case REGULAR -> "a file";
      case DIRECTORY -> "a folder";
      case SYMLINK -> "a symbolic link";
      case CHARACTER_DEVICE -> "a character device";
      case BLOCK_DEVICE -> "a block device";
      case FIFO -> "a FIFO";
      case SOCKET -> "a socket";
    };
  }
}
