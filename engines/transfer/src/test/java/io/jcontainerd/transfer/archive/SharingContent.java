package io.jcontainerd.transfer.archive;

import io.jcontainerd.core.Digest;
import io.jcontainerd.core.FieldMask;
import io.jcontainerd.core.content.ContentInfo;
import io.jcontainerd.core.content.ContentReader;
import io.jcontainerd.core.content.ContentStore;
import io.jcontainerd.core.content.Ingest;
import io.jcontainerd.core.content.IngestRequest;
import io.jcontainerd.core.content.IngestStatus;
import io.jcontainerd.core.filter.Filter;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * A namespace's content where blobs of other namespaces may be taken over: their ingests begin with
 * all bytes, and only need a commit.
 */
final class SharingContent implements ContentStore {
  final Map<Digest, byte[]> elsewhere = new HashMap<>();
  private final ContentStore own;

  SharingContent(ContentStore own) {
    this.own = own;
  }

  @Override
  public Ingest ingest(IngestRequest request) {
    Optional<byte[]> shared =
        request
            .expected()
            .filter(digest -> own.find(digest).isEmpty())
            .flatMap(digest -> Optional.ofNullable(elsewhere.get(digest)));
    return shared
        .<Ingest>map(bytes -> new Takeover(request, bytes))
        .orElseGet(() -> own.ingest(request));
  }

  private final class Takeover implements Ingest {
    private final IngestRequest request;
    private final byte[] bytes;

    Takeover(IngestRequest request, byte[] bytes) {
      this.request = request;
      this.bytes = bytes;
    }

    @Override
    public IngestStatus status() {
      return new IngestStatus(
          request.ref(),
          bytes.length,
          bytes.length,
          request.expected(),
          Instant.EPOCH,
          Instant.EPOCH);
    }

    @Override
    public Digest digest() {
      return request.expected().orElseThrow();
    }

    @Override
    public void write(ByteBuffer more) {
      throw new AssertionError("bytes were written that are there already");
    }

    @Override
    public void truncate(long size) {
      throw new AssertionError("nobody begins anew what is there");
    }

    @Override
    public Digest commit(long size, Optional<Digest> expected, Map<String, String> labels) {
      try (Ingest ingest = own.ingest(request)) {
        ingest.write(ByteBuffer.wrap(bytes));
        return ingest.commit(size, expected, labels);
      }
    }

    @Override
    public void close() {}
  }

  @Override
  public Optional<ContentInfo> find(Digest digest) {
    return own.find(digest);
  }

  @Override
  public ContentInfo update(ContentInfo info, FieldMask mask) {
    return own.update(info, mask);
  }

  @Override
  public void walk(Filter filter, Consumer<ContentInfo> each) {
    own.walk(filter, each);
  }

  @Override
  public void delete(Digest digest) {
    own.delete(digest);
  }

  @Override
  public ContentReader reader(Digest digest) {
    return own.reader(digest);
  }

  @Override
  public IngestStatus status(String ref) {
    return own.status(ref);
  }

  @Override
  public List<IngestStatus> statuses(Filter filter) {
    return own.statuses(filter);
  }

  @Override
  public void abort(String ref) {
    own.abort(ref);
  }
}
