package io.jcontainerd.testkit.files;

import io.jcontainerd.core.ports.FileStat;
import io.jcontainerd.core.ports.Files;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * A file system in memory. It keeps what was forced apart from what was merely written, so that
 * {@link #afterPowerCut} can show any of the states in which a real one may come up again. It also
 * counts open handles, for leak checks. Safe for many threads; one lock for all.
 *
 * <p>Folders and the root exist from the beginning only as far as they were made; the root folder
 * itself always exists. Symbolic links are kept but never followed.
 */
public final class InMemoryFiles implements Files {
  private static final int BLOCK = 4096;

  private abstract static class Node {
    int mode;
    int uid;
    int gid;
    long links = 1;
    final long inode;
    Instant modified;
    Instant changed;

    Node(int mode, long inode, Instant now) {
      this.mode = mode;
      this.inode = inode;
      this.modified = now;
      this.changed = now;
    }
  }

  private static final class Regular extends Node {
    byte[] bytes = new byte[0];
    byte[] forced = new byte[0];

    Regular(int mode, long inode, Instant now) {
      super(mode, inode, now);
    }
  }

  private static final class Folder extends Node {
    final TreeMap<String, Node> names = new TreeMap<>();
    TreeMap<String, Node> forced = new TreeMap<>();

    Folder(int mode, long inode, Instant now) {
      super(mode, inode, now);
    }
  }

  private static final class Symlink extends Node {
    final String target;

    Symlink(String target, long inode, Instant now) {
      super(0777, inode, now);
      this.target = target;
    }
  }

  private Folder root;
  private long inodes = 1;
  private long ticks;
  private int open;
  private long capacity = Long.MAX_VALUE;
  private int forcesUntilBroken;

  /** An empty file system. */
  public InMemoryFiles() {
    root = new Folder(0755, inodes, Instant.EPOCH);
  }

  /** How many handles are open. */
  public synchronized int openHandles() {
    return open;
  }

  /** From now on, a write that would make all files together larger than this finds no space. */
  public synchronized void limit(long bytes) {
    capacity = bytes;
  }

  /**
   * The n-th force of a file from now on, counted from 1, fails with an input/output error, and
   * what it was to save is lost, as Linux loses it: the size stays, the bytes are those on the
   * disk, and the next force succeeds.
   */
  public synchronized void breakForce(int number) {
    forcesUntilBroken = number;
  }

  /** What was not forced in the files below is lost, as after a synchronisation that failed. */
  public synchronized void loseUnforced(Path top) throws IOException {
    Optional<Node> node = lookup(top);
    if (node.isPresent()) {
      loseUnforced(node.get());
    }
  }

  private static void loseUnforced(Node node) {
    switch (node) {
      case Regular file -> file.bytes = Arrays.copyOf(file.forced, file.bytes.length);
      case Folder folder -> folder.names.values().forEach(InMemoryFiles::loseUnforced);
      default -> {}
    }
  }

  /** Every path in the file system, sorted; folders end in a slash. */
  public synchronized List<String> tree() {
    var paths = new ArrayList<String>();
    addPaths(root, "/", paths);
    return paths;
  }

  private static void addPaths(Folder folder, String prefix, List<String> paths) {
    folder.names.forEach(
        (name, node) -> {
          if (node instanceof Folder child) {
            paths.add(prefix + name + "/");
            addPaths(child, prefix + name + "/", paths);
          } else {
            paths.add(prefix + name);
          }
        });
  }

  /** The file system as it comes up after the power failed now; this one is not changed. */
  public synchronized InMemoryFiles afterPowerCut(Survival survival) {
    var after = new InMemoryFiles();
    after.inodes = inodes;
    after.ticks = ticks;
    after.root = (Folder) survivor(root, survival, new HashMap<>());
    return after;
  }

  private static Node survivor(Node node, Survival survival, Map<Node, Node> done) {
    Node known = done.get(node);
    if (known != null) {
      known.links++;
      return known;
    }
    Node copy =
        switch (node) {
          case Regular file -> {
            var survivor = new Regular(file.mode, file.inode, file.modified);
            survivor.bytes = survivingBytes(file, survival);
            survivor.forced = survivor.bytes.clone();
            yield survivor;
          }
          case Symlink link -> new Symlink(link.target, link.inode, link.modified);
          default -> new Folder(node.mode, node.inode, node.modified);
        };
    copy.uid = node.uid;
    copy.gid = node.gid;
    done.put(node, copy);
    if (node instanceof Folder folder && copy instanceof Folder survivor) {
      boolean all = survival == Survival.ALL || survival == Survival.NAMES_WITHOUT_BYTES;
      (all ? folder.names : folder.forced)
          .forEach((name, child) -> survivor.names.put(name, survivor(child, survival, done)));
      survivor.forced = new TreeMap<>(survivor.names);
    }
    return copy;
  }

  private static byte[] survivingBytes(Regular file, Survival survival) {
    return switch (survival) {
      case ALL, BYTES_WITHOUT_NAMES -> file.bytes.clone();
      case ONLY_FORCED -> file.forced.clone();
      case NAMES_WITHOUT_BYTES -> {
        byte[] zeros = new byte[file.bytes.length];
        int same = Arrays.mismatch(file.bytes, file.forced);
        int kept = same < 0 ? file.bytes.length : same;
        System.arraycopy(file.bytes, 0, zeros, 0, kept);
        yield zeros;
      }
    };
  }

  @Override
  public synchronized Handle open(Path file, Open how, int mode) throws IOException {
    Folder folder = folder(parent(file));
    Node node = folder.names.get(name(file));
    if (node != null && how == Open.CREATE_NEW) {
      throw new FileAlreadyExistsException(file.toString());
    }
    if (node == null && (how == Open.READ || how == Open.WRITE)) {
      throw new NoSuchFileException(file.toString());
    }
    if (node == null) {
      node = new Regular(mode, ++inodes, now());
      folder.names.put(name(file), node);
      folder.modified = now();
    }
    if (!(node instanceof Regular regular)) {
      throw new FileSystemException(file.toString(), null, "not a regular file");
    }
    open++;
    return new OpenFile(file, regular, how != Open.READ);
  }

  @Override
  public synchronized void createDirectory(Path folder, int mode) throws IOException {
    put(folder, new Folder(mode, ++inodes, now()));
  }

  @Override
  public synchronized void createDirectories(Path folder, int mode) throws IOException {
    Optional<Node> there = lookup(folder);
    if (there.isEmpty()) {
      createDirectories(parent(folder), mode);
      createDirectory(folder, mode);
    } else if (!(there.get() instanceof Folder)) {
      throw new FileAlreadyExistsException(folder.toString());
    }
  }

  @Override
  public synchronized void link(Path name, Path existing) throws IOException {
    Node node = node(existing);
    if (node instanceof Folder) {
      throw new FileSystemException(existing.toString(), null, "operation not permitted");
    }
    put(name, node);
    node.links++;
  }

  @Override
  public synchronized void symlink(Path name, String target) throws IOException {
    put(name, new Symlink(target, ++inodes, now()));
  }

  @Override
  public synchronized void rename(Path from, Path to) throws IOException {
    Node moved = node(from);
    Node replaced = folder(parent(to)).names.get(name(to));
    if (replaced instanceof Folder folder && !folder.names.isEmpty()) {
      throw new DirectoryNotEmptyException(to.toString());
    }
    if (replaced != null
        && replaced != moved
        && moved instanceof Folder != replaced instanceof Folder) {
      throw new FileSystemException(to.toString(), null, "is of another kind");
    }
    if (replaced != null && replaced != moved) {
      replaced.links--;
    }
    folder(parent(from)).names.remove(name(from));
    folder(parent(to)).names.put(name(to), moved);
  }

  @Override
  public synchronized void renameNew(Path from, Path to) throws IOException {
    node(from);
    if (lookup(to).isPresent()) {
      throw new FileAlreadyExistsException(to.toString());
    }
    rename(from, to);
  }

  @Override
  public synchronized void delete(Path path) throws IOException {
    Node node = node(path);
    if (node instanceof Folder folder && !folder.names.isEmpty()) {
      throw new DirectoryNotEmptyException(path.toString());
    }
    node.links--;
    folder(parent(path)).names.remove(name(path));
  }

  @Override
  public synchronized void deleteTree(Path path) throws IOException {
    Node node = node(path);
    if (node instanceof Folder folder) {
      for (String child : List.copyOf(folder.names.keySet())) {
        deleteTree(path.resolve(child));
      }
    }
    delete(path);
  }

  @Override
  public synchronized List<String> list(Path folder) throws IOException {
    return List.copyOf(folder(folder).names.keySet());
  }

  @Override
  public synchronized Optional<FileStat> stat(Path path) throws IOException {
    try {
      return lookup(path).map(InMemoryFiles::stat);
    } catch (NotDirectoryException _) {
      return Optional.empty();
    }
  }

  private static FileStat stat(Node node) {
    long size =
        switch (node) {
          case Regular file -> file.bytes.length;
          case Symlink link -> link.target.length();
          default -> BLOCK;
        };
    FileStat.Type type =
        switch (node) {
          case Regular _ -> FileStat.Type.REGULAR;
          case Symlink _ -> FileStat.Type.SYMLINK;
          default -> FileStat.Type.DIRECTORY;
        };
    long blocks = (size + BLOCK - 1) / BLOCK * (BLOCK / 512);
    return new FileStat(
        type,
        node.mode,
        node.uid,
        node.gid,
        size,
        blocks,
        node.links,
        node.inode,
        1,
        0,
        node.modified,
        node.changed);
  }

  @Override
  public synchronized void setMode(Path path, int mode) throws IOException {
    node(path).mode = mode;
  }

  @Override
  public synchronized void setOwner(Path path, int uid, int gid) throws IOException {
    Node node = node(path);
    node.uid = uid < 0 ? node.uid : uid;
    node.gid = gid < 0 ? node.gid : gid;
  }

  @Override
  public synchronized void setModified(Path path, Instant time) throws IOException {
    node(path).modified = time;
  }

  @Override
  public synchronized void forceDirectory(Path folder) throws IOException {
    Folder forced = folder(folder);
    forced.forced = new TreeMap<>(forced.names);
  }

  /** Forces everything that was written to this file system, as {@code syncfs(2)} does. */
  public synchronized void forceAll() {
    forceAll(root);
  }

  private static void forceAll(Node node) {
    switch (node) {
      case Regular file -> file.forced = file.bytes.clone();
      case Folder folder -> {
        folder.forced = new TreeMap<>(folder.names);
        folder.names.values().forEach(InMemoryFiles::forceAll);
      }
      default -> {}
    }
  }

  private Instant now() {
    return Instant.EPOCH.plusNanos(++ticks);
  }

  private void put(Path path, Node node) throws IOException {
    Folder folder = folder(parent(path));
    if (folder.names.putIfAbsent(name(path), node) != null) {
      throw new FileAlreadyExistsException(path.toString());
    }
    folder.modified = now();
  }

  private Optional<Node> lookup(Path path) throws IOException {
    Node at = root;
    for (Path part : path) {
      if (!(at instanceof Folder folder)) {
        throw new NotDirectoryException(path.toString());
      }
      Node next = folder.names.get(part.toString());
      if (next == null) {
        return Optional.empty();
      }
      at = next;
    }
    return Optional.of(at);
  }

  private Node node(Path path) throws IOException {
    return lookup(path).orElseThrow(() -> new NoSuchFileException(path.toString()));
  }

  private Folder folder(Path path) throws IOException {
    if (node(path) instanceof Folder folder) {
      return folder;
    }
    throw new NotDirectoryException(path.toString());
  }

  private static Path parent(Path path) {
    Path parent = path.getParent();
    if (parent == null) {
      throw new IllegalArgumentException(path + " has no parent");
    }
    return parent;
  }

  private static String name(Path path) {
    return String.valueOf(path.getFileName());
  }

  private static long bytesOf(Node node) {
    return switch (node) {
      case Regular file -> file.bytes.length;
      case Folder folder -> folder.names.values().stream().mapToLong(InMemoryFiles::bytesOf).sum();
      default -> 0;
    };
  }

  private final class OpenFile implements Handle {
    private final Path path;
    private final Regular file;
    private final boolean writable;
    private boolean closed;

    OpenFile(Path path, Regular file, boolean writable) {
      this.path = path;
      this.file = file;
      this.writable = writable;
    }

    @Override
    public int read(ByteBuffer into, long position) throws IOException {
      synchronized (InMemoryFiles.this) {
        check(false);
        if (position >= file.bytes.length) {
          return -1;
        }
        int count = (int) Math.min(into.remaining(), file.bytes.length - position);
        into.put(file.bytes, (int) position, count);
        return count;
      }
    }

    @Override
    public int write(ByteBuffer from, long position) throws IOException {
      synchronized (InMemoryFiles.this) {
        check(true);
        int count = from.remaining();
        int end = Math.toIntExact(position + count);
        if (end > file.bytes.length) {
          long others = bytesOf(root) - file.bytes.length;
          if (others + end > capacity) {
            throw new io.jcontainerd.core.ports.NoSpaceException(path.toString());
          }
          file.bytes = Arrays.copyOf(file.bytes, end);
        }
        from.get(file.bytes, (int) position, count);
        file.modified = now();
        return count;
      }
    }

    @Override
    public long size() throws IOException {
      synchronized (InMemoryFiles.this) {
        check(false);
        return file.bytes.length;
      }
    }

    @Override
    public void truncate(long size) throws IOException {
      synchronized (InMemoryFiles.this) {
        check(true);
        file.bytes = Arrays.copyOf(file.bytes, Math.toIntExact(size));
        file.modified = now();
      }
    }

    @Override
    public void force() throws IOException {
      synchronized (InMemoryFiles.this) {
        check(false);
        if (forcesUntilBroken > 0 && --forcesUntilBroken == 0) {
          loseUnforced(file);
          throw new FileSystemException(path.toString(), null, "input/output error");
        }
        file.forced = file.bytes.clone();
      }
    }

    @Override
    public void close() {
      synchronized (InMemoryFiles.this) {
        if (!closed) {
          closed = true;
          open--;
        }
      }
    }

    private void check(boolean writing) throws IOException {
      if (closed) {
        throw new IOException(path + " is closed");
      }
      if (writing && !writable) {
        throw new FileSystemException(path.toString(), null, "bad file descriptor");
      }
    }
  }
}
