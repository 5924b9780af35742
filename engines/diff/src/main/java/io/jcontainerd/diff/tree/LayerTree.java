package io.jcontainerd.diff.tree;

import io.jcontainerd.core.RawPath;
import io.jcontainerd.core.ports.FileStat;
import io.jcontainerd.linux.Directory;
import io.jcontainerd.linux.Errno;
import io.jcontainerd.linux.ErrnoException;
import io.jcontainerd.linux.OpenFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The tree that a layer goes into: a plain folder, or the upper folder of an overlay together with
 * what is seen below it.
 *
 * <p>Paths are walked one component at a time through open folders, never followed by the kernel,
 * so that no link can lead outside: {@code ..} in a link stops at the root, and an absolute link
 * counts from it. In an overlay the walk sees what a mount would show; a folder that only a lower
 * layer has is made in the upper one with the lower one's owner, mode, attributes and time when
 * something is put into it.
 *
 * <p>Folders stay open between calls, up to a limit. For one thread.
 */
final class LayerTree implements AutoCloseable {
  private static final int MOST_OPEN = 256;
  private static final int MOST_ASKED = 4096;
  private static final int MOST_LINKS = 40;

  private final Optional<Overlay> overlay;
  private final boolean blind;
  private final Folder root;
  private final List<Directory> lowers = new ArrayList<>();
  private final Map<RawPath, Folder> open = new HashMap<>();
  private final Map<RawPath, Folder> asked = new HashMap<>();

  private final FolderTimes times = new FolderTimes();

  private LayerTree(Optional<Overlay> overlay, boolean blind, Directory root) {
    this.overlay = overlay;
    this.blind = blind;
    this.root = new Folder(RawPath.EMPTY, Optional.empty(), root);
  }

  static LayerTree plain(Path root) throws ErrnoException {
    return new LayerTree(Optional.empty(), false, Directory.open(root));
  }

  /**
   * The upper folder of an overlay.
   *
   * @param blind whether there will be lower folders that cannot be seen yet: whatever depends on
   *     them fails with {@link MissingBelowException}
   */
  static LayerTree of(Overlay overlay, boolean blind) throws ErrnoException {
    LayerTree tree = new LayerTree(Optional.of(overlay), blind, Directory.open(overlay.upper()));
    try {
      for (Path lower : overlay.lowers()) {
        tree.lowers.add(Directory.open(lower));
      }
      return tree;
    } catch (ErrnoException e) {
      try {
        tree.close();
      } catch (ErrnoException second) {
        e.addSuppressed(second);
      }
      throw e;
    }
  }

  Optional<Overlay> overlay() {
    return overlay;
  }

  Folder root() {
    return root;
  }

  /** What folders must have in the end, those made on the way included. */
  FolderTimes times() {
    return times;
  }

  /**
   * The folder of that path, made with its parents where it is missing.
   *
   * @throws EntryException if something else than a folder is in the way
   */
  Folder folder(List<RawPath> components) throws IOException {
    return walk(components, true).orElseThrow();
  }

  /** The folder of that path in the place where changes go, if all of it can be seen. */
  Optional<Folder> find(List<RawPath> components) throws IOException {
    return walk(components, false);
  }

  private Optional<Folder> walk(List<RawPath> components, boolean make) throws IOException {
    RawPath request = EntryName.join(components);
    Folder known = request.isEmpty() ? root : asked.get(request);
    if (known != null) {
      return Optional.of(known);
    }
    if (open.size() >= MOST_OPEN || asked.size() >= MOST_ASKED) {
      forget();
    }
    Deque<RawPath> ahead = new ArrayDeque<>(components);
    Folder here = root;
    int links = 0;
    while (!ahead.isEmpty()) {
      RawPath name = ahead.remove();
      if (EntryName.isDotDot(name)) {
        here = here.parent.orElse(root);
        continue;
      }
      RawPath path = here.path.resolve(name);
      EntryName.checkLength(path);
      Folder child = open.get(path);
      if (child == null) {
        Step step = step(here, name, path, make);
        if (step.link().isPresent()) {
          links++;
          if (links > MOST_LINKS) {
            throw new EntryException("too many links on the way to \"" + request.shown() + "\"");
          }
          RawPath target = step.link().get();
          EntryName.split(target).reversed().forEach(ahead::addFirst);
          here = !target.isEmpty() && target.byteAt(0) == '/' ? root : here;
          continue;
        }
        if (step.folder().isEmpty()) {
          return Optional.empty();
        }
        child = step.folder().get();
      }
      here = child;
    }
    asked.put(request, here);
    return Optional.of(here);
  }

