package io.jcontainerd.services;

import com.google.protobuf.Empty;
import com.google.protobuf.UnsafeByteOperations;
import io.grpc.ServerServiceDefinition;
import io.jcontainerd.api.services.content.v1.AbortRequest;
import io.jcontainerd.api.services.content.v1.ContentGrpc;
import io.jcontainerd.api.services.content.v1.DeleteContentRequest;
import io.jcontainerd.api.services.content.v1.Info;
import io.jcontainerd.api.services.content.v1.InfoRequest;
import io.jcontainerd.api.services.content.v1.InfoResponse;
import io.jcontainerd.api.services.content.v1.ListContentRequest;
import io.jcontainerd.api.services.content.v1.ListContentResponse;
import io.jcontainerd.api.services.content.v1.ListStatusesRequest;
import io.jcontainerd.api.services.content.v1.ListStatusesResponse;
import io.jcontainerd.api.services.content.v1.ReadContentRequest;
import io.jcontainerd.api.services.content.v1.ReadContentResponse;
import io.jcontainerd.api.services.content.v1.StatusRequest;
import io.jcontainerd.api.services.content.v1.StatusResponse;
import io.jcontainerd.api.services.content.v1.UpdateRequest;
import io.jcontainerd.api.services.content.v1.UpdateResponse;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.content.ContentReader;
import io.jcontainerd.core.content.ContentStore;
import io.jcontainerd.core.failure.DataLossException;
import io.jcontainerd.core.failure.OutOfRangeException;
import io.jcontainerd.core.filter.Filter;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.services.rpc.Endpoint;
import io.jcontainerd.services.rpc.Sink;
import io.jcontainerd.wire.Contents;
import io.jcontainerd.wire.Masks;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** {@code containerd.services.content.v1.Content}. */
final class ContentService {
  private static final int CHUNK = 1 << 20;

  private final ContentStore store;

  ContentService(ContentStore store) {
    this.store = store;
  }

  ServerServiceDefinition define(Time time) {
    return new Endpoint(ContentGrpc.getServiceDescriptor(), time)
        .unary(ContentGrpc.getInfoMethod(), this::info)
        .unary(ContentGrpc.getUpdateMethod(), this::update)
        .serverStream(ContentGrpc.getListMethod(), this::list)
        .unary(ContentGrpc.getDeleteMethod(), this::delete)
        .serverStream(ContentGrpc.getReadMethod(), this::read)
        .unary(ContentGrpc.getStatusMethod(), this::status)
        .unary(ContentGrpc.getListStatusesMethod(), this::listStatuses)
        .bothStream(
            ContentGrpc.getWriteMethod(),
            (requests, answers) -> new ContentWrite(store, requests, answers).run())
        .unary(ContentGrpc.getAbortMethod(), this::abort)
        .build();
  }

  private InfoResponse info(InfoRequest request) {
    return InfoResponse.newBuilder()
        .setInfo(Contents.toApi(store.info(Digest.parse(request.getDigest()))))
        .build();
  }

  private UpdateResponse update(UpdateRequest request) {
    return UpdateResponse.newBuilder()
        .setInfo(
            Contents.toApi(
                store.update(
                    Contents.toCore(request.getInfo()), Masks.toCore(request.getUpdateMask()))))
        .build();
  }

  private void list(ListContentRequest request, Sink<ListContentResponse> answers)
      throws InterruptedException {
    List<Info> found = new ArrayList<>();
    store.walk(Filter.any(request.getFiltersList()), info -> found.add(Contents.toApi(info)));
    Blocks.send(
        found, block -> ListContentResponse.newBuilder().addAllInfo(block).build(), answers);
  }

  private Empty delete(DeleteContentRequest request) {
    store.delete(Digest.parse(request.getDigest()));
    return Empty.getDefaultInstance();
  }

  private void read(ReadContentRequest request, Sink<ReadContentResponse> answers)
      throws InterruptedException {
    Digest digest = Digest.parse(request.getDigest());
    try (ContentReader reader = store.reader(digest)) {
      long start = Math.max(0, request.getOffset());
      if (start > reader.size()) {
        throw new OutOfRangeException(
            "content %s: offset %d past the end, size %d".formatted(digest, start, reader.size()));
      }
      long wanted = reader.size() - start;
      if (request.getSize() > 0) {
        wanted = Math.min(wanted, request.getSize());
      }
      for (long sent = 0; sent < wanted; ) {
        byte[] chunk = new byte[(int) Math.min(CHUNK, wanted - sent)];
        fill(reader, ByteBuffer.wrap(chunk), start + sent, digest);
        answers.send(
            ReadContentResponse.newBuilder()
                .setOffset(sent)
                .setData(UnsafeByteOperations.unsafeWrap(chunk))
                .build());
        sent += chunk.length;
      }
    }
  }

  private static void fill(ContentReader reader, ByteBuffer into, long position, Digest digest) {
    while (into.hasRemaining()) {
      if (reader.read(into, position + into.position()) < 0) {
        throw new DataLossException(
            "content %s: ends at %d, size %d"
                .formatted(digest, position + into.position(), reader.size()));
      }
    }
  }

  private StatusResponse status(StatusRequest request) {
    return StatusResponse.newBuilder()
        .setStatus(Contents.toApi(store.status(request.getRef())))
        .build();
  }

  private ListStatusesResponse listStatuses(ListStatusesRequest request) {
    return ListStatusesResponse.newBuilder()
        .addAllStatuses(
            store.statuses(Filter.any(request.getFiltersList())).stream()
                .map(Contents::toApi)
                .toList())
        .build();
  }

  private Empty abort(AbortRequest request) {
    store.abort(request.getRef());
    return Empty.getDefaultInstance();
  }
}
