package io.jcontainerd.transfer;

import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.content.ContentReader;
import io.jcontainerd.core.content.ContentStore;
import io.jcontainerd.core.diff.Applier;
import io.jcontainerd.core.failure.CancelledException;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.core.failure.NotImplementedException;
import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.core.transfer.TransferProgress.Event;
import io.jcontainerd.oci.image.ContentNames;
import io.jcontainerd.transfer.flow.Flights;
import io.jcontainerd.transfer.flow.Slots;
import io.jcontainerd.transfer.flow.Tasks;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;

/**
 * Brings the blobs of layers, and unpacks each while it comes: what is unpacked counts only when
 * the whole blob is there and has its digest. Safe for many threads.
 */
final class Arrivals {
  private static final Logger LOG = System.getLogger(Arrivals.class.getName());

  /** Whoever has a complete blob is first. */
  private static final long BEHIND = 1L << 32;

  /** How it went; the blob is there. */
  sealed interface Arrived {}

  /** Nothing was unpacked. */
  record Packed() implements Arrived {}

  /** It was unpacked as it came. */
  record Unpacked(Descriptor plain) implements Arrived {}

  /**
   * Something was unpacked, but that failed, and the tree is spoilt. The bytes were not checked
   * yet, so the failure may be theirs.
   */
  record Spoilt(RuntimeException why) implements Arrived {}

  private final ContentStore content;
  private final Blobs blobs;
  private final Documents documents;
  private final Slots slots;

  /** Each has buffers, whether it waits or not. */
  private final Slots followers;

  /**
   * @param slots of those who unpack
   * @param followers the most layers that are unpacked as they come
   */
  Arrivals(ContentStore content, Blobs blobs, Slots slots, int followers) {
    this.content = content;
    this.blobs = blobs;
    this.documents = new Documents(content);
    this.slots = slots;
    this.followers = new Slots(followers);
  }

  /** Brings the blob of a layer, and unpacks it meanwhile if it can. */
  Arrived bring(
      UnpackPlan plan, int layer, List<Mount> mounts, Applier.Options options, Consumer<Word> tell)
      throws InterruptedException {
    Descriptor blob = plan.layers().get(layer);
    if (documents.has(blob.digest())) {
      blobs.ensure(plan.session(), blob, layer, tell);
      return new Packed();
    }
    CountDownLatch comes = new CountDownLatch(1);
    AtomicReference<Arrived> arrived = new AtomicReference<>(new Packed());
    try (Tasks tasks = new Tasks()) {
      tasks.begin(() -> ensure(plan, layer, comes, tell));
      tasks.begin(
          () -> {
            comes.await(); // at the latest until the other part ends
            arrived.set(followed(plan, layer, mounts, options));
          });
      tasks.join();
    } catch (CancelledException e) {
      if (Thread.interrupted()) {
        throw (InterruptedException) new InterruptedException().initCause(e);
      }
      throw e;
    }
    Arrived how = Objects.requireNonNull(arrived.get());
    if (how instanceof Unpacked) {
      tell.accept(new Word(Event.EXTRACTING, blob.size()));
    }
    return how;
  }

  private void ensure(UnpackPlan plan, int layer, CountDownLatch comes, Consumer<Word> tell)
      throws InterruptedException {
    try {
      blobs.ensure(
          plan.session(),
          plan.layers().get(layer),
          layer,
          word -> {
            tell.accept(word);
            if (word.event().equals(Event.DOWNLOADING)) {
              comes.countDown();
            }
          });
    } finally {
      comes.countDown();
    }
  }

  private Arrived followed(
      UnpackPlan plan, int layer, List<Mount> mounts, Applier.Options options) {
    Descriptor blob = plan.layers().get(layer);
    Optional<Slots.Slot> place = followers.tryTake();
    if (place.isEmpty()) {
      return new Packed();
    }
    try (Slots.Slot _ = place.get()) {
      Optional<Comings.Coming> coming = blobs.coming(blob);
      Optional<ContentReader> written =
          coming.flatMap(_ -> content.ingestReader(ContentNames.of(blob)));
      if (coming.isEmpty() || written.isEmpty()) {
        return new Packed();
      }
      try (FollowingReader reader =
          new FollowingReader(written.get(), coming.get(), slots, BEHIND + layer, blob.size())) {
        return new Unpacked(plan.applier().apply(blob, reader, mounts, options));
      } catch (ContainerdException e) {
        if (Flights.isOfTheDisk(e)) {
          coming.get().diskIsFull();
        }
        throw e;
      }
    } catch (NotImplementedException _) {
      return new Packed();
    } catch (RuntimeException e) {
      if (Thread.currentThread().isInterrupted() || Flights.isOfTheDisk(e)) {
        throw e; // more bytes would change nothing
      }
      if (!(e instanceof FailedPreconditionException)) {
        LOG.log(Level.DEBUG, "layer {0} is unpacked when it is there: {1}", blob.digest(), e);
      }
      return new Spoilt(e);
    }
  }
}
