package io.jcontainerd.transfer;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.CleanUp;
import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.content.ContentStore;
import io.jcontainerd.core.content.Ingest;
import io.jcontainerd.core.content.IngestRequest;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.ResourceExhaustedException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.operation.RunningOperation;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.core.transfer.TransferProgress.Event;
import io.jcontainerd.oci.image.ContentNames;
import io.jcontainerd.oci.reference.Reference;
import io.jcontainerd.transfer.fetch.Download;
import io.jcontainerd.transfer.fetch.FetchLimits;
import io.jcontainerd.transfer.flow.Flights;
import io.jcontainerd.transfer.flow.Slots;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Fetches single blobs. What an earlier try left is continued; what does not fit its digest is
 * thrown away, and if it was continued it is fetched once more from the beginning. A blob that
 * somebody else is writing through the content service is waited for, as long as it grows.
 */
final class BlobFetch {
  /** Documents have places of their own: everything else waits for them. */
  static final long AT_ONCE = -1;

  /** In the whole daemon; each may need a buffer. */
  private static final int MOST_DOCUMENTS = 16;

  private static final Duration LOOK_AGAIN = Duration.ofMillis(100);
  private static final Duration TELL_AGAIN = Duration.ofMillis(100);

  private final ContentStore content;
  private final FetchLimits limits;
  private final Slots slots;
  private final Slots ofDocuments = new Slots(MOST_DOCUMENTS);
  private final Time time;
  private final Comings comings = new Comings();

  BlobFetch(ContentStore content, FetchLimits limits, Slots slots, Time time) {
    this.content = content;
    this.limits = limits;
    this.slots = slots;
    this.time = time;
  }

  /** The blob, if it is on its way into an ingest of the call's namespace. */
  Optional<Comings.Coming> coming(Descriptor blob) {
    return comings.find(blob);
  }

  /**
   * Brings the blob.
   *
   * @param priority its place among those who wait for a connection, or {@link #AT_ONCE} for
   *     documents
   */
  void fetch(Session session, Descriptor blob, long priority, Consumer<Word> tell)
      throws InterruptedException {
    if (priority != AT_ONCE) {
      tell.accept(new Word(Event.WAITING, 0));
    }
    while (!tried(session, blob, priority, tell)) {
      awaitFree(blob);
    }
  }

  /** False if somebody else is writing the blob: then no place is kept. */
  private boolean tried(Session session, Descriptor blob, long priority, Consumer<Word> tell)
      throws InterruptedException {
    RunningOperation.tell("place", "a place among the downloads");
    try (Slots.Slot _ = (priority == AT_ONCE ? ofDocuments : slots).take(priority)) {
      RunningOperation.tell("download", source(session));
      boolean again = true;
      while (again) {
        switch (open(blob)) {
          case There _ -> {
            return true;
          }
          case Busy _ -> {
            return false;
          }
          case Ours(Ingest ingest) -> {
            try (ingest) {
              again = !copied(session, blob, ingest, tell);
            }
          }
        }
      }
      return true;
    }
  }

  private static String source(Session session) {
    return session.isRemote()
        ? "registry " + Reference.parse(session.reference()).domain()
        : "the archive";
  }

  /** Waits until nobody else is writing the blob, or it is there. */
  private void awaitFree(Descriptor blob) throws InterruptedException {
    RunningOperation.tell("busy", "whoever else writes the blob");
    Growth growth = new Growth(ContentNames.of(blob));
    while (true) {
      switch (open(blob)) {
        case There _ -> {
          return;
        }
        case Busy(UnavailableException why) -> {
          if (!growth.goesOn()) {
            throw why;
          }
        }
        case Ours(Ingest ingest) -> {
          ingest.close();
          return;
        }
      }
    }
  }

  /** What came of opening a blob's ingest. */
  private sealed interface Opened {}

  private record There() implements Opened {}

  private record Busy(UnavailableException why) implements Opened {}

  private record Ours(Ingest ingest) implements Opened {}

