package io.jcontainerd.snapshots.manifest;

import io.jcontainerd.core.RawPath;
import io.jcontainerd.core.check.Damage;
import io.jcontainerd.core.check.Pace;
import io.jcontainerd.core.check.TreeDamage;
import io.jcontainerd.core.ports.FileStat;
import io.jcontainerd.linux.Directory;
import io.jcontainerd.linux.Errno;
import io.jcontainerd.linux.ErrnoException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Puts a tree right. Whatever is new is made beside, complete with owner, attributes, mode and
 * time, and gets its place by a rename, so that nobody ever sees half of it; what is as it should
 * be is not touched. A file's bytes come from the same layer unpacked anew; everything else from
 * the manifest alone. It may be cut short anywhere, and the next try goes on. For one thread.
 */
public final class Healing implements AutoCloseable {
  private static final int ROUNDS = 6;
  private static final RawPath MADE = RawPath.of("made");

  /** Unpacks the layer anew. */
  @FunctionalInterface
  public interface Fresh {
    /** The folder that holds the layer's tree, on the same file system; empty if there is none. */
    Optional<Path> tree() throws IOException;
  }

  private final TreeManifest manifest;
  private final Fresh fresh;
  private final Directory beside;
  private final FileReading reading = new FileReading(Pace.FULL);
  private boolean asked;
  private @Nullable Directory freshTop;
  private @Nullable Directory top;

  private Healing(TreeManifest manifest, Directory beside, Fresh fresh) {
    this.manifest = manifest;
    this.beside = beside;
    this.fresh = fresh;
  }

  /**
   * Puts the tree right.
   *
   * @param beside an empty folder on the same file system, which the caller removes
   * @return what is still wrong
   */
  public static List<TreeDamage> run(TreeManifest manifest, Path beside, Fresh fresh)
      throws IOException, InterruptedException {
    try (Healing healing = new Healing(manifest, Directory.open(beside), fresh)) {
      return healing.run();
    }
  }

  private List<TreeDamage> run() throws IOException, InterruptedException {
    List<Wrong> wrongs = manifest.wrongs(true);
    Set<RawPath> given = new HashSet<>();
    for (int round = 0; round < ROUNDS && !wrongs.isEmpty(); round++) {
      for (Wrong wrong : wrongs) {
        if (!right(wrong)) {
          given.add(wrong.path());
        }
      }
      List<Wrong> unread = wrongs.stream().filter(w -> given.contains(w.path())).toList();
      wrongs = new ArrayList<>(manifest.wrongs(false));
      for (Wrong wrong : unread) {
        if (wrong.damage() == Damage.CONTENT) {
          wrongs.add(wrong); // which only reading shows
        }
      }
    }
    return wrongs.stream().filter(wrong -> !wrong.below()).map(Wrong::told).toList();
  }

  /** Puts one name right; false if that is impossible. */
  private boolean right(Wrong wrong) throws IOException, InterruptedException {
    if (wrong.path().isEmpty() && wrong.damage() == Damage.MISSING) {
      makeTop();
    }
    Directory opened = parent(wrong.path());
    if (opened == null) {
      return false;
    }
    try {
      return right(wrong, opened);
    } finally {
      if (opened != top) {
        opened.close();
      }
    }
  }

  private boolean right(Wrong wrong, Directory parent) throws IOException, InterruptedException {
    RawPath name = wrong.path().name();
    Entry expected = wrong.expected();
    if (expected == null) {
      parent.removeTree(name);
      return true;
    }
    if (wrong.path().isEmpty()) {
      dress(parent, RawPath.EMPTY, expected);
      return true;
    }
    if (expected.first().isPresent()) {
      return link(wrong, parent, name);
    }
    return switch (wrong.damage()) {
      case MODE, OWNER, ATTRIBUTES, TIME -> {
        dress(parent, name, expected);
        yield true;
      }
      default -> make(wrong.path(), parent, name, expected);
    };
  }

  private boolean link(Wrong wrong, Directory parent, RawPath name) throws ErrnoException {
    Directory holder = parent(wrong.original());
    if (holder == null || wrong.original().isEmpty()) {
      return false;
    }
    try {
      if (holder.find(wrong.original().name()).isEmpty()) {
        return false;
      }
      clearMade();
      beside.makeLink(MADE, holder, wrong.original().name());
      place(parent, name, false);
      return true;
    } finally {
      if (holder != top) {
        holder.close();
      }
    }
  }

  private boolean make(RawPath path, Directory parent, RawPath name, Entry expected)
      throws IOException, InterruptedException {
    clearMade();
    switch (expected.type()) {
      case DIRECTORY -> beside.makeDirectory(MADE, 0700);
      case SYMLINK -> beside.makeSymlink(MADE, expected.target());
      case CHARACTER_DEVICE, BLOCK_DEVICE, FIFO, SOCKET ->
          beside.makeNode(MADE, expected.type(), 0600, expected.device());
      case REGULAR -> {
        if (expected.size() == 0) {
          beside.createFile(MADE, 0600).close();
        } else if (!takeFresh(path, expected)) {
          return false;
        }
      }
    }
    dress(beside, MADE, expected);
    place(parent, name, expected.isDirectory());
    return true;
  }

