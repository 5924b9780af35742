package io.jcontainerd.snapshots.manifest;

import io.jcontainerd.core.RawPath;
import io.jcontainerd.core.check.Damage;
import io.jcontainerd.core.check.Pace;
import io.jcontainerd.core.check.TreeDamage;
import io.jcontainerd.core.ports.DamagedFileException;
import io.jcontainerd.linux.Directory;
import io.jcontainerd.linux.Errno;
import io.jcontainerd.linux.ErrnoException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A manifest that is kept somewhere, and the tree that it is of. For one thread. */
public final class TreeManifest {
  /** Opens what is kept. */
  @FunctionalInterface
  public interface Source {
    /** The manifest from its beginning. */
    InputStream open() throws IOException;
  }

  private final Path top;
  private final Source source;
  private final long sum;

  /**
   * @param top the tree's folder
   * @param source of the manifest
   * @param sum that its bytes must have
   */
  public TreeManifest(Path top, Source source, long sum) {
    this.top = top;
    this.source = source;
    this.sum = sum;
  }

  /**
   * Whether the manifest is there and as it was written.
   *
   * @throws IOException if that cannot be found out now
   */
  public boolean intact() throws IOException {
    try (InputStream in = source.open()) {
      return ManifestReader.sum(in) == sum;
    } catch (NoSuchFileException | DamagedFileException | ManifestFormatException _) {
      return false;
    }
  }

  /**
   * Compares the tree.
   *
   * @return how many names were compared
   * @throws ManifestFormatException if the manifest is not as it was written
   */
  public long check(boolean deep, Pace pace, Consumer<TreeDamage> each)
      throws IOException, InterruptedException {
    return compare(
        deep,
        pace,
        wrong -> {
          if (!wrong.below()) {
            each.accept(wrong.told());
          }
        });
  }

  /** Compares, and tells what is below a missing folder, too. */
  List<Wrong> wrongs(boolean deep) throws IOException, InterruptedException {
    List<Wrong> all = new ArrayList<>();
    compare(deep, Pace.FULL, all::add);
    return all;
  }

  private long compare(boolean deep, Pace pace, Consumer<Wrong> each)
      throws IOException, InterruptedException {
    if (!intact()) {
      throw new ManifestFormatException("the record of the layer is damaged or gone");
    }
    Directory opened = open();
    if (opened == null) {
      try (InputStream in = source.open()) {
        return allMissing(new ManifestReader(in), each);
      }
    }
    try (Directory folder = opened;
        InputStream in = source.open()) {
      return Comparison.of(folder, new ManifestReader(in), deep, pace, each);
    }
  }

  private @Nullable Directory open() throws ErrnoException {
    try {
      return Directory.open(top);
    } catch (ErrnoException e) {
      if (e.is(Errno.ENOENT, Errno.ENOTDIR)) {
        return null;
      }
      throw e;
    }
  }

  private static long allMissing(ManifestReader reader, Consumer<Wrong> each) throws IOException {
    long count = 0;
    List<RawPath> way = new ArrayList<>();
    List<RawPath> paths = new ArrayList<>();
    for (Entry entry = reader.next(); entry != null; entry = reader.next()) {
      while (way.size() > entry.depth()) {
        way.removeLast();
      }
      way.add(way.isEmpty() ? RawPath.EMPTY : way.getLast().resolve(entry.name()));
      RawPath path = way.getLast();
      boolean further = entry.first().isPresent();
      RawPath original = further ? paths.get((int) entry.first().getAsLong()) : RawPath.EMPTY;
      paths.add(path);
      String detail = count == 0 ? "the folder of the layer is gone" : "";
      each.accept(new Wrong(path, Damage.MISSING, detail, entry, original, count > 0));
      count++;
    }
    return count;
  }

  /** The tree's folder. */
  Path top() {
    return top;
  }
}
