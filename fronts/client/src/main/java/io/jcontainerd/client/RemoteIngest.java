package io.jcontainerd.client;

import com.google.protobuf.ByteString;
import io.jcontainerd.api.services.content.v1.WriteAction;
import io.jcontainerd.api.services.content.v1.WriteContentRequest;
import io.jcontainerd.api.services.content.v1.WriteContentResponse;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.content.Ingest;
import io.jcontainerd.core.content.IngestRequest;
import io.jcontainerd.core.content.IngestStatus;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.DataLossException;
import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.core.failure.NotImplementedException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.wire.Times;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A blob being written to the daemon: one write call, one answer to each message. */
final class RemoteIngest implements Ingest {
  private static final int LARGEST = 1 << 20;

  private final Replies<WriteContentRequest, WriteContentResponse> call;
  private final IngestRequest request;
  private WriteContentResponse last;
  private boolean ended;

  private RemoteIngest(
      Replies<WriteContentRequest, WriteContentResponse> call, IngestRequest request) {
    this.call = call;
    this.request = request;
    this.last = WriteContentResponse.getDefaultInstance();
  }

  static RemoteIngest open(
      Replies<WriteContentRequest, WriteContentResponse> call, IngestRequest request) {
    RemoteIngest ingest = new RemoteIngest(call, request);
    ingest.stat();
    return ingest;
  }

  private void stat() {
    exchange(message(WriteAction.STAT));
  }

  private WriteContentRequest.Builder message(WriteAction action) {
    return WriteContentRequest.newBuilder()
        .setAction(action)
        .setRef(request.ref())
        .setTotal(request.total())
        .setExpected(request.expected().map(Digest::toString).orElse(""));
  }

  private void exchange(WriteContentRequest.Builder message) {
    if (ended) {
      throw new FailedPreconditionException("ingest " + request.ref() + " is closed");
    }
    try {
      call.write(message.build());
      @Nullable WriteContentResponse reply = call.next();
      if (reply == null) {
        throw new UnavailableException("ingest " + request.ref() + ": the daemon hung up");
      }
      last = reply;
    } catch (ContainerdException e) {
      end();
      throw e;
    }
  }

  @Override
  public IngestStatus status() {
    return new IngestStatus(
        request.ref(),
        last.getOffset(),
        last.getTotal() > 0 ? last.getTotal() : request.total(),
        request.expected(),
        Times.toCore(last.getStartedAt()),
        Times.toCore(last.getUpdatedAt()));
  }

  @Override
  public Digest digest() {
    stat();
    return Digest.parse(last.getDigest());
  }

  @Override
  public void write(ByteBuffer bytes) {
    while (bytes.hasRemaining()) {
      long offset = last.getOffset();
      int count = Math.min(bytes.remaining(), LARGEST);
      ByteString data = ByteString.copyFrom(bytes, count);
      exchange(message(WriteAction.WRITE).setOffset(offset).setData(data));
      if (last.getOffset() != offset + count) {
        end();
        throw new DataLossException(
            "ingest "
                + request.ref()
                + ": "
                + count
                + " bytes were sent at "
                + offset
                + ", the daemon is at "
                + last.getOffset());
      }
    }
  }

  @Override
  public void truncate(long size) {
    if (size != 0) {
      throw new NotImplementedException("ingest " + request.ref() + ": truncating to " + size);
    }
    if (last.getOffset() != 0) {
      exchange(message(WriteAction.WRITE).setOffset(0));
    }
  }

  @Override
  public Digest commit(long size, Optional<Digest> expected, Map<String, String> labels) {
    WriteContentRequest.Builder message =
        message(WriteAction.COMMIT).setOffset(last.getOffset()).setTotal(size).putAllLabels(labels);
    expected.ifPresent(digest -> message.setExpected(digest.toString()));
    exchange(message);
    Digest digest = Digest.parse(last.getDigest());
    end();
    return digest;
  }

  /** Lets go of the call; after a commit or a failure the daemon has ended it already. */
  private void end() {
    if (!ended) {
      ended = true;
      call.cancel("the writer is done");
    }
  }

  /** When this returns, the daemon has given back the ref. */
  @Override
  public void close() {
    if (!ended) {
      ended = true;
      call.finish();
    }
  }
}
