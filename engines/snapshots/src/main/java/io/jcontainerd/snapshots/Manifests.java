package io.jcontainerd.snapshots;

import io.jcontainerd.core.check.FileSums;
import io.jcontainerd.core.check.Pace;
import io.jcontainerd.core.failure.CancelledException;
import io.jcontainerd.core.ports.Files;
import io.jcontainerd.core.snapshots.Usage;
import io.jcontainerd.snapshots.manifest.Recorded;
import io.jcontainerd.snapshots.manifest.Recording;
import io.jcontainerd.snapshots.manifest.TreeManifest;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The files that tell what committed snapshots are made of. Safe for many threads. */
final class Manifests {
  private static final int FOLDER_MODE = 0700;
  private static final int MODE = 0600;
  private static final Pattern NAME = Pattern.compile("([0-9]{1,18})(?:\\.new|-([0-9a-f]{16}))");

  private final Path folder;
  private final Files files;
  private final Trees trees;
  private final UnpackNotes notes;

  /** Ids whose files may be there before the record of them. */
  private final Set<Long> writing = ConcurrentHashMap.newKeySet();

  Manifests(Path root, Files files, Trees trees, UnpackNotes notes) {
    this.folder = root.resolve("manifests");
    this.files = files;
    this.trees = trees;
    this.notes = notes;
  }

  /**
   * A tree about to be committed.
   *
   * @param usage what it takes
   * @param seal of its manifest, which is there and not forced yet; empty if it cannot be recorded
   */
  record Sealed(Usage usage, Optional<Seal> seal) {}

  /** Says that a manifest of that id is written, until {@link #end}. */
  void begin(long id) {
    writing.add(id);
  }

  void end(long id) {
    writing.remove(id);
  }

  /** Ids of which a manifest is being written. */
  Set<Long> writing() {
    return Set.copyOf(writing);
  }

  /** Whether trees can be recorded. */
  boolean possible() {
    return trees.records();
  }

  Sealed seal(long id, Path tree) throws IOException {
    boolean noted = notes.any(tree);
    try {
      Recorded recorded =
          write(
              id,
              tree,
              notes.sums(tree),
              noted ? Recording.Unknown.READ : Recording.Unknown.LEFT_OUT,
              Pace.FULL);
      return new Sealed(
          recorded.usage(),
          Optional.of(
              new Seal(
                  recorded.sum(), recorded.entries(), recorded.complete(), notes.source(tree))));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CancelledException("commit: interrupted", e);
    }
  }

  /** Writes a manifest of a tree as it is; the caller forces it. */
  Recorded write(long id, Path tree, FileSums sums, Recording.Unknown unknown, Pace pace)
      throws IOException, InterruptedException {
    if (files.stat(folder).isEmpty()) {
      files.createDirectories(folder, FOLDER_MODE);
    }
    Path beside = folder.resolve(id + ".new");
    Recorded recorded;
    try (Files.Handle handle = files.open(beside, Files.Open.CREATE, MODE)) {
      handle.truncate(0);
      recorded = trees.record(tree, sums, unknown, pace, new HandleStream(handle));
    }
    files.rename(beside, file(id, recorded.sum()));
    return recorded;
  }

  /** Makes a manifest survive a power cut by itself. */
  void force(long id, long sum) throws IOException {
    try (Files.Handle handle = files.open(file(id, sum), Files.Open.READ, 0)) {
      handle.force();
    }
    files.forceDirectory(folder);
  }

  private Path file(long id, long sum) {
    return folder.resolve("%d-%016x".formatted(id, sum));
  }

  TreeManifest of(long id, Path tree, long sum) {
    return new TreeManifest(tree, () -> open(file(id, sum)), sum);
  }

  private InputStream open(Path file) throws IOException {
    return new HandleInput(files.open(file, Files.Open.READ, 0));
  }

  /** Which manifests are needed. */
  @FunctionalInterface
  interface Kept {
    /**
     * Whether one is.
     *
     * @param sum 0 for one that is being written
     */
    boolean test(long id, long sum);
  }

  /**
   * Deletes the manifests that no record tells of.
   *
   * @param look asked once it is known which there are: it must not miss any of these
   */
  void cleanup(Supplier<Kept> look) throws IOException {
    if (files.stat(folder).isEmpty()) {
      return;
    }
    List<String> names = files.list(folder);
    Kept kept = look.get();
    for (String name : names) {
      Matcher matcher = NAME.matcher(name);
      if (!matcher.matches()) {
        continue;
      }
      String sum = matcher.group(2);
      long id = Long.parseLong(matcher.group(1));
      if (!kept.test(id, sum == null ? 0 : Long.parseUnsignedLong(sum, 16))) {
        delete(folder.resolve(name));
      }
    }
  }

  void delete(long id, long sum) throws IOException {
    delete(file(id, sum));
  }

  private void delete(Path file) throws IOException {
    try {
      files.delete(file);
    } catch (NoSuchFileException _) {
      // Another clean-up was quicker.
    }
  }

  void forget(Path tree) {
    notes.forget(tree);
  }

  private static final class HandleStream extends OutputStream {
    private final Files.Handle handle;
    private long position;

    HandleStream(Files.Handle handle) {
      this.handle = handle;
    }

    @Override
    public void write(int b) throws IOException {
      write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      ByteBuffer from = ByteBuffer.wrap(bytes, offset, length);
      while (from.hasRemaining()) {
        position += handle.write(from, position);
      }
    }
  }

  private static final class HandleInput extends InputStream {
    private final Files.Handle handle;
    private long position;

    HandleInput(Files.Handle handle) {
      this.handle = handle;
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
      if (length == 0) {
        return 0;
      }
      int count = handle.read(ByteBuffer.wrap(bytes, offset, length), position);
      position += Math.max(0, count);
      return count;
    }

    @Override
    public void close() throws IOException {
      handle.close();
    }
  }
}
