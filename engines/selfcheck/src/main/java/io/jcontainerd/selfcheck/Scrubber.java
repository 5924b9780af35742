package io.jcontainerd.selfcheck;

import io.jcontainerd.core.Digest;
import io.jcontainerd.core.check.CheckedTrees;
import io.jcontainerd.core.check.Finding;
import io.jcontainerd.core.check.Pace;
import io.jcontainerd.core.check.StorageCare;
import io.jcontainerd.core.check.StorageRecords;
import io.jcontainerd.core.failure.ContainerdException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Looks at everything in rounds, slowly and only while the machine has nothing better to do. What
 * was looked at is remembered, so that a restart goes on where it was. Layers in doubt come first.
 * {@code lock} guards the end only.
 */
final class Scrubber implements AutoCloseable {
  private static final Logger LOG = System.getLogger(Scrubber.class.getName());
  private static final String LAYER = "layer";
  private static final int BATCH = 64;
  private static final Duration BUSY = Duration.ofSeconds(15);
  private static final Duration AFTER_FAILURE = Duration.ofMinutes(1);
  private static final Duration END = Duration.ofSeconds(5);

  private final Parts parts;
  private final States states;
  private final BlobHealer blobs;
  private final LayerHealer layers;
  private final ScrubOptions options;
  private final Thread thread;
  private final AtomicLong bytes = new AtomicLong();
  private final AtomicLong waiting = new AtomicLong();
  private final AtomicLong looked = new AtomicLong();

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition end = lock.newCondition();
  private boolean closing;

  Scrubber(Parts parts, States states, BlobHealer blobs, LayerHealer layers, ScrubOptions options) {
    this.parts = parts;
    this.states = states;
    this.blobs = blobs;
    this.layers = layers;
    this.options = options;
    this.thread = Thread.ofPlatform().name("scrub").daemon(true).unstarted(this::serve);
  }

  void start() {
    if (options.enabled()) {
      thread.start();
    }
  }

  StorageCare.Scrub progress(long quarantined) {
    States.Round round = states.round();
    return new StorageCare.Scrub(
        options.enabled(),
        waiting.get(),
        looked.get(),
        bytes.get(),
        some(round.began()),
        some(round.ended()),
        quarantined);
  }

  private static Optional<Instant> some(Instant time) {
    return time.equals(Instant.EPOCH) ? Optional.empty() : Optional.of(time);
  }

  private void serve() {
    try {
      pause(options.delay());
      while (true) {
        try {
          if (states.inRound() || due()) {
            round();
          }
          pause(untilDue());
        } catch (ContainerdException e) {
          pause(Duration.ZERO); // if it is because of the end, no more of it
          LOG.log(Level.WARNING, "the scrub goes on in a minute", e);
          pause(AFTER_FAILURE);
        }
      }
    } catch (InterruptedException e) {
      LOG.log(Level.DEBUG, "the scrub ends", e);
    }
  }

  private boolean due() {
    return States.due(states.round().began(), options.interval(), parts.time().now());
  }

  private Duration untilDue() {
    Duration left =
        Duration.between(parts.time().now(), states.round().began().plus(options.interval()));
    return left.compareTo(Duration.ofSeconds(1)) < 0 ? Duration.ofSeconds(1) : left;
  }

  /** Waits; interrupted at the end. */
  private void pause(Duration time) throws InterruptedException {
    lock.lock();
    try {
      long left = time.toNanos();
      while (!closing && left > 0) {
        left = end.awaitNanos(left);
      }
      if (closing) {
        throw new InterruptedException("closing");
      }
    } finally {
      lock.unlock();
    }
  }

  private void idle() throws InterruptedException {
    while (options.load().getAsDouble() > options.mostLoad()) {
      pause(BUSY);
    }
    pause(Duration.ZERO);
  }