  /** Either a folder, or a link to follow, or neither if there is nothing. */
  private record Step(Optional<Folder> folder, Optional<RawPath> link) {
    static final Step NOTHING = new Step(Optional.empty(), Optional.empty());

    static Step into(Folder folder) {
      return new Step(Optional.of(folder), Optional.empty());
    }

    static Step along(RawPath link) {
      return new Step(Optional.empty(), Optional.of(link));
    }
  }

  private Step step(Folder here, RawPath name, RawPath path, boolean make) throws IOException {
    try {
      return Step.into(remember(new Folder(path, Optional.of(here), here.handle.openChild(name))));
    } catch (ErrnoException e) {
      if (e.is(Errno.ENOENT)) {
        return below(here, name, path, make);
      }
      if (!e.is(Errno.ENOTDIR, Errno.ELOOP)) {
        throw e;
      }
    }
    FileStat stat = here.handle.status(name);
    if (stat.type() == FileStat.Type.SYMLINK) {
      return Step.along(here.handle.readSymlink(name));
    }
    if (overlay.isPresent() && Overlay.isWhiteout(stat)) {
      if (!make) {
        return Step.NOTHING;
      }
      here.handle.unlink(name);
      Folder made = made(here, name, path, 0755);
      hideLower(made);
      return Step.into(made);
    }
    if (make) {
      throw new EntryException(
          "\"" + path.shown() + "\" is not a folder, but entries are below it");
    }
    return Step.NOTHING;
  }

  /** Fails if what the lower folders have under the path cannot be known. */
  void checkSeen(RawPath path) throws MissingBelowException {
    if (blind) {
      throw new MissingBelowException(
          "\"" + path.shown() + "\" is not in the layer itself, and what is below cannot be seen");
    }
  }

  /** The name is not in the upper folder: the lower ones decide. */
  private Step below(Folder here, RawPath name, RawPath path, boolean make) throws IOException {
    checkSeen(path);
    Optional<Lower> lower = lower(here, name);
    if (lower.isPresent()) {
      switch (lower.get().stat().type()) {
        case SYMLINK -> {
          try (Directory folder = lower.get().open(here.path)) {
            return Step.along(folder.readSymlink(name));
          }
        }
        case DIRECTORY -> {
          return Step.into(copyFolder(here, name, path, lower.get()));
        }
        default -> {
          if (make) {
            throw new EntryException(
                "\"" + path.shown() + "\" is not a folder, but entries are below it");
          }
          return Step.NOTHING;
        }
      }
    }
    return make ? Step.into(made(here, name, path, 0755)) : Step.NOTHING;
  }

  private Folder made(Folder here, RawPath name, RawPath path, int mode) throws ErrnoException {
    here.handle.makeDirectory(name, 0700);
    Folder folder = new Folder(path, Optional.of(here), here.handle.openChild(name));
    remember(folder);
    folder.handle.setMode(mode);
    return folder;
  }

  private Folder copyFolder(Folder here, RawPath name, RawPath path, Lower lower)
      throws IOException {
    Folder folder = made(here, name, path, 0700);
    try (Directory from = lower.open(path)) {
      folder.handle.setOwner(lower.stat().uid(), lower.stat().gid());
      copyAttributes(from, RawPath.EMPTY, folder.handle, RawPath.EMPTY);
      folder.handle.setMode(lower.stat().mode());
    }
    times.put(path, lower.stat().modified(), lower.stat().modified());
    return folder;
  }

  private static void copyAttributes(Directory from, RawPath fromName, Directory to, RawPath toName)
      throws ErrnoException {
    for (RawPath attribute : from.attributes(fromName)) {
      if (!Overlay.isReserved(attribute)) {
        Optional<byte[]> value = from.attribute(fromName, attribute);
        if (value.isPresent()) {
          to.setAttribute(toName, attribute, value.get());
        }
      }
    }
  }

  private Folder remember(Folder folder) {
    open.put(folder.path, folder);
    return folder;
  }

  /** Hides what lower layers have below the folder; nothing to do in a plain tree. */
  void hideLower(Folder folder) throws ErrnoException {
    if (overlay.isPresent()) {
      folder.handle.setAttribute(RawPath.EMPTY, overlay.get().opaqueAttribute(), new byte[] {'y'});
      folder.opaque = true;
      folder.lowers = List.of();
    }
  }

  /** The folder of that name, which must be in the place where changes go. */
  Folder child(Folder folder, RawPath name) throws ErrnoException {
    RawPath path = folder.path.resolve(name);
    Folder known = open.get(path);
    return known != null
        ? known
        : remember(new Folder(path, Optional.of(folder), folder.handle.openChild(name)));
  }

