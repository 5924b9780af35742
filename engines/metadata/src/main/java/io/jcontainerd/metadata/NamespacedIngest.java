package io.jcontainerd.metadata;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.Labels;
import io.jcontainerd.core.content.ContentInfo;
import io.jcontainerd.core.content.ContentReader;
import io.jcontainerd.core.content.Ingest;
import io.jcontainerd.core.content.IngestRequest;
import io.jcontainerd.core.content.IngestStatus;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.FailedPreconditionException;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * An ingest of one namespace. It either has an ingest of the backend below it, or shares a blob
 * that the backend has already and so needs no bytes; writing or cutting turns the second into the
 * first.
 */
final class NamespacedIngest implements Ingest {
  private static final int CHUNK = 1 << 20;

  private final NamespacedContentStore store;
  private final Call call;
  private final IngestRequest request;
  private final NamespacedContentStore.Ref ref;
  private final String backendRef;

  private @Nullable Ingest own;
  private Guards.@Nullable Hold hold;
  private @Nullable ContentInfo shared;
  private boolean finished;
  private boolean closed;

  /** One that writes bytes. */
  NamespacedIngest(
      NamespacedContentStore store,
      Call call,
      IngestRequest request,
      NamespacedContentStore.Ref ref,
      String backendRef,
      Ingest own) {
    this.store = store;
    this.call = call;
    this.request = request;
    this.ref = ref;
    this.backendRef = backendRef;
    this.own = own;
  }

  /** One that shares a blob, held until the end. */
  NamespacedIngest(
      NamespacedContentStore store,
      Call call,
      IngestRequest request,
      NamespacedContentStore.Ref ref,
      String backendRef,
      Guards.Hold hold,
      ContentInfo shared) {
    this.store = store;
    this.call = call;
    this.request = request;
    this.ref = ref;
    this.backendRef = backendRef;
    this.hold = hold;
    this.shared = shared;
  }

  private void check() {
    if (finished || closed) {
      throw new FailedPreconditionException("ingest ref " + ref.ref() + " is closed");
    }
  }

  @Override
  public IngestStatus status() {
    ContentInfo blob = shared;
    if (blob != null) {
      Instant now = blob.createdAt();
      return new IngestStatus(
          ref.ref(), blob.size(), blob.size(), request.expected(), now, blob.updatedAt());
    }
    return NamespacedContentStore.renamed(own().status(), ref.ref(), request.expected());
  }

  private Ingest own() {
    Ingest ingest = own;
    if (ingest == null) {
      throw new FailedPreconditionException("ingest ref " + ref.ref() + " is closed");
    }
    return ingest;
  }

  @Override
  public Digest digest() {
    ContentInfo blob = shared;
    return blob != null ? blob.digest() : own().digest();
  }

  @Override
  public void write(ByteBuffer bytes) {
    check();
    ContentInfo blob = shared;
    if (blob != null) {
      copyShared(blob);
    }
    own().write(bytes);
  }

  /** Writes what was shared so far, so that more can follow it. */
  private void copyShared(ContentInfo blob) {
    Ingest copy = store.openBackend(request, backendRef, true);
    boolean whole = false;
    try (ContentReader reader = store.backend().reader(blob.digest())) {
      ByteBuffer chunk = ByteBuffer.allocate(CHUNK);
      copy.truncate(0);
      for (long at = 0; at < reader.size(); ) {
        chunk.clear();
        int count = reader.read(chunk, at);
        if (count < 0) {
          break;
        }
        at += count;
        copy.write(chunk.flip());
      }
      whole = true;
    } finally {
      if (!whole) {
        copy.close();
      }
    }
    stopSharing(copy);
  }

  private void stopSharing(Ingest instead) {
    own = instead;
    shared = null;
    release();
  }

  private void release() {
    Guards.Hold held = hold;
    hold = null;
    if (held != null) {
      held.close();
    }
  }

  @Override
  public void truncate(long size) {
    check();
    ContentInfo blob = shared;
    if (blob != null && size == 0) {
      Ingest fresh = store.openBackend(request, backendRef, true);
      stopSharing(fresh);
    } else if (blob != null) {
      copyShared(blob);
    }
    own().truncate(size);
  }

  @Override
  public Digest commit(long size, Optional<Digest> expected, Map<String, String> labels) {
    check();
    Map<String, String> kept = Labels.stored(labels);
    store.checkRecorded(call, ref, backendRef, expected.or(request::expected));
    ContentInfo blob = shared;
    return blob != null
        ? commitShared(blob, size, expected, kept)
        : commitOwn(size, expected, kept);
  }

  private Digest commitShared(
      ContentInfo blob, long size, Optional<Digest> expected, Map<String, String> labels) {
    if (size > 0 && size != blob.size()) {
      throw new FailedPreconditionException(
          "ingest ref %s: unexpected commit size %d, expected %d"
              .formatted(ref.ref(), blob.size(), size));
    }
    if (expected.isPresent() && !expected.get().equals(blob.digest())) {
      throw new FailedPreconditionException(
          ("ingest ref %s: unexpected commit digest %s, expected %s," + " fetch the content again")
              .formatted(ref.ref(), blob.digest(), expected.get()));
    }
    boolean existed = store.finish(call, ref.ref(), backendRef, blob.digest(), blob.size(), labels);
    finished = true;
    release();
    return refuseExisting(existed, blob.digest());
  }

  private Digest commitOwn(long size, Optional<Digest> expected, Map<String, String> labels) {
    Ingest ingest = own();
    Optional<Digest> wanted = expected.or(request::expected);
    Digest name = wanted.orElseGet(ingest::digest);
    long written = ingest.status().offset();
    hold = store.guards().hold(Guards.content(name.toString()));
    try {
      try {
        ingest.commit(size, wanted, Map.of());
      } catch (AlreadyExistsException e) {
        // The backend has it, from another namespace or not yet swept: now it is ours too.
        if (store.backend().find(name).isEmpty()) {
          throw e;
        }
      } catch (FailedPreconditionException e) { // names the ingest as the backend knows it
        String text = String.valueOf(e.getMessage());
        throw new FailedPreconditionException(text.replace(backendRef, ref.ref()), e);
      }
      own = null;
      ingest.close();
      return record(name, written, labels);
    } finally {
      if (shared == null) {
        release();
      }
    }
  }

  /** The bytes are a blob now: if that cannot be recorded, another try needs no bytes. */
  private Digest record(Digest name, long written, Map<String, String> labels) {
    boolean existed;
    try {
      existed = store.finish(call, ref.ref(), backendRef, name, written, labels);
    } catch (RuntimeException e) {
      shared = store.backend().find(name).orElse(null);
      throw e;
    }
    finished = true;
    return refuseExisting(existed, name);
  }

  private static Digest refuseExisting(boolean existed, Digest digest) {
    if (existed) {
      throw new AlreadyExistsException("content " + digest);
    }
    return digest;
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    try {
      release();
      Ingest ingest = own;
      if (ingest != null) {
        ingest.close();
      }
    } finally {
      store.unlock(ref);
    }
  }
}
