package io.jcontainerd.transfer;

import static io.jcontainerd.core.operation.RunningOperation.tell;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.CleanUp;
import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Labels;
import io.jcontainerd.core.diff.Applier;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.DataLossException;
import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.core.operation.OperationRegistry;
import io.jcontainerd.core.operation.RunningOperation;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.core.snapshots.Prepared;
import io.jcontainerd.core.snapshots.SnapshotInfo;
import io.jcontainerd.core.snapshots.SnapshotKind;
import io.jcontainerd.core.snapshots.Snapshotter;
import io.jcontainerd.core.transfer.TransferProgress.Event;
import io.jcontainerd.oci.image.ChainIds;
import io.jcontainerd.oci.image.GcReferences;
import io.jcontainerd.transfer.flow.Flights;
import io.jcontainerd.transfer.flow.Slots;
import io.jcontainerd.transfer.flow.Tasks;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Makes snapshots of layers, each named by its chain id. Whoever needs the same snapshot at the
 * same time shares the work, which in turn has an interest in the snapshot below and in the layer's
 * blob; so all of it goes on for as long as somebody needs the top.
 *
 * <p>Where the snapshotter can put a snapshot on its parent at the end, layers are unpacked beside
 * each other as their blobs come; a layer that cannot do without what is below it is unpacked again
 * on it. Elsewhere each waits for the one below, and blobs come meanwhile. A snapshotter that has a
 * layer already, or fetches it by itself when it is used, says so when the snapshot is prepared:
 * then the blob is not fetched.
 */
final class Layers {
  private static final int MOST_TRIES = 5;
  private static final Duration LONGEST_COMMIT = Duration.ofSeconds(30);
  private static final Duration LOOK_AGAIN = Duration.ofMillis(50);
  private static final Applier.Options USUAL = new Applier.Options(Map.of(), false);
  private static final Applier.Options BESIDE = USUAL.standalone();

  private record Key(String namespace, String snapshotter, String name) {}

  private final Arrivals arrivals;
  private final Documents documents;
  private final Keeper keeper;
  private final Slots slots;
  private final Time time;
  private final OperationRegistry operations;
  private final Flights<Key, Word> flights = new Flights<>();

  /**
   * @param unpacks layers that are unpacked at the same time
   * @param operations where layers that are unpacked are listed
   */
  Layers(TransferParts parts, Blobs blobs, int unpacks, OperationRegistry operations) {
    this.operations = operations;
    this.slots = new Slots(unpacks);
    this.arrivals = new Arrivals(parts.content(), blobs, slots, unpacks);
    this.documents = new Documents(parts.content());
    this.keeper = new Keeper(parts.leases());
    this.time = parts.time();
  }

  /**
   * Unpacks all layers, and lets the config refer to the result.
   *
   * @param listeners one for each layer
   */
  void unpack(UnpackPlan plan, List<Consumer<Word>> listeners) {
    if (plan.layers().isEmpty()) {
      return;
    }
    int last = plan.layers().size() - 1;
    keeper.snapshot(plan.snapshotterName(), plan.name(last));
    if (!isCommitted(plan.snapshotter(), plan.name(last))) {
      unpackEach(plan, listeners);
    }
    documents.label(
        plan.config().digest(), GcReferences.toSnapshot(plan.snapshotterName(), plan.name(last)));
  }

  private void unpackEach(UnpackPlan plan, List<Consumer<Word>> listeners) {
    try (Tasks tasks = new Tasks()) {
      for (int i = 0; i < plan.layers().size(); i++) {
        int layer = i;
        keeper.snapshot(plan.snapshotterName(), plan.name(layer));
        tasks.begin(
            () -> {
              try (var seat = seat(plan, layer, listeners.get(layer))) {
                seat.await();
              }
            });
      }
      tasks.join();
    }
  }

  private Flights<Key, Word>.Seat seat(UnpackPlan plan, int layer, Consumer<Word> listener) {
    return flights.join(
        new Key(Call.currentNamespace(), plan.snapshotterName(), plan.name(layer)),
        plan.session(),
        listener,
        () -> plan.session().holding(tell -> make(plan, layer, tell)));
  }

