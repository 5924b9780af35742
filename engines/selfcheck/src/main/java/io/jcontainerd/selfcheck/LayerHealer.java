package io.jcontainerd.selfcheck;

import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.check.CheckedTrees;
import io.jcontainerd.core.check.Pace;
import io.jcontainerd.core.check.TreeDamage;
import io.jcontainerd.core.content.ContentInfo;
import io.jcontainerd.core.diff.Applier;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.DataLossException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.mount.Mount;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;

/**
 * Puts damaged layers right, one try at a time for each: whoever wants the same joins it. Safe for
 * many threads.
 */
final class LayerHealer {
  private final Parts parts;
  private final BlobHealer blobs;
  private final States states;
  private final Map<LayerName, CompletableFuture<Outcome>> running = new ConcurrentHashMap<>();

  /**
   * What came of a try.
   *
   * @param left what is still wrong
   * @param reason why
   */
  record Outcome(List<TreeDamage> left, String reason) {
    boolean healed() {
      return reason.isEmpty();
    }
  }

  LayerHealer(Parts parts, BlobHealer blobs, States states) {
    this.parts = parts;
    this.blobs = blobs;
    this.states = states;
  }

  /** Heals a layer; a layer that cannot be healed is kept from being used from then on. */
  Outcome heal(LayerName name) throws InterruptedException {
    var mine = new CompletableFuture<Outcome>();
    CompletableFuture<Outcome> other = running.putIfAbsent(name, mine);
    if (other != null) {
      try {
        return other.get();
      } catch (ExecutionException e) {
        return new Outcome(List.of(), "healing failed: " + e.getCause());
      }
    }
    try {
      Outcome outcome = attempt(name);
      if (outcome.healed()) {
        states.clear(name);
      } else {
        states.quarantine(name, outcome.reason());
      }
      mine.complete(outcome);
      return outcome;
    } finally {
      running.remove(name);
      mine.completeExceptionally(new IllegalStateException("interrupted"));
    }
  }

  /** Looks at a layer, every byte of it. */
  List<TreeDamage> look(LayerName name, boolean deep, Pace pace, long[] files)
      throws InterruptedException {
    List<TreeDamage> damages = new ArrayList<>();
    try {
      files[0] += trees(name).check(name.key(), deep, pace, damages::add);
    } catch (NotFoundException _) {
      return List.of(); // removed meanwhile
    }
    // A record goes before its folder: what was removed meanwhile looks damaged.
    return trees(name).layer(name.key()).isPresent() ? List.copyOf(damages) : List.of();
  }

  private CheckedTrees trees(LayerName name) {
    CheckedTrees trees = parts.trees().get(name.snapshotter());
    if (trees == null) {
      throw new NotFoundException("snapshotter " + name.snapshotter());
    }
    return trees;
  }

  private Outcome attempt(LayerName name) throws InterruptedException {
    CheckedTrees trees = trees(name);
    Optional<CheckedTrees.Layer> layer = trees.layer(name.key());
    if (layer.isEmpty()) {
      return new Outcome(List.of(), "");
    }
    List<String> reasons = new ArrayList<>();
    Optional<CheckedTrees.Unpack> unpack =
        layer.get().source().map(source -> mounts -> unpack(source, mounts, reasons));
    if (unpack.isEmpty()) {
      reasons.add("it was not unpacked from a single blob, so that nothing tells its bytes");
    }
    try {
      List<TreeDamage> left = trees.heal(name.key(), unpack);
      return left.isEmpty()
          ? new Outcome(left, "")
          : new Outcome(left, String.join("; ", reasons(reasons, left)));
    } catch (NotFoundException e) {
      return trees.layer(name.key()).isEmpty()
          ? new Outcome(List.of(), "")
          : new Outcome(List.of(), String.valueOf(e.getMessage()));
    } catch (ContainerdException e) {
      reasons.add(String.valueOf(e.getMessage()));
      return new Outcome(List.of(), String.join("; ", reasons));
    }
  }

  private static List<String> reasons(List<String> reasons, List<TreeDamage> left) {
    return reasons.isEmpty()
        ? List.of("\"" + left.getFirst().path() + "\" " + left.getFirst().damage().words())
        : reasons;
  }

  private void unpack(CheckedTrees.Source source, List<Mount> mounts, List<String> reasons)
      throws IOException {
    Digest digest = source.blob().digest();
    try {
      Optional<String> unusable = blobs.ensure(digest);
      if (unusable.isPresent()) {
        throw new DataLossException(unusable.get());
      }
      ContentInfo info = parts.content().info(digest);
      Descriptor plain =
          parts
              .applier()
              .apply(
                  new Descriptor(source.blob().mediaType(), digest, info.size()),
                  mounts,
                  new Applier.Options(Map.of(), false));
      if (!plain.digest().equals(source.diffId())) {
        throw new DataLossException(
            "blob " + digest + " unpacks to " + plain.digest() + " instead of " + source.diffId());
      }
    } catch (ContainerdException e) {
      reasons.add(String.valueOf(e.getMessage()));
      throw new IOException(e.getMessage(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }
}