  /** Looks at all that was not looked at in this round. */
  void round() throws InterruptedException {
    if (!states.inRound()) {
      states.beginRound();
    }
    Set<String> done = states.looked();
    List<Inspection.OwnedLayer> all = Inspection.layers(parts);
    List<Inspection.OwnedLayer> some =
        all.stream()
            .filter(layer -> !done.contains(LAYER + " " + layer.name()))
            .sorted(
                (one, two) ->
                    Boolean.compare(
                        states.doubt(two.name()).isPresent(), states.doubt(one.name()).isPresent()))
            .toList();
    long blobsLeft = parts.records().blobCount(states.cursor());
    waiting.set(some.size() + blobsLeft);
    looked.set(all.size() + parts.records().blobCount("") - waiting.get());
    Inspection inspection =
        new Inspection(
            parts, blobs, layers, states, true, options.repair(), pace(), Scrubber::warn);
    List<String> marks = new ArrayList<>();
    for (Inspection.OwnedLayer layer : some) {
      idle();
      record(layer.name());
      inspection.layer(layer);
      mark(LAYER, marks, layer.name().toString());
    }
    flush(LAYER, marks);
    lookAtBlobs(inspection);
    tidy();
    states.endRound();
  }

  /** In order of digest, a page at a time: there may be very many. */
  private void lookAtBlobs(Inspection inspection) throws InterruptedException {
    List<StorageRecords.Blob> page = parts.records().blobs(states.cursor(), BATCH);
    while (!page.isEmpty()) {
      for (StorageRecords.Blob blob : page) {
        idle();
        inspection.blob(blob);
        looked.incrementAndGet();
        waiting.decrementAndGet();
      }
      String last = page.getLast().digest().toString();
      states.cursor(last);
      page = parts.records().blobs(last, BATCH);
    }
  }

  private void mark(String kind, List<String> marks, String name) {
    marks.add(name);
    looked.incrementAndGet();
    waiting.decrementAndGet();
    if (marks.size() >= BATCH) {
      flush(kind, marks);
    }
  }

  private void flush(String kind, List<String> marks) {
    if (!marks.isEmpty()) {
      states.looked(kind, List.copyOf(marks));
      marks.clear();
    }
  }

  /** Records a layer of which little is known, so that the next round can compare. */
  private void record(LayerName name) throws InterruptedException {
    CheckedTrees trees = parts.trees().get(name.snapshotter());
    if (trees == null) {
      return;
    }
    Optional<CheckedTrees.Layer> layer = trees.layer(name.key());
    if (layer.isPresent() && !layer.get().recorded()) {
      try {
        trees.record(name.key(), pace());
      } catch (ContainerdException e) {
        LOG.log(Level.INFO, "layer " + name + " cannot be recorded", e);
      }
    }
  }

  /** What was set aside is not needed any more once it is there again, or nobody has it. */
  private void tidy() {
    for (Digest digest : parts.blobs().aside()) {
      if (parts.content().find(digest).isPresent() || parts.records().blob(digest).isEmpty()) {
        parts.blobs().deleteAside(digest);
      }
    }
  }

  private Pace pace() {
    return new Pace() {
      @Override
      public void read(long count) throws InterruptedException {
        bytes.addAndGet(count);
        pause(Duration.ofNanos(Math.round(count * 1e9 / options.bytesPerSecond())));
        idle();
      }

      @Override
      public boolean fillsCache() {
        return false;
      }
    };
  }

  private static void warn(Finding finding) {
    LOG.log(
        finding.outcome() == Finding.Outcome.HEALED ? Level.INFO : Level.WARNING,
        "scrub: {0} {1}{2}: {3}{4}, {5}{6}",
        finding.subject().name().toLowerCase(Locale.ROOT),
        finding.name(),
        finding.path().isEmpty() ? "" : " \"" + finding.path() + "\"",
        finding.damage().words(),
        finding.detail().isEmpty() ? "" : " (" + finding.detail() + ")",
        finding.outcome().name().toLowerCase(Locale.ROOT).replace('_', ' '),
        finding.advice().isEmpty() ? "" : ": " + finding.advice());
  }

  @Override
  public void close() {
    lock.lock();
    try {
      closing = true;
      end.signalAll();
    } finally {
      lock.unlock();
    }
    if (!options.enabled()) {
      return;
    }
    thread.interrupt(); // it may wait for a registry or for a healing
    try {
      if (!thread.join(END)) {
        LOG.log(Level.WARNING, "the scrub does not end; it is left to itself");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
