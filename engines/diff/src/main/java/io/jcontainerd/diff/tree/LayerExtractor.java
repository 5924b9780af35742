package io.jcontainerd.diff.tree;

import io.jcontainerd.core.RawPath;
import io.jcontainerd.core.check.FileSum;
import io.jcontainerd.core.ports.FileStat;
import io.jcontainerd.linux.DeviceNumber;
import io.jcontainerd.linux.Directory;
import io.jcontainerd.linux.Errno;
import io.jcontainerd.linux.ErrnoException;
import io.jcontainerd.linux.OpenFile;
import io.jcontainerd.oci.tar.TarEntry;
import io.jcontainerd.oci.tar.TarReader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * Puts the entries of a layer (OCI image-spec, "Image Layer Filesystem Changeset") into a tree.
 *
 * <p>What an entry replaces is removed first, except that a folder keeps what is in it. A whiteout
 * takes away only what lower layers brought, never what this layer put there, wherever it stands in
 * the archive. Owners are set before modes, since the kernel clears the setuid bits; folders get
 * their times at the end, when nothing is put into them any more. For one thread.
 */
public final class LayerExtractor implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger(LayerExtractor.class.getName());
  private static final RawPath USER = RawPath.of("user.");
  private static final RawPath WHITEOUT = RawPath.of(".wh.");
  private static final RawPath META = RawPath.of(".wh..wh.");
  private static final RawPath OPAQUE = RawPath.of(".wh..wh..opq");

  private final LayerTree tree;
  private boolean ownRoot;
  private final boolean makeDevices;
  private final PathSet unpacked = new PathSet();
  private boolean attributesRefused;
  private @Nullable SumTable sums;

  private record Times(Instant accessed, Instant modified) {}

  private LayerExtractor(LayerTree tree, boolean makeDevices) {
    this.tree = tree;
    this.makeDevices = makeDevices;
  }

  /**
   * An extractor into a folder.
   *
   * @param makeDevices whether device nodes are made; in a user namespace the kernel forbids them
   */
  public static LayerExtractor into(Path root, boolean makeDevices) throws IOException {
    return new LayerExtractor(LayerTree.plain(root), makeDevices);
  }

  /** An extractor into the upper folder of an overlay that is not mounted. */
  public static LayerExtractor into(Overlay overlay) throws IOException {
    return new LayerExtractor(LayerTree.of(overlay, false), true);
  }

  /**
   * An extractor into the upper folder of an overlay whose lower folders are not known yet. A layer
   * that depends on them fails with {@link MissingBelowException}: one with entries in folders that
   * are not its own, with links to what it does not have, or with attributes of the root.
   */
  public static LayerExtractor blindlyInto(Overlay overlay) throws IOException {
    return new LayerExtractor(LayerTree.of(overlay, true), true);
  }

  /** From now on, files that are put in are summed into the table. */
  public void sumInto(SumTable table) {
    sums = table;
  }

  /** From now on, what is remembered of folders until the end takes so many bytes at most. */
  public void rememberAtMost(int bytes) {
    tree.times().atMost(bytes);
  }

  /** Puts in the entry whose body the reader holds. */
  public void add(TarEntry entry, TarReader body) throws IOException {
    try {
      place(entry, body);
    } catch (ErrnoException e) {
      throw new ErrnoException(e.call(), "for entry \"" + entry.name().shown() + "\"", e.errno());
    }
  }

  private void place(TarEntry entry, TarReader body) throws IOException {
    List<RawPath> components = EntryName.clean(entry.name());
    if (components.isEmpty()) {
      addRoot(entry);
      return;
    }
    RawPath name = components.getLast();
    List<RawPath> parents = components.subList(0, components.size() - 1);
    if (name.equals(OPAQUE)) {
      hideAll(parents);
    } else if (components.getFirst().startsWith(META)) {
      return;
    } else if (name.startsWith(WHITEOUT)) {
      RawPath hidden = name.from(WHITEOUT.length());
      if (hidden.isEmpty() || EntryName.isDotDot(hidden) || hidden.equals(RawPath.of("."))) {
        throw new EntryException("entry \"" + entry.name().shown() + "\" is a whiteout of nothing");
      }
      hide(parents, hidden);
    } else {
      Folder folder = tree.folder(parents);
      put(entry, folder, name, body);
    }
  }

  /** The root is as the layer has it, whatever is below: for a tree that begins with nothing. */
  public void ownRoot() {
    ownRoot = true;
  }

  private void addRoot(TarEntry entry) throws IOException {
    if (entry.type() != TarEntry.Type.DIRECTORY) {
      throw new EntryException(
          "entry \"" + entry.name().shown() + "\" would replace the tree's root");
    }
    if (!ownRoot) {
      tree.checkSeen(RawPath.EMPTY);
    }
    removeAttributes(entry, tree.root().handle, RawPath.EMPTY);
    dress(entry, tree.root().handle, RawPath.EMPTY);
    tree.root().handle.setMode(entry.mode());
    note(RawPath.EMPTY, entry);
  }

  private void put(TarEntry entry, Folder folder, RawPath name, TarReader body) throws IOException {
    RawPath path = folder.path.resolve(name);
    switch (entry.type()) {
      case REGULAR -> putFile(entry, folder, name, body);
      case DIRECTORY -> putFolder(entry, folder, name, path);
      case SYMLINK -> putSymlink(entry, folder, name);
      case HARD_LINK -> putLink(entry, folder, name);
      case CHARACTER_DEVICE -> putNode(entry, folder, name, FileStat.Type.CHARACTER_DEVICE);
      case BLOCK_DEVICE -> putNode(entry, folder, name, FileStat.Type.BLOCK_DEVICE);
      case FIFO -> putNode(entry, folder, name, FileStat.Type.FIFO);
    }
    markUnpacked(path);
  }

  private void markUnpacked(RawPath path) {
    RawPath at = path;
    while (!at.isEmpty() && unpacked.add(at)) {
      at = at.parent();
    }
  }

  private interface Making<T> {
    T make() throws ErrnoException;
  }

  /** Makes what must be new; what has the name already goes first. */
  private <T> T replacing(Folder folder, RawPath name, Making<T> making) throws IOException {
    try {
      return making.make();
    } catch (ErrnoException e) {
      if (!e.is(Errno.EEXIST)) {
        throw e;
      }
    }
    remove(folder, name);
    return making.make();
  }

  private void remove(Folder folder, RawPath name) throws ErrnoException {
    folder.handle.removeTree(name);
    tree.forgetBelow(folder.path.resolve(name));
  }

  private void putFile(TarEntry entry, Folder folder, RawPath name, TarReader body)
      throws IOException {
    SumTable table = sums;
    FileSum sum = new FileSum();
    boolean summed = table != null;
    try (OpenFile file = replacing(folder, name, () -> folder.handle.createFile(name, 0600))) {
      if (entry.segments().isPresent()) {
        writeSegments(file, entry, body);
        summed = false; // read again later: what is between the segments counts, too
      } else {
        ByteBuffer piece = body.body();
        while (piece != null) {
          if (summed) {
            sum.add(piece);
          }
          file.write(piece);
          piece = body.body();
        }
      }
      file.setOwner(entry.uid(), entry.gid());
      setAttributes(entry, folder.handle, name);
      file.setMode(entry.mode());
      Times times = times(entry);
      file.setTimes(times.accessed(), times.modified());
      if (summed && table != null) {
        table.add(file.status(), sum.value());
      }
    }
  }

  private static void writeSegments(OpenFile file, TarEntry entry, TarReader body)
      throws IOException {
    ByteBuffer piece = ByteBuffer.allocate(0);
    for (TarEntry.Segment segment : entry.segments().orElseThrow()) {
      long done = 0;
      while (done < segment.length()) {
        if (!piece.hasRemaining()) {
          ByteBuffer next = body.body();
          if (next == null) {
            throw new EntryException(
                "entry \"" + entry.name().shown() + "\" is shorter than its map");
          }
          piece = next;
        }
        int count = (int) Math.min(piece.remaining(), segment.length() - done);
        file.write(piece.slice(piece.position(), count), segment.offset() + done);
        piece.position(piece.position() + count);
        done += count;
      }
    }
    file.truncate(entry.size());
  }

  private void putFolder(TarEntry entry, Folder folder, RawPath name, RawPath path)
      throws IOException {
    boolean hides = false;
    try {
      folder.handle.makeDirectory(name, 0700);
    } catch (ErrnoException e) {
      if (!e.is(Errno.EEXIST)) {
        throw e;
      }
      FileStat there = folder.handle.status(name);
      if (!there.isDirectory()) {
        hides = tree.overlay().isPresent() && Overlay.isWhiteout(there);
        remove(folder, name);
        folder.handle.makeDirectory(name, 0700);
      } else {
        removeAttributes(entry, folder.handle, name);
      }
    }
    if (hides) {
      tree.hideLower(tree.child(folder, name));
    }
    dress(entry, folder.handle, name);
    folder.handle.setMode(name, entry.mode());
    note(path, entry);
  }

  private void note(RawPath folder, TarEntry entry) throws EntryException {
    Times times = times(entry);
    tree.times().put(folder, times.accessed(), times.modified());
  }

  private void putSymlink(TarEntry entry, Folder folder, RawPath name) throws IOException {
    EntryName.checkLength(entry.link());
    replacing(
        folder,
        name,
        () -> {
          folder.handle.makeSymlink(name, entry.link());
          return name;
        });
    dress(entry, folder.handle, name);
    setTimes(entry, folder.handle, name);
  }

  private void putNode(TarEntry entry, Folder folder, RawPath name, FileStat.Type type)
      throws IOException {
    if (type != FileStat.Type.FIFO && !makeDevices) {
      return;
    }
    long device = DeviceNumber.of(entry.deviceMajor(), entry.deviceMinor());
    replacing(
        folder,
        name,
        () -> {
          folder.handle.makeNode(name, type, 0600, device);
          return name;
        });
    dress(entry, folder.handle, name);
    folder.handle.setMode(name, entry.mode());
    setTimes(entry, folder.handle, name);
  }

  private void putLink(TarEntry entry, Folder folder, RawPath name) throws IOException {
    EntryName.checkLength(entry.link());
    List<RawPath> target;
    try {
      target = EntryName.clean(entry.link());
    } catch (EntryException e) {
      throw new EntryException(
          "entry \""
              + entry.name().shown()
              + "\" links to \""
              + entry.link().shown()
              + "\" outside the tree"
              + EntryException.REBUILD);
    }
    Optional<Folder> holder =
        target.isEmpty() ? Optional.empty() : tree.find(target.subList(0, target.size() - 1));
    Folder here = tree.reopened(folder);
    if (holder.isEmpty() || !exists(holder.get(), target.getLast())) {
      throw new EntryException(
          "entry \""
              + entry.name().shown()
              + "\" links to \""
              + entry.link().shown()
              + "\", which is not in the tree");
    }
    Folder from = holder.get();
    RawPath existing = target.getLast();
    if (from.path.equals(here.path) && existing.equals(name)) {
      return;
    }
    RawPath replaced = here.path.resolve(name);
    if (from.path.equals(replaced) || from.path.startsWith(replaced.concat(RawPath.of("/")))) {
      throw new EntryException(
          "entry \""
              + entry.name().shown()
              + "\" links to \""
              + entry.link().shown()
              + "\" below itself");
    }
    OptionalLong sum = knownSum(from, existing);
    replacing(
        here,
        name,
        () -> {
          here.handle.makeLink(name, from.handle, existing);
          return name;
        });
    SumTable table = sums;
    if (table != null && sum.isPresent()) {
      table.add(here.handle.status(name), sum.getAsLong());
    }
  }

  private OptionalLong knownSum(Folder folder, RawPath name) throws ErrnoException {
    SumTable table = sums;
    return table == null ? OptionalLong.empty() : table.find(folder.handle.status(name));
  }

  private boolean exists(Folder folder, RawPath name) throws IOException {
    Optional<FileStat> there = folder.handle.find(name);
    if (there.isPresent()) {
      return tree.overlay().isEmpty() || !Overlay.isWhiteout(there.get());
    }
    return tree.overlay().isPresent() && tree.copyUp(folder, name);
  }

  private static Times times(TarEntry entry) {
    return new Times(entry.accessed().orElse(entry.modified()), entry.modified());
  }

  private static void setTimes(TarEntry entry, Directory folder, RawPath name)
      throws ErrnoException {
    Times times = times(entry);
    folder.setTimes(name, times.accessed(), times.modified());
  }

  /** Owner and attributes; the mode comes after. */
  private void dress(TarEntry entry, Directory folder, RawPath name) throws ErrnoException {
    if (name.isEmpty()) {
      folder.setOwner(entry.uid(), entry.gid());
    } else {
      folder.setOwner(name, entry.uid(), entry.gid());
    }
    setAttributes(entry, folder, name);
  }

  /** A folder that stays loses the attributes that its new entry does not have. */
  private static void removeAttributes(TarEntry entry, Directory folder, RawPath name)
      throws ErrnoException {
    for (RawPath attribute : folder.attributes(name)) {
      if (Attributes.isCarried(attribute) && !entry.attributes().containsKey(attribute)) {
        folder.removeAttribute(name, attribute);
      }
    }
  }

  /** What cannot have attributes does not make an image unusable, so it is only told. */
  private void setAttributes(TarEntry entry, Directory folder, RawPath name) throws ErrnoException {
    for (Map.Entry<RawPath, byte[]> attribute : entry.attributes().entrySet()) {
      if (!Attributes.isTaken(attribute.getKey())) {
        continue;
      }
      try {
        folder.setAttribute(name, attribute.getKey(), attribute.getValue());
      } catch (ErrnoException e) {
        if (!isForgiven(e, entry, attribute.getKey())) {
          throw new ErrnoException(
              e.call() + " of the attribute " + attribute.getKey().shown(), "", e.errno());
        }
        if (!attributesRefused) {
          attributesRefused = true;
          LOG.log(
              System.Logger.Level.WARNING,
              "attribute {0} of entry \"{1}\" left out: not supported here",
              attribute.getKey().shown(),
              entry.name().shown());
        }
      }
    }
  }

  /** Only files and folders have attributes of users; the kernel refuses them on anything else. */
  private static boolean isForgiven(ErrnoException e, TarEntry entry, RawPath attribute) {
    boolean file = entry.type() == TarEntry.Type.REGULAR || entry.type() == TarEntry.Type.DIRECTORY;
    return e.is(Errno.EOPNOTSUPP) || (e.is(Errno.EPERM) && !file && attribute.startsWith(USER));
  }

  private void hide(List<RawPath> parents, RawPath name) throws IOException {
    boolean overlay = tree.overlay().isPresent();
    Optional<Folder> found = overlay ? Optional.of(tree.folder(parents)) : tree.find(parents);
    if (found.isEmpty()) {
      return;
    }
    Folder folder = found.get();
    RawPath path = folder.path.resolve(name);
    if (unpacked.contains(path)) {
      if (folder.handle.find(name).filter(FileStat::isDirectory).isPresent()) {
        Folder kept = tree.child(folder, name);
        tree.hideLower(kept);
        prune(kept.handle, path);
        tree.forget();
      }
      return;
    }
    if (overlay) {
      replacing(
          folder,
          name,
          () -> {
            folder.handle.makeNode(name, FileStat.Type.CHARACTER_DEVICE, 0, 0);
            return name;
          });
      markUnpacked(folder.path);
    } else if (folder.handle.find(name).isPresent()) {
      remove(folder, name);
    }
  }

  private void hideAll(List<RawPath> parents) throws IOException {
    boolean overlay = tree.overlay().isPresent();
    Optional<Folder> folder = overlay ? Optional.of(tree.folder(parents)) : tree.find(parents);
    if (folder.isPresent()) {
      tree.hideLower(folder.get());
      prune(folder.get().handle, folder.get().path);
      markUnpacked(folder.get().path);
      tree.forget();
    }
  }

  /** Removes what this layer did not bring. */
  private void prune(Directory folder, RawPath path) throws ErrnoException {
    for (RawPath name : folder.names()) {
      RawPath below = path.resolve(name);
      if (!unpacked.contains(below)) {
        folder.removeTree(name);
      } else if (folder.status(name).isDirectory()) {
        try (Directory child = folder.openChild(name)) {
          prune(child, below);
        }
      }
    }
  }

  /** Gives the folders their times; to be called once after the last entry. */
  public void finish() throws IOException {
    tree.times().each(this::setFolderTimes);
  }

  private void setFolderTimes(RawPath path, Instant accessed, Instant modified) throws IOException {
    if (path.isEmpty()) {
      tree.root().handle.setTimes(accessed, modified);
      return;
    }
    Optional<Folder> parent = tree.find(EntryName.split(path.parent()));
    if (parent.isPresent()
        && parent.get().path.equals(path.parent())
        && parent.get().handle.find(path.name()).filter(FileStat::isDirectory).isPresent()) {
      parent.get().handle.setTimes(path.name(), accessed, modified);
    }
  }

  /** Makes all that was put in survive a power cut. */
  public void sync() throws IOException {
    tree.root().handle.syncFileSystem();
  }

  @Override
  public void close() throws IOException {
    tree.close();
  }
}
