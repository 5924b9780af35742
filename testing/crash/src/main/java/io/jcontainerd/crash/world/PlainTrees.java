package io.jcontainerd.crash.world;

import io.jcontainerd.core.ports.FileStat;
import io.jcontainerd.core.ports.Files;
import io.jcontainerd.core.snapshots.Usage;
import io.jcontainerd.snapshots.Trees;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** Trees through the port, of regular files and folders. Copies are not forced. */
record PlainTrees(Files files) implements Trees {
  @Override
  public Usage usage(Path top) throws IOException {
    FileStat stat = stat(top);
    long size = stat.blocks() * 512;
    long inodes = 1;
    if (stat.isDirectory()) {
      for (String name : files.list(top)) {
        Usage below = usage(top.resolve(name));
        size += below.size();
        inodes += below.inodes();
      }
    }
    return new Usage(size, inodes);
  }

  @Override
  public Usage usageBeyond(Path top, Path below) throws IOException {
    return usage(top);
  }

  @Override
  public void copyFile(Path from, Path to) throws IOException {
    write(files, to, files.readAll(from), stat(from).mode());
  }

  private FileStat stat(Path path) throws IOException {
    return files.stat(path).orElseThrow(() -> new NoSuchFileException(path.toString()));
  }

  @Override
  public void copy(Path from, Path to) throws IOException {
    for (String name : files.list(from)) {
      Path child = from.resolve(name);
      FileStat stat = stat(child);
      if (stat.isDirectory()) {
        files.createDirectory(to.resolve(name), stat.mode());
        copy(child, to.resolve(name));
      } else {
        write(files, to.resolve(name), files.readAll(child), stat.mode());
      }
    }
  }

  /** Writes a new file as a program does that leaves it to the kernel when it becomes durable. */
  static void write(Files files, Path file, byte[] bytes, int mode) throws IOException {
    try (Files.Handle handle = files.open(file, Files.Open.CREATE_NEW, mode)) {
      ByteBuffer left = ByteBuffer.wrap(bytes);
      while (left.hasRemaining()) {
        handle.write(left, left.position());
      }
    }
  }
}
