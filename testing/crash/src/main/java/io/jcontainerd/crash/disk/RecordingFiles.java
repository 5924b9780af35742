package io.jcontainerd.crash.disk;

import io.jcontainerd.core.ports.FileStat;
import io.jcontainerd.core.ports.Files;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * Files whose changes are recorded one by one, as soon as they happened. What the port does in one
 * call but a file system in several steps, such as removing a tree, is done and recorded step by
 * step.
 */
public final class RecordingFiles implements Files {
  private final Files real;
  private final Recording recording;

  /** Records what is done to these files. */
  public RecordingFiles(Files real, Recording recording) {
    this.real = real;
    this.recording = recording;
  }

  private long inode(Path path) throws IOException {
    return real.stat(path).orElseThrow(() -> new NoSuchFileException(path.toString())).inode();
  }

  private long folderOf(Path path) throws IOException {
    return inode(Objects.requireNonNull(path.getParent(), "a path below the root"));
  }

  private static String name(Path path) {
    return String.valueOf(path.getFileName());
  }

  /** Something that happens at once. */
  @FunctionalInterface
  private interface Making {
    void run() throws IOException;
  }

  private void made(Path path, Making making) throws IOException {
    making.run();
    FileStat stat = real.stat(path).orElseThrow(() -> new NoSuchFileException(path.toString()));
    recording.add(new Op.Make(stat.inode(), stat.type(), stat.mode()));
    recording.add(new Op.Name(folderOf(path), name(path), stat.inode()));
  }

  @Override
  public Handle open(Path file, Open how, int mode) throws IOException {
    boolean there = real.stat(file).isPresent();
    Handle handle = real.open(file, how, mode);
    if (!there) {
      made(file, () -> {});
    }
    return new RecordingHandle(handle, inode(file));
  }

  @Override
  public void createDirectory(Path folder, int mode) throws IOException {
    made(folder, () -> real.createDirectory(folder, mode));
  }

  @Override
  public void createDirectories(Path folder, int mode) throws IOException {
    Path parent = folder.getParent();
    if (real.stat(folder).isEmpty() && parent != null) {
      createDirectories(parent, mode);
      createDirectory(folder, mode);
    }
  }

  @Override
  public void link(Path name, Path existing) throws IOException {
    real.link(name, existing);
    recording.add(new Op.Name(folderOf(name), name(name), inode(name)));
  }

  @Override
  public void symlink(Path name, String target) throws IOException {
    throw new UnsupportedOperationException("no engine makes links through this port");
  }

  @Override
  public void rename(Path from, Path to) throws IOException {
    var op = new Op.Rename(folderOf(from), name(from), folderOf(to), name(to), inode(from));
    real.rename(from, to);
    recording.add(op);
  }

  @Override
  public void renameNew(Path from, Path to) throws IOException {
    var op = new Op.Rename(folderOf(from), name(from), folderOf(to), name(to), inode(from));
    real.renameNew(from, to);
    recording.add(op);
  }

  @Override
  public void delete(Path path) throws IOException {
    real.delete(path);
    recording.add(new Op.Unname(folderOf(path), name(path)));
  }

  @Override
  public void deleteTree(Path path) throws IOException {
    if (real.stat(path).filter(FileStat::isDirectory).isPresent()) {
      for (String child : real.list(path)) {
        deleteTree(path.resolve(child));
      }
    }
    delete(path);
  }

  @Override
  public List<String> list(Path folder) throws IOException {
    return real.list(folder);
  }

  @Override
  public Optional<FileStat> stat(Path path) throws IOException {
    return real.stat(path);
  }

  @Override
  public void setMode(Path path, int mode) throws IOException {
    real.setMode(path, mode);
    recording.add(new Op.Mode(inode(path), mode));
  }

  @Override
  public void setOwner(Path path, int uid, int gid) throws IOException {
    real.setOwner(path, uid, gid);
    recording.add(new Op.Owner(inode(path), uid, gid));
  }

  @Override
  public void setModified(Path path, Instant time) throws IOException {
    real.setModified(path, time);
    recording.add(new Op.Modified(inode(path), time));
  }

  @Override
  public void forceDirectory(Path folder) throws IOException {
    real.forceDirectory(folder);
    recording.add(new Op.ForceFolder(inode(folder)));
  }

  private final class RecordingHandle implements Handle {
    private final Handle handle;
    private final long inode;

    RecordingHandle(Handle handle, long inode) {
      this.handle = handle;
      this.inode = inode;
    }

    @Override
    public int read(ByteBuffer into, long position) throws IOException {
      return handle.read(into, position);
    }

    @Override
    public int write(ByteBuffer from, long position) throws IOException {
      ByteBuffer copy = ByteBuffer.allocate(from.remaining()).put(from.duplicate()).flip();
      int count = handle.write(from, position);
      recording.add(new Op.Write(inode, position, copy.limit(count).asReadOnlyBuffer()));
      return count;
    }

    @Override
    public long size() throws IOException {
      return handle.size();
    }

    @Override
    public void truncate(long size) throws IOException {
      handle.truncate(size);
      recording.add(new Op.Truncate(inode, size));
    }

    @Override
    public void force() throws IOException {
      handle.force();
      recording.add(new Op.ForceFile(inode));
    }

    @Override
    public void close() throws IOException {
      handle.close();
    }
  }
}
