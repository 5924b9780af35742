package io.jcontainerd.selfcheck;

import io.jcontainerd.core.check.CheckedTrees;
import io.jcontainerd.core.check.Finding;
import io.jcontainerd.core.check.Pace;
import io.jcontainerd.core.check.StorageCare;
import io.jcontainerd.core.check.StorageRecords;
import io.jcontainerd.core.failure.ContainerdException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

/**
 * Looks for damage, heals it, and keeps what cannot be healed from being used. Closing stops the
 * scrub and says that the daemon ended in order.
 */
public final class SelfCheck implements StorageCare, AutoCloseable {
  private static final Logger LOG = System.getLogger(SelfCheck.class.getName());

  private static final int PAGE = 256;

  private final Parts parts;
  private final States states;
  private final BlobHealer blobs;
  private final LayerHealer layers;
  private final Scrubber scrubber;

  private SelfCheck(Parts parts, MountGate gate, ScrubOptions options) {
    this.parts = parts;
    this.states = gate.states();
    this.blobs = new BlobHealer(parts);
    this.layers = new LayerHealer(parts, blobs, states);
    this.scrubber = new Scrubber(parts, states, blobs, layers, options);
    gate.opens(layers);
  }

  /**
   * Begins to look after things. If the machine went down without the daemon's knowing, what was
   * committed while it ran last is in doubt until it was looked at.
   *
   * @param bootId changes with every boot of the machine
   */
  public static SelfCheck open(Parts parts, MountGate gate, ScrubOptions options, String bootId) {
    SelfCheck check = new SelfCheck(parts, gate, options);
    check.begin(bootId);
    check.scrubber.start();
    return check;
  }

  private void begin(String bootId) {
    states.clear(
        states.doubts().keySet().stream()
            .filter(
                name -> {
                  CheckedTrees trees = parts.trees().get(name.snapshotter());
                  return trees != null && trees.layer(name.key()).isEmpty();
                })
            .toList());
    States.Run last = states.lastRun();
    if (!last.clean() && !last.boot().equals(bootId)) {
      List<LayerName> doubtful = new ArrayList<>();
      parts
          .trees()
          .forEach(
              (name, trees) ->
                  trees.layers().stream()
                      .filter(layer -> !layer.committed().isBefore(last.began()))
                      .map(CheckedTrees.Layer::key)
                      .forEach(key -> doubtful.add(new LayerName(name, key))));
      if (!doubtful.isEmpty()) {
        states.suspect(doubtful, "the machine went down after it was unpacked");
        LOG.log(
            Level.INFO,
            "the machine went down without warning: {0} layers are looked at before they are used",
            doubtful.size());
      }
    }
    states.beginRun(bootId);
  }

  @Override
  public Summary check(Request request, Consumer<Finding> each) throws InterruptedException {
    long began = System.nanoTime();
    AtomicLong bytes = new AtomicLong();
    Pace pace =
        count -> {
          bytes.addAndGet(count);
          if (Thread.interrupted()) {
            throw new InterruptedException();
          }
        };
    Inspection inspection =
        new Inspection(parts, blobs, layers, states, request.deep(), request.repair(), pace, each);
    inspection.records();
    long blobCount = 0;
    List<StorageRecords.Blob> page = parts.records().blobs("", PAGE);
    while (!page.isEmpty()) {
      for (StorageRecords.Blob blob : page) {
        inspection.blob(blob);
        blobCount++;
      }
      page = parts.records().blobs(page.getLast().digest().toString(), PAGE);
    }
    List<Inspection.OwnedLayer> all = Inspection.layers(parts);
    for (Inspection.OwnedLayer layer : all) {
      inspection.layer(layer);
    }
    long unrecorded =
        parts.trees().values().stream()
            .flatMap(trees -> trees.layers().stream())
            .filter(layer -> !layer.recorded())
            .count();
    return new Summary(
        blobCount,
        all.size(),
        inspection.files(),
        bytes.get(),
        unrecorded,
        inspection.found(),
        inspection.healed(),
        Duration.ofNanos(System.nanoTime() - began));
  }

  @Override
  public Scrub scrub() {
    long quarantined = states.doubts().values().stream().filter(doubt -> !doubt.suspect()).count();
    return scrubber.progress(quarantined);
  }

  @Override
  public void close() {
    scrubber.close();
    layers.close();
    blobs.close();
    try {
      states.endRun();
    } catch (ContainerdException e) {
      LOG.log(Level.WARNING, "the next start will take this end for a power cut", e);
    }
  }
}
