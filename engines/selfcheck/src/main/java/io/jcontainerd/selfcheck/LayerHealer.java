package io.jcontainerd.selfcheck;

import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.check.CheckedTrees;
import io.jcontainerd.core.check.Damage;
import io.jcontainerd.core.check.Pace;
import io.jcontainerd.core.check.TreeDamage;
import io.jcontainerd.core.content.ContentInfo;
import io.jcontainerd.core.diff.Applier;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.DataLossException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.mount.Mount;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Puts damaged layers right, one try at a time for each: whoever wants the same joins it. A layer
 * that was seen damaged is kept from being used until it is healed; one of which only the record is
 * damaged is not, since nothing tells that it is wrong. Safe for many threads.
 */
final class LayerHealer implements AutoCloseable {
  private static final Logger LOG = System.getLogger(LayerHealer.class.getName());
  private static final Duration LONGEST = Duration.ofMinutes(30);

  private final Parts parts;
  private final BlobHealer blobs;
  private final States states;
  private final Joined<LayerName, Outcome> running;

  /**
   * What came of a try.
   *
   * @param left what is still wrong
   * @param reason why; empty if it is healed
   * @param refused whether the layer is kept from being used
   */
  record Outcome(List<TreeDamage> left, String reason, boolean refused) {
    static final Outcome HEALED = new Outcome(List.of(), "", false);

    boolean healed() {
      return reason.isEmpty();
    }
  }

  /** What came of it in the snapshotter. */
  private record Attempt(List<TreeDamage> left, String reason) {
    static final Attempt DONE = new Attempt(List.of(), "");
  }

  LayerHealer(Parts parts, BlobHealer blobs, States states) {
    this.parts = parts;
    this.blobs = blobs;
    this.states = states;
    this.running = new Joined<>("heal layer", parts.time(), LONGEST);
  }

  /** Heals a layer in which damage was seen. */
  Outcome heal(LayerName name, List<TreeDamage> seen) throws InterruptedException {
    return running.run(name, () -> healNow(name, seen));
  }

  /** Looks at a layer that is in doubt, every byte of it, and heals it if need be. */
  Outcome settle(LayerName name) throws InterruptedException {
    return running.run(
        name,
        () -> {
          List<TreeDamage> seen = look(name, true, Pace.FULL, new long[1]);
          if (seen.isEmpty()) {
            states.clear(name);
            return Outcome.HEALED;
          }
          return healNow(name, seen);
        });
  }

  private Outcome healNow(LayerName name, List<TreeDamage> seen) throws InterruptedException {
    boolean refused = isWrong(seen);
    if (refused) {
      // first: whatever happens now, it is not used as it is
      quarantine(name, seen.getFirst().damage().words());
    }
    Attempt attempt = attempt(name);
    if (attempt.reason().isEmpty()) {
      states.clear(name);
      return Outcome.HEALED;
    }
    refused |= isWrong(attempt.left());
    if (refused) {
      quarantine(name, attempt.reason());
    } else {
      states.clear(name);
    }
    return new Outcome(attempt.left(), attempt.reason(), refused);
  }

  /** Whether it is the layer that is damaged, not only what was recorded of it. */
  private static boolean isWrong(List<TreeDamage> damages) {
    return damages.stream().anyMatch(one -> one.damage() != Damage.RECORD);
  }

  private void quarantine(LayerName name, String reason) {
    try {
      states.quarantine(name, reason);
    } catch (ContainerdException e) {
      LOG.log(Level.WARNING, "layer " + name + " is not used until the daemon ends: " + reason, e);
    }
  }

  /**
   * Looks at a layer.
   *
   * @param deep whether the files' bytes are read
   * @param files is added to: how many things were compared
   */
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

  private Attempt attempt(LayerName name) throws InterruptedException {
    CheckedTrees trees = trees(name);
    Optional<CheckedTrees.Layer> layer = trees.layer(name.key());
    if (layer.isEmpty()) {
      return Attempt.DONE;
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
          ? Attempt.DONE
          : new Attempt(left, String.join("; ", reasons(reasons, left)));
    } catch (NotFoundException e) {
      return trees.layer(name.key()).isEmpty()
          ? Attempt.DONE
          : new Attempt(List.of(), String.valueOf(e.getMessage()));
    } catch (ContainerdException e) {
      reasons.add(String.valueOf(e.getMessage()));
      return new Attempt(List.of(), String.join("; ", reasons));
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
      reasons.add("interrupted");
      throw new IOException("interrupted", e);
    }
  }

  /** Gives up what is under way. */
  @Override
  public void close() {
    running.close();
  }
}
