package io.jcontainerd.testkit.memory;

import io.jcontainerd.core.Digest;
import io.jcontainerd.core.FieldMask;
import io.jcontainerd.core.Labels;
import io.jcontainerd.core.content.ContentInfo;
import io.jcontainerd.core.content.ContentReader;
import io.jcontainerd.core.content.ContentStore;
import io.jcontainerd.core.content.Ingest;
import io.jcontainerd.core.content.IngestRequest;
import io.jcontainerd.core.content.IngestStatus;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.filter.Fields;
import io.jcontainerd.core.filter.Filter;
import io.jcontainerd.core.ports.Time;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Blobs, labels and ingests in memory. Safe for many threads. */
public final class InMemoryContentStore implements ContentStore {
  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Blob(ContentInfo info, byte[] bytes) {}

  private static final class Part {
    final IngestRequest request;
    final Instant startedAt;
    Instant updatedAt;
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    @Nullable Instant lockedSince;

    Part(IngestRequest request, Instant startedAt) {
      this.request = request;
      this.startedAt = startedAt;
      this.updatedAt = startedAt;
    }

    IngestStatus status() {
      return new IngestStatus(
          request.ref(), bytes.size(), request.total(), request.expected(), startedAt, updatedAt);
    }
  }

  private final Spaces<Digest, Blob> blobs = new Spaces<>();
  private final Spaces<String, Part> parts = new Spaces<>();
  private final Time time;

  /** An empty store that reads this clock. */
  public InMemoryContentStore(Time time) {
    this.time = time;
  }

  /** An empty store. */
  public InMemoryContentStore() {
    this(Time.SYSTEM);
  }

  /** Adds a blob without ceremony, and returns its digest. */
  public Digest add(byte[] bytes, Map<String, String> labels) {
    Digest digest = Digest.sha256(bytes);
    store(digest, bytes, labels);
    return digest;
  }

  private synchronized void store(Digest digest, byte[] bytes, Map<String, String> labels) {
    Instant now = time.now();
    blobs
        .current()
        .put(digest, new Blob(new ContentInfo(digest, bytes.length, now, now, labels), bytes));
  }

  @Override
  public synchronized Optional<ContentInfo> find(Digest digest) {
    return Optional.ofNullable(blobs.current().get(digest)).map(Blob::info);
  }

  @Override
  public synchronized ContentInfo update(ContentInfo info, FieldMask mask) {
    Blob blob = blob(info.digest());
    ContentInfo old = blob.info();
    var labels = Masks.labels(mask, "content info", old.labels(), info.labels());
    var updated = new ContentInfo(old.digest(), old.size(), old.createdAt(), time.now(), labels);
    blobs.current().put(info.digest(), new Blob(updated, blob.bytes()));
    return updated;
  }

  @Override
  public void walk(Filter filter, Consumer<ContentInfo> each) {
    List<ContentInfo> all;
    synchronized (this) {
      all = blobs.current().values().stream().map(Blob::info).toList();
    }
    all.stream().filter(info -> filter.matches(fields(info))).forEach(each);
  }

  private static Fields fields(ContentInfo info) {
    return path ->
        switch (path.getFirst()) {
          case "digest" -> Optional.of(info.digest().toString());
          case "labels" -> Fields.entry(info.labels(), path);
          default -> Optional.empty();
        };
  }

  @Override
  public synchronized void delete(Digest digest) {
    blob(digest);
    blobs.current().remove(digest);
  }

  @Override
  public synchronized ContentReader reader(Digest digest) {
    return new Reader(blob(digest).bytes());
  }

  private Blob blob(Digest digest) {
    Blob blob = blobs.current().get(digest);
    if (blob == null) {
      throw new NotFoundException("content " + digest);
    }
    return blob;
  }

  @Override
  public synchronized Ingest ingest(IngestRequest request) {
    request
        .expected()
        .filter(blobs.current()::containsKey)
        .ifPresent(
            digest -> {
              throw new AlreadyExistsException("content " + digest);
            });
    Part part = parts.current().get(request.ref());
    if (part != null && part.lockedSince != null) {
      throw new UnavailableException(
          "ref %s locked for %s (since %s)"
              .formatted(
                  request.ref(),
                  java.time.Duration.between(part.lockedSince, time.now()),
                  part.lockedSince));
    }
    if (part != null
        && part.request.total() > 0
        && request.total() > 0
        && part.request.total() != request.total()) {
      throw new FailedPreconditionException(
          "ingest %s: total %d differs from %d given before"
              .formatted(request.ref(), request.total(), part.request.total()));
    }
    if (part == null) {
      part = new Part(request, time.now());
      parts.current().put(request.ref(), part);
    }
    part.lockedSince = time.now();
    return new Writer(request, part);
  }