  private void make(UnpackPlan plan, int layer, Consumer<Word> tell) throws InterruptedException {
    RunningOperation operation =
        operations.begin("unpack", Call.currentNamespace(), plan.name(layer));
    try (operation) {
      Boolean _ =
          operation.call(
              () -> {
                doMake(plan, layer, tell);
                return true;
              });
    } catch (RuntimeException | InterruptedException | Error e) {
      operation.failed(e);
      throw e;
    }
  }

  private void doMake(UnpackPlan plan, int layer, Consumer<Word> tell) throws InterruptedException {
    keeper.snapshot(plan.snapshotterName(), plan.name(layer));
    if (isCommitted(plan.snapshotter(), plan.name(layer))) {
      tell.accept(new Word(Event.ALREADY_EXISTS, plan.layers().get(layer).size()));
      return;
    }
    Flights<Key, Word>.@Nullable Seat below = layer == 0 ? null : seat(plan, layer - 1, _ -> {});
    try {
      Outcome outcome = Outcome.NEEDS_PARENT;
      if (below != null && plan.isSideBySide()) {
        outcome = makeBeside(plan, layer, below, tell);
      }
      if (outcome == Outcome.NEEDS_PARENT) {
        if (below != null) {
          tell("parent", "the layer below, " + plan.name(layer - 1));
          below.await();
        }
        outcome = makeOn(plan, layer, tell);
      }
      finish(plan, layer, outcome, tell);
    } finally {
      plan.drop(layer);
      if (below != null) {
        below.close();
      }
    }
  }

  /** What came of trying to make a snapshot. */
  private enum Outcome {
    MADE,
    THERE,
    NEEDS_PARENT,
    /** What was unpacked as it came is no use, but the blob is there now. */
    AGAIN
  }

  private Outcome makeBeside(
      UnpackPlan plan, int layer, Flights<Key, Word>.Seat below, Consumer<Word> tell)
      throws InterruptedException {
    return prepared(
        plan,
        layer,
        "",
        (key, mounts) -> {
          Outcome outcome = unpack(plan, layer, Upper.of(mounts), BESIDE, tell);
          if (outcome == Outcome.MADE) {
            tell("parent", "the layer below, " + plan.name(layer - 1));
            below.await();
            tell("commit", "snapshotter " + plan.snapshotterName());
            plan.snapshotter().commit(plan.name(layer), key, Map.of(), plan.below(layer));
          }
          return outcome;
        });
  }

  private Outcome makeOn(UnpackPlan plan, int layer, Consumer<Word> tell)
      throws InterruptedException {
    return prepared(
        plan,
        layer,
        plan.below(layer),
        (key, mounts) -> {
          Outcome outcome = unpack(plan, layer, mounts, USUAL, tell);
          if (outcome == Outcome.MADE) {
            tell("commit", "snapshotter " + plan.snapshotterName());
            plan.snapshotter().commit(plan.name(layer), key, Map.of(), "");
          }
          return outcome;
        });
  }

  /** What is done with an active snapshot. */
  private interface Work {
    Outcome on(String key, List<Mount> mounts) throws InterruptedException;
  }

  /** Does the work on a new snapshot, if it is needed; nothing is left if it fails. */
  private Outcome prepared(UnpackPlan plan, int layer, String parent, Work work)
      throws InterruptedException {
    Snapshotter snapshotter = plan.snapshotter();
    String name = plan.name(layer);
    @Nullable AlreadyExistsException last = null;
    for (int attempt = 0; attempt < MOST_TRIES; attempt++) {
      String key = ChainIds.unpackKey(name);
      tell("prepare", "snapshotter " + plan.snapshotterName());
      try {
        if (snapshotter.prepare(key, parent, plan.labels(layer))
            instanceof Prepared.Writable(List<Mount> mounts)) {
          Outcome outcome = worked(snapshotter, key, mounts, work);
          if (outcome != Outcome.AGAIN) {
            return outcome;
          }
        } else if (isCommitted(snapshotter, name)) {
          return Outcome.THERE;
        }
      } catch (AlreadyExistsException e) {
        last = e;
        if (comes(plan, layer)) {
          return Outcome.THERE;
        }
      }
    }
    throw neither(name, last);
  }

