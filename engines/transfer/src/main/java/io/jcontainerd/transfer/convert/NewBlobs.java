package io.jcontainerd.transfer.convert;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.CleanUp;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.FieldMask;
import io.jcontainerd.core.content.ContentInfo;
import io.jcontainerd.core.content.ContentStore;
import io.jcontainerd.core.content.Ingest;
import io.jcontainerd.core.content.IngestRequest;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.CancelledException;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.ResourceExhaustedException;
import io.jcontainerd.core.leases.Lease;
import io.jcontainerd.core.leases.LeaseStore;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;

/**
 * Blobs that are made here. What was begun and not finished is taken away again; what is there is
 * kept by the call's lease. Safe for many threads.
 */
final class NewBlobs {
  /** Stays free for everything else. */
  private static final long RESERVE = 32 << 20;

  private static final long LOOK_AFTER = 8 << 20;

  private final ContentStore content;
  private final LeaseStore leases;
  private final Supplier<Optional<Long>> room;
  private final String run = UUID.randomUUID().toString();
  private final AtomicInteger count = new AtomicInteger();

  /**
   * @param room bytes that are left where blobs go, if anybody knows
   */
  NewBlobs(ContentStore content, LeaseStore leases, Supplier<Optional<Long>> room) {
    this.content = content;
    this.leases = leases;
    this.room = room;
  }

  /** A blob that is here. */
  record Blob(Digest digest, long size) {}

  /** Writes a blob; returns its labels. */
  interface Body {
    Map<String, String> into(OutputStream out) throws IOException;
  }

  /** Makes a blob of what is written. */
  Blob make(Body body) throws IOException {
    String ref = "convert-" + run + "-" + count.getAndIncrement();
    try (Ingest ingest = content.ingest(new IngestRequest(ref))) {
      Sink sink = new Sink(ingest);
      Map<String, String> labels = body.into(sink);
      Digest digest = ingest.digest();
      try {
        ingest.commit(sink.size, Optional.of(digest), labels);
      } catch (AlreadyExistsException _) {
        keep(digest);
        label(digest, labels);
      }
      return new Blob(digest, sink.size);
    } catch (RuntimeException | IOException e) {
      abort(ref, e);
      throw e;
    }
  }

  /** Stores a document; one that is there already gets the labels, too. */
  Blob document(byte[] bytes, Map<String, String> labels) {
    try {
      return make(
          out -> {
            out.write(bytes);
            return labels;
          });
    } catch (IOException e) {
      throw new IllegalStateException("bytes in memory can be read", e);
    }
  }

  /** Adds a blob to the call's lease. */
  void keep(Digest digest) {
    Call.current()
        .lease()
        .ifPresent(
            lease -> leases.addResource(lease, new Lease.Resource(digest.toString(), "content")));
  }

  private void label(Digest digest, Map<String, String> labels) {
    if (!labels.isEmpty()) {
      ContentInfo info = new ContentInfo(digest, 0, Instant.EPOCH, Instant.EPOCH, labels);
      content.update(
          info, new FieldMask(labels.keySet().stream().map(key -> "labels." + key).toList()));
    }
  }

  private void abort(String ref, Exception why) {
    CleanUp.apart(
        () -> {
          try {
            content.abort(ref);
          } catch (NotFoundException _) {
            // it was never begun
          } catch (ContainerdException e) {
            why.addSuppressed(e);
          }
        });
  }

  /**
   * Refuses what would not leave enough for everything else.
   *
   * @param coming bytes that are about to be written where blobs go
   */
  void checkRoom(long coming) {
    room.get()
        .filter(left -> left - RESERVE < coming)
        .ifPresent(
            left -> {
              throw new ResourceExhaustedException(
                  "conversion: %d bytes are left, of which %d stay free, for %d more"
                      .formatted(left, RESERVE, coming));
            });
  }

  /** Bytes into an ingest; closing leaves it open, and who is interrupted is told. */
  private final class Sink extends OutputStream {
    private final Ingest ingest;
    private long size;
    private long unchecked = LOOK_AFTER;

    Sink(Ingest ingest) {
      this.ingest = ingest;
    }

    @Override
    public void write(int octet) {
      write(new byte[] {(byte) octet}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) {
      if (Thread.currentThread().isInterrupted()) {
        throw new CancelledException("conversion of an image");
      }
      unchecked += length;
      if (unchecked >= LOOK_AFTER) {
        unchecked = 0;
        checkRoom(0);
      }
      ingest.write(ByteBuffer.wrap(bytes, offset, length));
      size += length;
    }
  }
}
