package io.jcontainerd.services;

import io.jcontainerd.api.services.content.v1.WriteAction;
import io.jcontainerd.api.services.content.v1.WriteContentRequest;
import io.jcontainerd.api.services.content.v1.WriteContentResponse;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.content.ContentStore;
import io.jcontainerd.core.content.Ingest;
import io.jcontainerd.core.content.IngestRequest;
import io.jcontainerd.core.content.IngestStatus;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.OutOfRangeException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.services.rpc.Sink;
import io.jcontainerd.services.rpc.Source;
import io.jcontainerd.wire.Contents;
import io.jcontainerd.wire.Times;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * One Write call: the steps by which a client fills an ingest and makes it a blob.
 *
 * <p>The first request names the ingest, whose lock is held until the call ends, however it ends;
 * what was written stays and can be resumed. Each request gets one answer with the offset reached
 * and the digest so far. A request whose offset is 0 begins anew, any other must name the end.
 * COMMIT ends the call. A blob that turns out to be there already ends it too, with AlreadyExists,
 * which clients take for success.
 *
 * <p>When the call ends well, containerd sends the last answer a second time; clients know, and so
 * do we.
 */
final class ContentWrite {
  private static final Logger LOG = System.getLogger("io.jcontainerd.services");

  private final ContentStore store;
  private final Source<WriteContentRequest> requests;
  private final Sink<WriteContentResponse> answers;

  private String ref = "";
  private long total;
  private Optional<Digest> expected = Optional.empty();

  ContentWrite(
      ContentStore store,
      Source<WriteContentRequest> requests,
      Sink<WriteContentResponse> answers) {
    this.store = store;
    this.requests = requests;
    this.answers = answers;
  }

  void run() throws InterruptedException {
    WriteContentRequest first =
        requests
            .next()
            .filter(request -> !request.getRef().isEmpty())
            .orElseThrow(() -> new InvalidArgumentException("first message must have a reference"));
    ref = first.getRef();
    total = first.getTotal();
    expected = Contents.digest(first.getExpected());
    try (Ingest ingest = open()) {
      serve(ingest, first);
    }
  }

  private Ingest open() {
    try {
      return store.ingest(new IngestRequest(ref, total, expected));
    } catch (AlreadyExistsException e) {
      discard(e);
      throw e;
    }
  }

  private void serve(Ingest ingest, WriteContentRequest first) throws InterruptedException {
    Optional<WriteContentRequest> next = Optional.of(first);
    @Nullable WriteContentResponse last = null;
    while (next.isPresent()) {
      WriteContentRequest request = next.get();
      announce(ingest, request);
      last = step(ingest, request);
      answers.send(last);
      next = request.getAction() == WriteAction.COMMIT ? Optional.empty() : requests.next();
    }
    if (last != null) {
      answers.send(last);
    }
  }

  /** Takes what the request says of the whole, which may be more than was known before. */
  private void announce(Ingest ingest, WriteContentRequest request) {
    if (request.getTotal() > 0 && request.getTotal() != total) {
      LOG.log(
          Level.DEBUG,
          () -> "ingest %s: total changes from %d to %d".formatted(ref, total, request.getTotal()));
      total = request.getTotal();
    }
    Optional<Digest> announced = Contents.digest(request.getExpected());
    if (announced.isEmpty()) {
      return;
    }
    if (!announced.equals(expected)) {
      LOG.log(
          Level.DEBUG,
          () ->
              "ingest %s: expected digest changes from %s to %s"
                  .formatted(ref, expected, announced.get()));
      expected = announced;
    }
    if (store.find(announced.get()).isPresent()) {
      var there = new AlreadyExistsException("content " + announced.get());
      ingest.close();
      discard(there);
      throw there;
    }
  }

  private WriteContentResponse step(Ingest ingest, WriteContentRequest request) {
    return switch (request.getAction()) {
      case STAT -> answer(request, ingest.status(), ingest.digest());
      case WRITE -> {
        write(ingest, request);
        yield answer(request, ingest.status(), ingest.digest());
      }
      case COMMIT -> {
        write(ingest, request);
        IngestStatus status = ingest.status();
        Digest digest = ingest.commit(total, expected, request.getLabelsMap());
        yield answer(request, status, digest);
      }
      case UNRECOGNIZED ->
          throw new InvalidArgumentException(
              "ingest %s: unknown action %d".formatted(ref, request.getActionValue()));
    };
  }

  private void write(Ingest ingest, WriteContentRequest request) {
    long reached = ingest.status().offset();
    if (request.getOffset() == 0 && reached > 0) {
      ingest.truncate(0);
    } else if (request.getOffset() != reached) {
      throw new OutOfRangeException(
          "ingest %s: write @%d must occur at current offset %d"
              .formatted(ref, request.getOffset(), reached));
    }
    if (!request.getData().isEmpty()) {
      ingest.write(request.getData().asReadOnlyByteBuffer());
    }
  }

  private WriteContentResponse answer(
      WriteContentRequest request, IngestStatus status, Digest digest) {
    return WriteContentResponse.newBuilder()
        .setAction(request.getAction())
        .setStartedAt(Times.toApi(status.startedAt()))
        .setUpdatedAt(Times.toApi(status.updatedAt()))
        .setOffset(status.offset())
        .setTotal(total)
        .setDigest(digest.toString())
        .build();
  }

  /** Removes the ingest of a blob that is there already; who still writes it learns the same. */
  private void discard(AlreadyExistsException why) {
    try {
      store.abort(ref);
    } catch (NotFoundException | UnavailableException e) {
      why.addSuppressed(e);
    }
  }
}