  @Override
  public synchronized IngestStatus status(String ref) {
    Part part = parts.current().get(ref);
    if (part == null) {
      throw new NotFoundException("ingest ref " + ref);
    }
    return part.status();
  }

  @Override
  public synchronized Optional<ContentReader> ingestReader(String ref) {
    return Optional.ofNullable(parts.current().get(ref)).map(PartReader::new);
  }

  private final class PartReader implements ContentReader {
    private final Part part;

    PartReader(Part part) {
      this.part = part;
    }

    private byte[] bytes() {
      synchronized (InMemoryContentStore.this) {
        return part.bytes.toByteArray();
      }
    }

    @Override
    public long size() {
      return bytes().length;
    }

    @Override
    public int read(ByteBuffer into, long position) {
      return new Reader(bytes()).read(into, position);
    }

    @Override
    public void close() {}
  }

  @Override
  public synchronized List<IngestStatus> statuses(Filter filter) {
    return parts.current().values().stream()
        .map(Part::status)
        .filter(
            status ->
                filter.matches(
                    path ->
                        path.getFirst().equals("ref")
                            ? Optional.of(status.ref())
                            : Optional.empty()))
        .toList();
  }

  @Override
  public synchronized void abort(String ref) {
    if (parts.current().remove(ref) == null) {
      throw new NotFoundException("ingest ref " + ref);
    }
  }

  private final class Writer implements Ingest {
    private final IngestRequest request;
    private final Part part;
    private boolean closed;

    Writer(IngestRequest request, Part part) {
      this.request = request;
      this.part = part;
    }

    private void check() {
      if (closed) {
        throw new FailedPreconditionException("ingest " + request.ref() + " is closed");
      }
      if (parts.current().get(request.ref()) != part) {
        throw new NotFoundException("ingest ref " + request.ref());
      }
    }

    @Override
    public IngestStatus status() {
      synchronized (InMemoryContentStore.this) {
        IngestStatus status = part.status();
        return new IngestStatus(
            status.ref(),
            status.offset(),
            Math.max(status.total(), request.total()),
            request.expected(),
            status.startedAt(),
            status.updatedAt());
      }
    }

    @Override
    public Digest digest() {
      synchronized (InMemoryContentStore.this) {
        return digest(request.expected().map(Digest::algorithm).orElse("sha256"));
      }
    }

    private Digest digest(String algorithm) {
      return Digest.of(algorithm, Digest.hasher(algorithm).digest(part.bytes.toByteArray()));
    }

    @Override
    public void write(ByteBuffer bytes) {
      synchronized (InMemoryContentStore.this) {
        check();
        byte[] copy = new byte[bytes.remaining()];
        bytes.get(copy);
        part.bytes.writeBytes(copy);
        part.updatedAt = time.now();
      }
    }

    @Override
    public void truncate(long size) {
      synchronized (InMemoryContentStore.this) {
        check();
        var kept = new ByteArrayOutputStream();
        kept.writeBytes(Arrays.copyOf(part.bytes.toByteArray(), Math.toIntExact(size)));
        part.bytes = kept;
      }
    }

    @Override
    public Digest commit(long size, Optional<Digest> expected, Map<String, String> labels) {
      synchronized (InMemoryContentStore.this) {
        check();
        Labels.check(labels);
        if (size > 0 && size != part.bytes.size()) {
          throw new FailedPreconditionException(
              "ingest %s: unexpected commit size %d, expected %d"
                  .formatted(request.ref(), part.bytes.size(), size));
        }
        Optional<Digest> wanted = expected.or(request::expected);
        Digest actual = digest(wanted.map(Digest::algorithm).orElse("sha256"));
        if (wanted.isPresent() && !wanted.get().equals(actual)) {
          throw new FailedPreconditionException(
              "ingest %s: unexpected commit digest %s, expected %s"
                  .formatted(request.ref(), actual, wanted.get()));
        }
        parts.current().remove(request.ref());
        closed = true;
        if (blobs.current().containsKey(actual)) {
          throw new AlreadyExistsException("content " + actual);
        }
        store(actual, part.bytes.toByteArray(), Labels.stored(labels));
        return actual;
      }
    }

    @Override
    public void close() {
      synchronized (InMemoryContentStore.this) {
        if (!closed) {
          closed = true;
          part.lockedSince = null;
        }
      }
    }
  }

  private static final class Reader implements ContentReader {
    private final byte[] bytes;

    Reader(byte[] bytes) {
      this.bytes = bytes;
    }

    @Override
    public long size() {
      return bytes.length;
    }

    @Override
    public int read(ByteBuffer into, long position) {
      if (position >= bytes.length) {
        return -1;
      }
      int count = (int) Math.min(into.remaining(), bytes.length - position);
      into.put(bytes, (int) position, count);
      return count;
    }

    @Override
    public void close() {}
  }
}