  /**
   * Waits for what another has committed, or is about to: a name is taken as soon as a commit is
   * announced. False if it came to nothing, or stands on something else.
   */
  private boolean comes(UnpackPlan plan, int layer) throws InterruptedException {
    long begun = time.nanoTime();
    while (time.nanoTime() - begun < LONGEST_COMMIT.toNanos()) {
      try {
        SnapshotInfo there = plan.snapshotter().stat(plan.name(layer));
        return there.kind() == SnapshotKind.COMMITTED && there.parent().equals(plan.below(layer));
      } catch (NotFoundException _) {
        time.sleep(LOOK_AGAIN);
      }
    }
    return false;
  }

  private static FailedPreconditionException neither(
      String name, @Nullable AlreadyExistsException why) {
    String text = "snapshot " + name + " can neither be made nor found";
    return why == null
        ? new FailedPreconditionException(text)
        : new FailedPreconditionException(text, why);
  }

  private static Outcome worked(Snapshotter snapshotter, String key, List<Mount> mounts, Work work)
      throws InterruptedException {
    try {
      Outcome outcome = work.on(key, mounts);
      if (outcome != Outcome.MADE) {
        snapshotter.remove(key);
      }
      return outcome;
    } catch (RuntimeException | InterruptedException | Error e) {
      remove(snapshotter, key, e);
      throw e;
    }
  }

  private static void remove(Snapshotter snapshotter, String key, Throwable why) {
    CleanUp.run(
        () -> {
          try {
            snapshotter.remove(key);
          } catch (NotFoundException _) {
            // it is gone
          } catch (ContainerdException more) {
            why.addSuppressed(more);
          }
        });
  }

  /** Brings the layer's blob and unpacks it. */
  private Outcome unpack(
      UnpackPlan plan, int layer, List<Mount> mounts, Applier.Options options, Consumer<Word> tell)
      throws InterruptedException {
    plan.comeAhead(layer);
    tell("content", "blob " + plan.layers().get(layer).digest());
    return switch (arrivals.bring(plan, layer, mounts, options, tell)) {
      case Arrivals.Unpacked(Descriptor plain) ->
          plain.digest().equals(plan.diffId(layer)) ? Outcome.MADE : Outcome.AGAIN;
      case Arrivals.Packed _ -> apply(plan, layer, mounts, options, tell);
      case Arrivals.Spoilt(RuntimeException why) ->
          options.isStandalone() && why instanceof FailedPreconditionException
              ? Outcome.NEEDS_PARENT
              : Outcome.AGAIN;
    };
  }

  private Outcome apply(
      UnpackPlan plan, int layer, List<Mount> mounts, Applier.Options options, Consumer<Word> tell)
      throws InterruptedException {
    Descriptor blob = plan.layers().get(layer);
    Descriptor plain;
    tell("apply", "a place among the layers that are unpacked");
    try (Slots.Slot _ = slots.take(layer)) {
      tell("apply", "");
      tell.accept(new Word(Event.EXTRACTING, blob.size()));
      plain = plan.applier().apply(blob, mounts, options);
    } catch (FailedPreconditionException e) {
      if (options.isStandalone()) {
        return Outcome.NEEDS_PARENT;
      }
      throw e;
    }
    if (!plain.digest().equals(plan.diffId(layer))) {
      throw new DataLossException(
          "layer %s unpacks to %s, but the image says %s"
              .formatted(blob.digest(), plain.digest(), plan.diffId(layer)));
    }
    return Outcome.MADE;
  }

  private void finish(UnpackPlan plan, int layer, Outcome outcome, Consumer<Word> tell) {
    Descriptor blob = plan.layers().get(layer);
    if (outcome == Outcome.THERE) {
      tell.accept(new Word(Event.ALREADY_EXISTS, blob.size()));
      return;
    }
    documents.label(blob.digest(), Map.of(Labels.UNCOMPRESSED, plan.diffId(layer).toString()));
    tell.accept(new Word(Event.EXTRACTED, blob.size()));
  }

  private static boolean isCommitted(Snapshotter snapshotter, String name) {
    try {
      return snapshotter.stat(name).kind() == SnapshotKind.COMMITTED;
    } catch (NotFoundException _) {
      return false;
    }
  }
}
