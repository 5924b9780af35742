package io.jcontainerd.crash.disk;

import io.jcontainerd.core.ports.FileStat;
import io.jcontainerd.core.ports.Files;
import io.jcontainerd.testkit.files.InMemoryFiles;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/** Inodes and the names that lead to them, to which changes can be applied wholly or in part. */
public final class Disk {
  /** The inode of the root folder. */
  static final long ROOT = 1;

  private static final int SECTOR = 512;

  /** How much of a change there is. */
  public enum Part {
    /** Nothing. */
    NONE,
    /** All. */
    WHOLE,
    /** Of a write: the size, but zeros. Of a move to another folder: both names. */
    HALF,
    /** Of a write over several sectors: every other sector, from the first; zeros between. */
    EVEN,
    /** Of a write over several sectors: every other sector, from the second; zeros between. */
    ODD
  }

  private static final class Node {
    final FileStat.Type type;
    int mode;
    int uid;
    int gid;
    Instant modified = Instant.EPOCH;
    byte[] bytes = {}; // never changed in place
    final TreeMap<String, Long> names = new TreeMap<>();

    Node(FileStat.Type type, int mode) {
      this.type = type;
      this.mode = mode;
    }

    Node copy() {
      Node copy = new Node(type, mode);
      copy.uid = uid;
      copy.gid = gid;
      copy.modified = modified;
      copy.bytes = bytes;
      copy.names.putAll(names);
      return copy;
    }
  }

  private final Map<Long, Node> nodes;

  private Disk(Map<Long, Node> nodes) {
    this.nodes = nodes;
  }

  /** A disk that holds what these files hold, all of it durable. */
  public static Disk of(Files files) throws IOException {
    Disk disk = new Disk(new HashMap<>());
    disk.take(files, Path.of("/"));
    return disk;
  }

  private long take(Files files, Path path) throws IOException {
    FileStat stat = files.stat(path).orElseThrow();
    Node node = new Node(stat.type(), stat.mode());
    node.uid = stat.uid();
    node.gid = stat.gid();
    node.modified = stat.modified();
    nodes.put(stat.inode(), node);
    if (stat.isDirectory()) {
      for (String name : files.list(path)) {
        node.names.put(name, take(files, path.resolve(name)));
      }
    } else {
      node.bytes = files.readAll(path);
    }
    return stat.inode();
  }

  /** An independent copy. */
  public Disk copy() {
    Map<Long, Node> copies = HashMap.newHashMap(nodes.size());
    nodes.forEach((number, node) -> copies.put(number, node.copy()));
    return new Disk(copies);
  }

  private Node node(long number) {
    return Objects.requireNonNull(nodes.get(number), () -> "inode " + number);
  }

  /** Which parts of a change a power cut may leave. */
  public static Part[] parts(Op op) {
    return switch (op) {
      case Op.Write write when spansSectors(write) -> Part.values();
      case Op.Write _ -> new Part[] {Part.NONE, Part.WHOLE, Part.HALF};
      case Op.Rename rename when rename.from() != rename.to() ->
          new Part[] {Part.NONE, Part.WHOLE, Part.HALF};
      default -> new Part[] {Part.NONE, Part.WHOLE};
    };
  }

  private static boolean spansSectors(Op.Write write) {
    long last = write.position() + write.bytes().remaining() - 1;
    return write.position() / SECTOR != last / SECTOR;
  }

  /** Does a change, or a part of it. */
  public void apply(Op op, Part part) {
    if (part == Part.NONE && !(op instanceof Op.Make)) {
      return;
    }
    switch (op) {
      case Op.Make make -> nodes.put(make.node(), new Node(make.type(), make.mode()));
      case Op.Name name -> node(name.folder()).names.put(name.name(), name.node());
      case Op.Unname gone -> node(gone.folder()).names.remove(gone.name());
      case Op.Rename rename -> {
        if (part == Part.WHOLE) {
          node(rename.from()).names.remove(rename.oldName());
        }
        node(rename.to()).names.put(rename.newName(), rename.node());
      }
      case Op.Write write -> write(write, part);
      case Op.Truncate cut -> {
        Node file = node(cut.file());
        file.bytes = Arrays.copyOf(file.bytes, Math.toIntExact(cut.size()));
      }
      case Op.Mode mode -> node(mode.node()).mode = mode.mode();
      case Op.Owner owner -> {
        Node node = node(owner.node());
        node.uid = owner.uid() < 0 ? node.uid : owner.uid();
        node.gid = owner.gid() < 0 ? node.gid : owner.gid();
      }
      case Op.Modified modified -> node(modified.node()).modified = modified.time();
      case Op.ForceFile _, Op.ForceFolder _, Op.ForceAll _ -> {}
    }
  }

  private void write(Op.Write write, Part part) {
    Node file = node(write.file());
    ByteBuffer from = write.bytes().duplicate();
    int start = Math.toIntExact(write.position());
    int end = start + from.remaining();
    byte[] bytes = Arrays.copyOf(file.bytes, Math.max(end, file.bytes.length));
    for (int at = start; at < end; ) {
      int next = Math.min(end, (at / SECTOR + 1) * SECTOR);
      boolean even = at / SECTOR % 2 == start / SECTOR % 2;
      boolean there =
          part == Part.WHOLE || (part == Part.EVEN && even) || (part == Part.ODD && !even);
      if (there) {
        from.get(at - start, bytes, at, next - at);
      }
      at = next;
    }
    file.bytes = bytes;
  }

  /** Files in memory that hold what can be reached on this disk. */
  public InMemoryFiles files() throws IOException {
    InMemoryFiles files = new InMemoryFiles();
    fill(files, node(ROOT), Path.of("/"), new HashMap<>());
    files.forceAll();
    return files;
  }

  private void fill(Files files, Node folder, Path path, Map<Long, Path> seen) throws IOException {
    for (Map.Entry<String, Long> entry : folder.names.entrySet()) {
      Node node = node(entry.getValue());
      Path child = path.resolve(entry.getKey());
      if (node.type == FileStat.Type.DIRECTORY) {
        if (seen.putIfAbsent(entry.getValue(), child) != null) {
          continue; // a folder has one name only; the file system's check takes the other away
        }
        files.createDirectory(child, node.mode);
        fill(files, node, child, seen);
      } else {
        Path first = seen.putIfAbsent(entry.getValue(), child);
        if (first != null) {
          files.link(child, first);
          continue;
        }
        try (Files.Handle handle = files.open(child, Files.Open.CREATE_NEW, node.mode)) {
          handle.write(ByteBuffer.wrap(node.bytes), 0);
        }
      }
      files.setOwner(child, node.uid, node.gid);
      files.setModified(child, node.modified);
    }
  }

  /** Adds everything but times to a hash. */
  public void hash(MessageDigest hash) {
    hash(hash, ROOT);
  }

  private void hash(MessageDigest hash, long number) {
    Node node = node(number);
    hash.update(
        (node.type + " " + node.mode + " " + node.uid + ":" + node.gid + " " + node.bytes.length)
            .getBytes(StandardCharsets.UTF_8));
    hash.update(node.bytes);
    node.names.forEach(
        (name, child) -> {
          hash.update(("/" + name + ";").getBytes(StandardCharsets.UTF_8));
          hash(hash, child);
        });
  }
}
