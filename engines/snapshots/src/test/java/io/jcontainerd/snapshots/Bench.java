package io.jcontainerd.snapshots;

import io.jcontainerd.core.ports.Files;
import io.jcontainerd.core.ports.Kernel;
import io.jcontainerd.core.snapshots.Usage;
import io.jcontainerd.store.Store;
import io.jcontainerd.store.StoreOptions;
import io.jcontainerd.testkit.files.InMemoryFiles;
import io.jcontainerd.testkit.kernel.InMemoryKernel;
import io.jcontainerd.testkit.time.VirtualTime;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;

/** A snapshotter's surroundings in memory, over a real store. */
final class Bench implements AutoCloseable {
  static final Path ROOT = Path.of("/root/snapshotter");
  static final OverlaySupport SUPPORT = new OverlaySupport(true, false, false, true);

  final InMemoryFiles files;
  final InMemoryKernel kernel;
  final VirtualTime time = new VirtualTime();
  final Store store;

  Bench(Path folder) {
    this(folder, new InMemoryFiles());
  }

  Bench(Path folder, InMemoryFiles files) {
    this.files = files;
    this.kernel = new InMemoryKernel(files);
    this.store =
        Store.open(
            folder.resolve("store.db"), StoreOptions.DEFAULTS, List.of(SnapshotSchema.SCHEMA));
  }

  Environment environment() {
    return environment(files, kernel);
  }

  Environment environment(Files watchedFiles, Kernel watchedKernel) {
    return new Environment(store, watchedFiles, watchedKernel, new PlainTrees(watchedFiles), time);
  }

  /** Lets the store refuse a kind of change, until {@link #allow}. */
  void refuse(String change, String table) {
    alter(
        "CREATE TRIGGER refused BEFORE %s ON %s BEGIN SELECT RAISE(ABORT, 'no'); END"
            .formatted(change, table));
  }

  void allow() {
    alter("DROP TRIGGER refused");
  }

  /** With a change of a row: the store does not keep a transaction that has none. */
  private void alter(String statement) {
    store.write(
        tx ->
            tx.update("INSERT OR REPLACE INTO backend_snapshot_ids VALUES ('a test', 1)")
                + tx.update(statement));
  }

  @Override
  public void close() {
    store.close();
  }

  /** Trees through the port, good enough for regular files. */
  record PlainTrees(Files files) implements Trees {
    @Override
    public Usage usage(Path top) throws IOException {
      var stat = files.stat(top).orElseThrow(() -> new NoSuchFileException(top.toString()));
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
      files.writeAll(to, files.readAll(from), 0600);
    }

    @Override
    public void copy(Path from, Path to) throws IOException {
      for (String name : files.list(from)) {
        files.writeAll(to.resolve(name), files.readAll(from.resolve(name)), 0644);
      }
    }
  }
}