  /** The same folder, open although others may have been closed to make room since. */
  Folder reopened(Folder folder) throws IOException {
    return folder == root || open.get(folder.path) == folder
        ? folder
        : folder(EntryName.split(folder.path));
  }

  /** A name was removed or replaced: what was known of paths through it may be wrong now. */
  void forgetBelow(RawPath path) throws ErrnoException {
    asked.clear();
    Folder gone = open.remove(path);
    if (gone != null) {
      gone.handle.close();
    }
    RawPath prefix = path.concat(RawPath.of("/"));
    for (Folder folder : List.copyOf(open.values())) {
      if (folder.path.startsWith(prefix)) {
        open.remove(folder.path);
        folder.handle.close();
      }
    }
  }

  /** Closes all folders but the root; paths are walked anew. */
  void forget() throws ErrnoException {
    asked.clear();
    ErrnoException failure = null;
    for (Folder folder : open.values()) {
      try {
        folder.handle.close();
      } catch (ErrnoException e) {
        failure = e;
      }
    }
    open.clear();
    if (failure != null) {
      throw failure;
    }
  }

  private record Lower(Directory layer, FileStat stat) {
    /** The folder of that path in the layer. */
    Directory open(RawPath path) throws ErrnoException {
      return layer.openInRoot(path);
    }
  }

  /** What the lower folders show under the name, the topmost one that has it deciding. */
  private Optional<Lower> lower(Folder here, RawPath name) throws ErrnoException {
    RawPath path = here.path.resolve(name);
    for (int index : lowersOf(here)) {
      Optional<FileStat> stat = lowers.get(index).find(path);
      if (stat.isPresent()) {
        return Overlay.isWhiteout(stat.get())
            ? Optional.empty()
            : Optional.of(new Lower(lowers.get(index), stat.get()));
      }
    }
    return Optional.empty();
  }

  /** The lower layers that have a folder there which is not hidden by one above. */
  private List<Integer> lowersOf(Folder folder) throws ErrnoException {
    List<Integer> known = folder.lowers;
    if (known != null) {
      return known;
    }
    List<Integer> seen = new ArrayList<>();
    if (folder.parent.isEmpty()) {
      for (int i = 0; i < lowers.size(); i++) {
        seen.add(i);
      }
    } else if (overlay.isPresent() && !isOpaque(folder)) {
      for (int index : lowersOf(folder.parent.get())) {
        Optional<FileStat> stat = lowers.get(index).find(folder.path);
        if (stat.isEmpty()) {
          continue;
        }
        if (!stat.get().isDirectory()) {
          break;
        }
        seen.add(index);
        if (isOpaque(lowers.get(index), folder.path)) {
          break;
        }
      }
    }
    folder.lowers = seen;
    return seen;
  }

  private boolean isOpaque(Folder folder) throws ErrnoException {
    return folder.opaque || isOpaque(folder.handle, RawPath.EMPTY);
  }

  private boolean isOpaque(Directory in, RawPath name) throws ErrnoException {
    Optional<byte[]> value = in.attribute(name, overlay.orElseThrow().opaqueAttribute());
    return value.isPresent() && value.get().length == 1 && value.get()[0] == 'y';
  }

  /**
   * Brings a file that only a lower layer has into the upper folder, so that it can be linked to.
   *
   * @return whether there was one
   */
  boolean copyUp(Folder folder, RawPath name) throws IOException {
    checkSeen(folder.path.resolve(name));
    Optional<Lower> found = lower(folder, name);
    if (found.isEmpty()) {
      return false;
    }
    FileStat stat = found.get().stat();
    try (Directory from = found.get().open(folder.path)) {
      switch (stat.type()) {
        case REGULAR -> {
          try (OpenFile source = from.openFile(name);
              OpenFile copy = folder.handle.createFile(name, 0600)) {
            copy.copyFrom(source);
          }
        }
        case SYMLINK -> folder.handle.makeSymlink(name, from.readSymlink(name));
        case DIRECTORY -> {
          return false;
        }
        case CHARACTER_DEVICE, BLOCK_DEVICE, FIFO, SOCKET ->
            folder.handle.makeNode(name, stat.type(), 0600, stat.rdev());
      }
      folder.handle.setOwner(name, stat.uid(), stat.gid());
      copyAttributes(from, name, folder.handle, name);
      if (stat.type() != FileStat.Type.SYMLINK) {
        folder.handle.setMode(name, stat.mode());
      }
      folder.handle.setTimes(name, stat.modified(), stat.modified());
      return true;
    }
  }

  @Override
  public void close() throws ErrnoException {
    try {
      forget();
    } finally {
      for (Directory lower : lowers) {
        lower.close();
      }
      root.handle.close();
    }
  }
}
