package io.jcontainerd.content;

import io.jcontainerd.core.Digest;
import io.jcontainerd.core.content.Ingest;
import io.jcontainerd.core.content.IngestRequest;
import io.jcontainerd.core.content.IngestStatus;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.DataLossException;
import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.OutOfRangeException;
import io.jcontainerd.core.ports.Files;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;

/**
 * An ingest into a folder.
 *
 * <p>Every {@value #FORCE_EVERY} bytes, and when the ingest is closed without a commit, the bytes
 * are forced and the fact is noted, so that little is lost in a power cut.
 */
final class LocalIngest implements Ingest {
  private static final Logger LOG = System.getLogger(LocalIngest.class.getName());
  private static final long FORCE_EVERY = 64 << 20;
  private static final int BUFFER = 1 << 20;
  static final int BLOB_MODE = 0444;

  private final LocalContentStore store;
  private final IngestFolder folder;
  private final Files.Handle data;
  private final IngestRequest request;
  private final Instant startedAt;
  private final long total;
  private MessageDigest hash;
  private long offset;
  private long forced;
  private Instant updatedAt;
  private boolean dirty;

  /** Whether bytes may be lost although the kernel says otherwise: a force failed. */
  private boolean doubtful;

  private boolean closed;

  LocalIngest(
      LocalContentStore store,
      IngestFolder folder,
      Files.Handle data,
      IngestRequest request,
      IngestStatus status)
      throws IOException {
    this.store = store;
    this.folder = folder;
    this.data = data;
    this.request = request;
    this.startedAt = status.startedAt();
    this.updatedAt = status.updatedAt();
    this.total = Math.max(status.total(), request.total());
    this.offset = status.offset();
    this.forced = status.offset();
    this.hash = hash(request.expected().map(Digest::algorithm).orElse("sha256"));
  }

  /** Hashes what is in the file. */
  private MessageDigest hash(String algorithm) throws IOException {
    MessageDigest hasher = Digest.hasher(algorithm);
    ByteBuffer buffer = ByteBuffer.allocate((int) Math.min(BUFFER, Math.max(1, offset)));
    for (long at = 0; at < offset; ) {
      buffer.clear().limit((int) Math.min(buffer.capacity(), offset - at));
      int count = data.read(buffer, at);
      if (count < 0) {
        throw new IOException("the file is shorter than it was");
      }
      hasher.update(buffer.flip());
      at += count;
    }
    return hasher;
  }

  @Override
  public IngestStatus status() {
    return new IngestStatus(request.ref(), offset, total, request.expected(), startedAt, updatedAt);
  }

  @Override
  public Digest digest() {
    return digest(hash);
  }

  private static Digest digest(MessageDigest hash) {
    try {
      String algorithm = hash.getAlgorithm().replace("-", "").toLowerCase(java.util.Locale.ROOT);
      return Digest.of(algorithm, ((MessageDigest) hash.clone()).digest());
    } catch (CloneNotSupportedException e) {
      throw new AssertionError("the JDK's own hashes can be cloned", e);
    }
  }

  @Override
  public void write(ByteBuffer bytes) {
    check();
    try {
      while (bytes.hasRemaining()) {
        ByteBuffer piece = bytes.duplicate();
        int count = data.write(bytes, offset);
        dirty = true;
        hash.update(piece.limit(piece.position() + count));
        offset += count;
      }
      updatedAt = store.time().now();
      if (offset - forced >= FORCE_EVERY) {
        park();
      }
    } catch (NoSuchFileException e) {
      throw gone(e);
    } catch (IOException e) {
      throw failure("write at " + offset, e);
    }
  }

  @Override
  public void truncate(long size) {
    check();
    if (size < 0 || size > offset) {
      throw new OutOfRangeException(
          "ingest ref %s: cannot cut %d bytes to %d".formatted(request.ref(), offset, size));
    }
    try {
      folder.forgetForced(store.bootId());
      data.truncate(size);
      offset = size;
      forced = 0;
      dirty = true;
      hash = hash(digest().algorithm());
      doubtful &= size > 0;
      updatedAt = store.time().now();
    } catch (NoSuchFileException e) {
      throw gone(e);
    } catch (IOException e) {
      throw failure("truncate to " + size, e);
    }
  }