  /** Brings the file of that path from the layer that was unpacked anew. */
  private boolean takeFresh(RawPath path, Entry expected) throws IOException, InterruptedException {
    Directory tree = freshTop();
    Directory holder = tree == null ? null : descend(tree, path.parent());
    if (holder == null) {
      return false;
    }
    try {
      Optional<FileStat> there = holder.find(path.name());
      boolean good =
          there.isPresent()
              && there.get().type() == FileStat.Type.REGULAR
              && there.get().size() == expected.size()
              && (expected.sum().isEmpty()
                  || reading.sum(holder, path.name()) == expected.sum().getAsLong());
      if (good) {
        holder.rename(path.name(), beside, MADE);
      }
      return good;
    } finally {
      if (holder != tree) {
        holder.close();
      }
    }
  }

  private void clearMade() throws ErrnoException {
    if (beside.find(MADE).isPresent()) {
      beside.removeTree(MADE);
    }
  }

  /** Gives what was made its place; a folder's place must be free, a file may not replace one. */
  private void place(Directory parent, RawPath name, boolean directory) throws ErrnoException {
    Optional<FileStat> there = parent.find(name);
    if (there.isPresent() && (directory || there.get().isDirectory())) {
      parent.removeTree(name);
    }
    beside.rename(MADE, parent, name);
  }

  /** Owner, attributes, mode and times; in this order, for each may undo what precedes it. */
  private static void dress(Directory folder, RawPath name, Entry expected) throws ErrnoException {
    if (name.isEmpty()) {
      folder.setOwner(expected.uid(), expected.gid());
    } else {
      folder.setOwner(name, expected.uid(), expected.gid());
    }
    Map<RawPath, byte[]> found = Carried.read(folder, name);
    for (RawPath attribute : found.keySet()) {
      if (!expected.attributes().containsKey(attribute)) {
        folder.removeAttribute(name, attribute);
      }
    }
    for (Map.Entry<RawPath, byte[]> attribute : expected.attributes().entrySet()) {
      byte[] value = found.get(attribute.getKey());
      if (value == null || !Arrays.equals(value, attribute.getValue())) {
        folder.setAttribute(name, attribute.getKey(), attribute.getValue());
      }
    }
    if (name.isEmpty()) {
      folder.setMode(expected.mode());
      folder.setTimes(expected.modified(), expected.modified());
      return;
    }
    if (expected.type() != FileStat.Type.SYMLINK) {
      folder.setMode(name, expected.mode());
    }
    folder.setTimes(name, expected.modified(), expected.modified());
  }

  private void makeTop() throws IOException {
    Path folder = manifest.top();
    if (Files.exists(folder, LinkOption.NOFOLLOW_LINKS)) {
      Files.delete(folder);
    }
    Path above = folder.getParent();
    if (above != null && !Files.exists(above)) {
      Files.createDirectory(
          above,
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    }
    Files.createDirectory(folder);
  }

  /** The folder that holds the path, open; null if it is not there. The top stays open. */
  private @Nullable Directory parent(RawPath path) throws ErrnoException {
    Directory from = top;
    if (from == null) {
      from = Directory.open(manifest.top());
      top = from;
    }
    return descend(from, path.parent());
  }

  private static @Nullable Directory descend(Directory from, RawPath path) throws ErrnoException {
    Directory here = from;
    int start = 0;
    for (int i = 0; i <= path.length() && !path.isEmpty(); i++) {
      if (i == path.length() || path.byteAt(i) == '/') {
        Directory child;
        try {
          child = here.openChild(path.slice(start, i));
        } catch (ErrnoException e) {
          if (e.is(Errno.ENOENT, Errno.ENOTDIR, Errno.ELOOP)) {
            return null;
          }
          throw e;
        } finally {
          if (here != from) {
            here.close();
          }
        }
        here = child;
        start = i + 1;
      }
    }
    return here;
  }

  private @Nullable Directory freshTop() throws IOException {
    if (!asked) {
      asked = true;
      Optional<Path> tree = fresh.tree();
      if (tree.isPresent()) {
        freshTop = Directory.open(tree.get());
      }
    }
    return freshTop;
  }

  @Override
  public void close() throws ErrnoException {
    Directory unpacked = freshTop;
    Directory healed = top;
    freshTop = null;
    top = null;
    try {
      if (unpacked != null) {
        unpacked.close();
      }
      if (healed != null) {
        healed.close();
      }
    } finally {
      beside.close();
    }
  }
}
