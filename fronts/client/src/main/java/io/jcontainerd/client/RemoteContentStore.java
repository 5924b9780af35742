package io.jcontainerd.client;

import io.jcontainerd.api.services.content.v1.AbortRequest;
import io.jcontainerd.api.services.content.v1.ContentGrpc;
import io.jcontainerd.api.services.content.v1.ContentGrpc.ContentBlockingV2Stub;
import io.jcontainerd.api.services.content.v1.DeleteContentRequest;
import io.jcontainerd.api.services.content.v1.InfoRequest;
import io.jcontainerd.api.services.content.v1.ListContentRequest;
import io.jcontainerd.api.services.content.v1.ListStatusesRequest;
import io.jcontainerd.api.services.content.v1.ReadContentRequest;
import io.jcontainerd.api.services.content.v1.ReadContentResponse;
import io.jcontainerd.api.services.content.v1.StatusRequest;
import io.jcontainerd.api.services.content.v1.UpdateRequest;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.FieldMask;
import io.jcontainerd.core.content.ContentInfo;
import io.jcontainerd.core.content.ContentReader;
import io.jcontainerd.core.content.ContentStore;
import io.jcontainerd.core.content.Ingest;
import io.jcontainerd.core.content.IngestRequest;
import io.jcontainerd.core.content.IngestStatus;
import io.jcontainerd.core.failure.DataLossException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.filter.Filter;
import io.jcontainerd.wire.Contents;
import io.jcontainerd.wire.Masks;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/** The daemon's blobs. Safe for many threads. */
public final class RemoteContentStore implements ContentStore {
  private final ContentBlockingV2Stub stub;
  private final Duration stall;

  RemoteContentStore(Connection connection) {
    this.stub = ContentGrpc.newBlockingV2Stub(connection.channel());
    this.stall = connection.stall();
  }

  @Override
  public Optional<ContentInfo> find(Digest digest) {
    try {
      return Optional.of(info(digest));
    } catch (NotFoundException _) {
      return Optional.empty();
    }
  }

  @Override
  public ContentInfo info(Digest digest) {
    InfoRequest request = InfoRequest.newBuilder().setDigest(digest.toString()).build();
    return Contents.toCore(Connection.send(() -> stub.info(request)).getInfo());
  }

  @Override
  public ContentInfo update(ContentInfo info, FieldMask mask) {
    UpdateRequest.Builder request = UpdateRequest.newBuilder().setInfo(Contents.toApi(info));
    if (!mask.isAll()) {
      request.setUpdateMask(Masks.toApi(mask));
    }
    return Contents.toCore(Connection.send(() -> stub.update(request.build())).getInfo());
  }

  @Override
  public void walk(Filter filter, Consumer<ContentInfo> each) {
    list(
        List.of(),
        info -> {
          if (filter.matches(RecordFields.of(info))) {
            each.accept(info);
          }
        });
  }

  /**
   * Shows every blob that one of the filters matches, all without filters; the daemon filters.
   *
   * @param filters in containerd's filter language
   */
  public void list(List<String> filters, Consumer<ContentInfo> each) {
    ListContentRequest request = ListContentRequest.newBuilder().addAllFilters(filters).build();
    new Replies<>(stub.list(request), stall)
        .each(reply -> reply.getInfoList().forEach(i -> each.accept(Contents.toCore(i))));
  }

  @Override
  public void delete(Digest digest) {
    DeleteContentRequest request =
        DeleteContentRequest.newBuilder().setDigest(digest.toString()).build();
    Connection.send(() -> stub.delete(request));
  }

  @Override
  public ContentReader reader(Digest digest) {
    return new RemoteContentReader(this, info(digest));
  }

  /**
   * The bytes of a blob as a stream. Closing it early cancels the call.
   *
   * @throws NotFoundException from the first read if this store does not have it
   */
  public InputStream open(Digest digest, long offset) {
    return new ContentInputStream(read(digest, offset, 0));
  }

  /**
   * All bytes of a small blob, checked against its digest.
   *
   * @param most more bytes are refused
   */
  public byte[] readAll(Digest digest, int most) {
    long size = info(digest).size();
    if (size > most) {
      throw new InvalidArgumentException(
          "content " + digest + ": " + size + " bytes are more than " + most);
    }
    byte[] bytes;
    try (InputStream in = open(digest, 0)) {
      bytes = in.readAllBytes();
    } catch (IOException e) {
      throw new IllegalStateException("streams of content throw core's failures", e);
    }
    Digest found = Digest.of(digest.algorithm(), Digest.hasher(digest.algorithm()).digest(bytes));
    if (!found.equals(digest)) {
      throw new DataLossException("content " + digest + ": its bytes hash to " + found);
    }
    return bytes;
  }

  Replies<?, ReadContentResponse> read(Digest digest, long offset, long size) {
    return new Replies<>(
        stub.read(
            ReadContentRequest.newBuilder()
                .setDigest(digest.toString())
                .setOffset(offset)
                .setSize(size)
                .build()),
        stall);
  }

  @Override
  public Ingest ingest(IngestRequest request) {
    return RemoteIngest.open(new Replies<>(stub.write(), stall), request);
  }

  @Override
  public IngestStatus status(String ref) {
    StatusRequest request = StatusRequest.newBuilder().setRef(ref).build();
    return Contents.toCore(Connection.send(() -> stub.status(request)).getStatus());
  }

  @Override
  public List<IngestStatus> statuses(Filter filter) {
    return Connection.send(() -> stub.listStatuses(ListStatusesRequest.getDefaultInstance()))
        .getStatusesList()
        .stream()
        .map(Contents::toCore)
        .filter(status -> filter.matches(RecordFields.of(status)))
        .toList();
  }

  @Override
  public void abort(String ref) {
    AbortRequest request = AbortRequest.newBuilder().setRef(ref).build();
    Connection.send(() -> stub.abort(request));
  }
}