  /**
   * Opens the blob's ingest. Without a lease, so that what an interrupted try leaves is kept for a
   * while; the caller has added the blob to its lease.
   */
  private Opened open(Descriptor blob) {
    String ref = ContentNames.of(blob);
    IngestRequest request = new IngestRequest(ref, blob.size(), Optional.of(blob.digest()));
    boolean restarted = false;
    while (true) {
      try {
        return new Ours(Call.current().withoutLease().call(() -> content.ingest(request)));
      } catch (AlreadyExistsException _) {
        return new There();
      } catch (UnavailableException e) {
        return new Busy(e);
      } catch (FailedPreconditionException e) {
        if (restarted) {
          throw e;
        }
        restarted = true; // what is there was to have another size
        abort(ref, e);
      }
    }
  }

  /** Watches an ingest that somebody else has. */
  private final class Growth {
    private final String ref;
    private long since = time.nanoTime();
    private long before = -1;

    Growth(String ref) {
      this.ref = ref;
    }

    /** Waits a little; false if nothing was added for too long. */
    boolean goesOn() throws InterruptedException {
      long now;
      try {
        now = content.status(ref).offset();
      } catch (NotFoundException _) {
        now = 0; // it was just finished, or dropped
      }
      if (now != before) {
        before = now;
        since = time.nanoTime();
      }
      time.sleep(LOOK_AGAIN);
      return time.nanoTime() - since < limits.patience().toNanos();
    }
  }

  /** False if it has to be tried once more, from the beginning. */
  private boolean copied(Session session, Descriptor blob, Ingest ingest, Consumer<Word> tell)
      throws InterruptedException {
    long offset = ingest.status().offset();
    if (offset > blob.size()) {
      ingest.truncate(0);
      offset = 0;
    }
    String subject = "image " + session.reference() + ": content " + blob.digest();
    Throttle throttle = new Throttle(blob.size(), tell);
    Comings.Coming coming = comings.begin(blob, offset);
    try (coming;
        Download download =
            new Download(session.registry(), session.reference(), blob, limits, time)) {
      throttle.accept(offset);
      download.into(
          ingest,
          bytes -> {
            coming.reached(bytes);
            throttle.accept(bytes);
          });
      ingest.commit(blob.size(), Optional.of(blob.digest()), Map.of());
      return true;
    } catch (AlreadyExistsException _) {
      return true;
    } catch (ResourceExhaustedException e) {
      // for all who want it, so without the name of the image
      ResourceExhaustedException full =
          new ResourceExhaustedException("content " + blob.digest() + ": " + e.getMessage(), e);
      if (Flights.isOfTheDisk(e)) { // what came is in the way of everything else
        ingest.close();
        abort(ContentNames.of(blob), full);
      }
      throw full;
    } catch (FailedPreconditionException e) {
      FailedPreconditionException damaged =
          new FailedPreconditionException(subject + " came damaged: " + e.getMessage(), e);
      ingest.close();
      abort(ContentNames.of(blob), damaged);
      if (offset == 0) {
        throw damaged;
      }
      return false;
    } catch (InterruptedException | ContainerdException e) {
      if (coming.isInTheWay()) {
        ingest.close();
        abort(ContentNames.of(blob), e);
      }
      throw e;
    }
  }

  /** Bytes that do not fit are dropped, or every later try would stumble over them. */
  private void abort(String ref, Exception why) {
    CleanUp.run(
        () -> {
          try {
            content.abort(ref);
          } catch (NotFoundException _) {
            // the store dropped it itself
          } catch (ContainerdException e) {
            why.addSuppressed(e);
          }
        });
  }

  /** Tells of bytes as they come, not too often. */
  private final class Throttle {
    private final long size;
    private final Consumer<Word> tell;
    private long last = time.nanoTime() - TELL_AGAIN.toNanos();

    Throttle(long size, Consumer<Word> tell) {
      this.size = size;
      this.tell = tell;
    }

    void accept(long bytes) {
      long now = time.nanoTime();
      if (now - last >= TELL_AGAIN.toNanos() || bytes == size) {
        last = now;
        tell.accept(new Word(Event.DOWNLOADING, bytes));
      }
    }
  }
}
