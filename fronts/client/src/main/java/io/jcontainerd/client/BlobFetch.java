package io.jcontainerd.client;

import io.jcontainerd.client.Progress.Stage;
import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Labels;
import io.jcontainerd.core.content.Ingest;
import io.jcontainerd.core.content.IngestRequest;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.CancelledException;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.registry.Registry;
import io.jcontainerd.oci.image.ContentNames;
import io.jcontainerd.oci.reference.Reference;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Brings single blobs from a registry into the daemon. What an earlier try left is continued; a
 * blob that somebody else is bringing is waited for.
 */
final class BlobFetch {
  private static final int CHUNK = 1 << 20;
  private static final Duration LONGEST_LOCK = Duration.ofHours(2);
  private static final long FIRST_PAUSE_MILLIS = 16;
  private static final long LAST_PAUSE_MILLIS = 500;

  private final RemoteContentStore content;
  private final Documents documents;
  private final Registry registry;
  private final Reference reference;
  private final Progress.Listener listener;
  private final LeaseKeeper keeper;

  BlobFetch(
      RemoteContentStore content,
      LeaseKeeper keeper,
      Registry registry,
      Reference reference,
      Progress.Listener listener) {
    this.content = content;
    this.documents = new Documents(content);
    this.keeper = keeper;
    this.registry = registry;
    this.reference = reference;
    this.listener = listener;
  }

  /** Makes sure that the blob is there and that its labels say where it came from. */
  void fetch(Descriptor blob) {
    String item = blob.digest().toString();
    keeper.keepContent(blob.digest());
    boolean present = !bring(blob);
    documents.label(blob.digest(), source(blob));
    listener.progress(
        new Progress(item, present ? Stage.PRESENT : Stage.TRANSFERRED, blob.size(), blob.size()));
  }

  private Map<String, String> source(Descriptor blob) {
    String label = Labels.DISTRIBUTION_SOURCE + reference.domain();
    String before = content.info(blob.digest()).labels().getOrDefault(label, "");
    Set<String> repositories = new LinkedHashSet<>(List.of(before.split(",", -1)));
    repositories.remove("");
    repositories.add(reference.path());
    return Map.of(label, String.join(",", repositories));
  }

  /** False when it turned up by another's doing. */
  private boolean bring(Descriptor blob) {
    long deadline = System.nanoTime() + LONGEST_LOCK.toNanos();
    long pause = FIRST_PAUSE_MILLIS;
    while (true) {
      try (Ingest ingest =
          content.ingest(
              new IngestRequest(ContentNames.of(blob), blob.size(), Optional.of(blob.digest())))) {
        copy(blob, ingest);
        return true;
      } catch (AlreadyExistsException _) {
        return false;
      } catch (UnavailableException e) {
        if (!isLocked(e) || System.nanoTime() > deadline) {
          throw e;
        }
        try {
          Thread.sleep(ThreadLocalRandom.current().nextLong(pause / 2, pause + 1));
        } catch (InterruptedException interrupted) {
          Thread.currentThread().interrupt();
          throw new CancelledException("content " + blob.digest(), interrupted);
        }
        pause = Math.min(2 * pause, LAST_PAUSE_MILLIS);
      }
    }
  }

  private static boolean isLocked(UnavailableException e) {
    return e.getMessage().contains("locked");
  }

  private void copy(Descriptor blob, Ingest ingest) {
    long offset = ingest.status().offset();
    if (offset > blob.size()) {
      ingest.truncate(0);
      offset = 0;
    }
    if (offset == blob.size()) {
      commit(blob, ingest);
      return;
    }
    String item = blob.digest().toString();
    try (InputStream in = registry.fetch(reference.toString(), blob, offset)) {
      byte[] chunk = new byte[Math.clamp(blob.size() - offset, 1, CHUNK)];
      int count = in.readNBytes(chunk, 0, chunk.length);
      while (count > 0) {
        ingest.write(ByteBuffer.wrap(chunk, 0, count));
        offset += count;
        listener.progress(new Progress(item, Stage.TRANSFERRING, offset, blob.size()));
        count = in.readNBytes(chunk, 0, chunk.length);
      }
    } catch (IOException e) {
      throw new UnavailableException(
          "image " + reference + ": content " + blob.digest() + ": " + e.getMessage(), e);
    }
    commit(blob, ingest);
  }

  private void commit(Descriptor blob, Ingest ingest) {
    try {
      ingest.commit(blob.size(), Optional.of(blob.digest()), Map.of());
    } catch (FailedPreconditionException e) {
      throw forget(blob, ingest, e);
    }
  }

  /** Bytes that do not fit their digest are dropped, or every later try would stumble over them. */
  private ContainerdException forget(
      Descriptor blob, Ingest ingest, FailedPreconditionException why) {
    ingest.close();
    FailedPreconditionException failure =
        new FailedPreconditionException(
            "image "
                + reference
                + ": content "
                + blob.digest()
                + " came damaged: "
                + why.getMessage(),
            why);
    try {
      content.abort(ContentNames.of(blob));
    } catch (NotFoundException _) {
      // the daemon dropped it itself
    } catch (ContainerdException e) {
      failure.addSuppressed(e);
    }
    return failure;
  }
}