  @Override
  public Digest commit(long size, Optional<Digest> expected, Map<String, String> labels) {
    check();
    if (doubtful) {
      throw new DataLossException(
          "ingest ref %s: its bytes could not be forced to the disk, start over"
              .formatted(request.ref()));
    }
    if (size > 0 && size != offset) {
      throw new FailedPreconditionException(
          "ingest ref %s: unexpected commit size %d, expected %d"
              .formatted(request.ref(), offset, size));
    }
    Optional<Digest> wanted = expected.or(request::expected);
    try {
      Digest digest = check(wanted);
      Path blob = store.blob(digest);
      if (store.files().stat(blob).isPresent()) {
        throw exists(digest);
      }
      finish(digest, blob);
      return digest;
    } catch (NoSuchFileException e) {
      throw gone(e);
    } catch (IOException e) {
      throw failure("commit", e);
    }
  }

  private Digest check(Optional<Digest> wanted) throws IOException {
    Digest digest = digest();
    if (wanted.isEmpty()) {
      return digest;
    }
    if (!wanted.get().algorithm().equals(digest.algorithm())) {
      digest = digest(hash(wanted.get().algorithm()));
    }
    if (!wanted.get().equals(digest)) {
      throw new FailedPreconditionException(
          ("ingest ref %s: unexpected commit digest %s, expected %s," + " fetch the content again")
              .formatted(request.ref(), digest, wanted.get()));
    }
    return digest;
  }

  /**
   * The blob is made final under its ingest's name, forced, renamed, and its new name forced.
   * Should the last step fail, the name is taken back: nobody may rely on a blob that can vanish.
   */
  private void finish(Digest digest, Path blob) throws IOException {
    Files files = store.files();
    Path folderOfBlobs = store.folderFor(digest.algorithm());
    files.setMode(folder.data(), BLOB_MODE);
    files.setModified(folder.data(), store.time().now());
    force();
    try {
      files.renameNew(folder.data(), blob);
    } catch (FileAlreadyExistsException _) {
      throw exists(digest);
    }
    try {
      files.forceDirectory(folderOfBlobs);
    } catch (IOException e) {
      try {
        files.renameNew(blob, folder.data());
      } catch (IOException second) {
        e.addSuppressed(second);
      }
      throw e;
    }
    dirty = false;
    store.discard(folder);
    close();
  }

  /** Ends the ingest of a blob that is there, and makes sure that it stays there. */
  private AlreadyExistsException exists(Digest digest) throws IOException {
    store.files().forceDirectory(store.folderFor(digest.algorithm()));
    dirty = false;
    store.discard(folder);
    close();
    return new AlreadyExistsException("content " + digest);
  }

  private void force() throws IOException {
    try {
      data.force();
    } catch (IOException e) {
      doubtful = true;
      throw e;
    }
  }

  /** Makes what is there durable and says so in the folder. */
  private void park() throws IOException {
    force();
    folder.noteForced(store.bootId(), offset, updatedAt);
    forced = offset;
    dirty = false;
  }

  private void check() {
    if (closed) {
      throw new FailedPreconditionException("ingest ref " + request.ref() + " is closed");
    }
  }

  private NotFoundException gone(IOException cause) {
    return new NotFoundException("ingest ref " + request.ref(), cause);
  }

  private ContainerdException failure(String what, IOException cause) {
    return IoFailures.of("ingest ref " + request.ref() + ": " + what, cause);
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    try (data) {
      if (doubtful) {
        data.truncate(0);
      } else if (dirty) {
        park();
      }
    } catch (NoSuchFileException _) {
      // Aborted while it was open: nothing is left to keep.
    } catch (IOException e) {
      LOG.log(
          Level.WARNING,
          "ingest ref " + request.ref() + " may have to start over after a power cut",
          e);
    } finally {
      store.unlock(request.ref());
    }
  }
}
