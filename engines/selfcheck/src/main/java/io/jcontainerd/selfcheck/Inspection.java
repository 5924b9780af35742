package io.jcontainerd.selfcheck;

import io.jcontainerd.core.check.CheckedTrees;
import io.jcontainerd.core.check.Damage;
import io.jcontainerd.core.check.Finding;
import io.jcontainerd.core.check.Pace;
import io.jcontainerd.core.check.StorageRecords;
import io.jcontainerd.core.check.TreeDamage;
import io.jcontainerd.core.failure.ContainerdException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Looks at one thing and heals it if that is wanted. For one thread. */
final class Inspection {
  private static final String PULL =
      "pull the image again, or restore the blob and run jctr fsck --repair";
  private static final Duration MOMENT = Duration.ofSeconds(2);

  private final Parts parts;
  private final BlobHealer blobs;
  private final LayerHealer layers;
  private final States states;
  private final boolean deep;
  private final boolean repair;
  private final Pace pace;
  private final Consumer<Finding> each;
  private final long[] files = new long[1];
  private long found;
  private long healed;

  Inspection(
      Parts parts,
      BlobHealer blobs,
      LayerHealer layers,
      States states,
      boolean deep,
      boolean repair,
      Pace pace,
      Consumer<Finding> each) {
    this.parts = parts;
    this.blobs = blobs;
    this.layers = layers;
    this.states = states;
    this.deep = deep;
    this.repair = repair;
    this.pace = pace;
    this.each = each;
  }

  long files() {
    return files[0];
  }

  long found() {
    return found;
  }

  long healed() {
    return healed;
  }

  private void tell(Finding finding) {
    found++;
    if (finding.outcome() == Finding.Outcome.HEALED) {
      healed++;
    }
    each.accept(finding);
  }

  /** Looks at a blob; that it cannot be looked at is a finding, too. */
  void blob(StorageRecords.Blob blob) throws InterruptedException {
    try {
      look(blob);
    } catch (ContainerdException e) {
      endIfInterrupted();
      tell(
          unread(
              Finding.Subject.BLOB, blob.digest().toString(), blob.namespaces(), e.getMessage()));
    }
  }

  /** What fails because this thread is to end says nothing of what it looked at. */
  private static void endIfInterrupted() throws InterruptedException {
    if (Thread.interrupted()) {
      throw new InterruptedException();
    }
  }

  private Finding unread(
      Finding.Subject subject, String name, List<String> namespaces, @Nullable String why) {
    return new Finding(
        subject,
        name,
        namespaces,
        "",
        Damage.CONTENT,
        "cannot be looked at: " + why,
        repair ? Finding.Outcome.LEFT : Finding.Outcome.FOUND,
        "see the daemon's log and the kernel's: dmesg");
  }

  private void look(StorageRecords.Blob blob) throws InterruptedException {
    List<TreeDamage> damages = new ArrayList<>();
    parts.blobs().check(blob.digest(), OptionalLong.of(blob.size()), deep, pace, damages::add);
    // A record goes before its blob: what was removed meanwhile looks damaged.
    Optional<StorageRecords.Blob> record =
        damages.isEmpty() ? Optional.empty() : parts.records().blob(blob.digest());
    if (record.isEmpty()) {
      return;
    }
    Finding.Outcome outcome = Finding.Outcome.FOUND;
    String advice = "run jctr fsck --repair, or pull the image again";
    if (repair) {
      Optional<String> why = blobs.heal(record.get(), damages);
      advice = why.map(reason -> reason + "; " + PULL).orElse("");
      if (why.isEmpty()) {
        outcome = Finding.Outcome.HEALED;
      } else if (blobs.setAside(record.get())) {
        outcome = Finding.Outcome.SET_ASIDE;
      } else {
        outcome = Finding.Outcome.LEFT;
      }
    }
    for (TreeDamage damage : damages) {
      tell(
          new Finding(
              Finding.Subject.BLOB,
              blob.digest().toString(),
              blob.namespaces(),
              "",
              damage.damage(),
              damage.detail(),
              outcome,
              advice));
    }
  }

  /** A layer and who has it. */
  record OwnedLayer(LayerName name, List<String> namespaces, String shown) {}

  /** Layers that somebody has, each after its parent. */
  static List<OwnedLayer> layers(Parts parts) {
    Map<LayerName, OwnedLayer> owned = new HashMap<>();
    for (StorageRecords.Snapshot snapshot : parts.records().snapshots()) {
      LayerName name = new LayerName(snapshot.snapshotter(), snapshot.backendKey());
      owned.put(
          name,
          new OwnedLayer(
              name, List.of(snapshot.namespace()), snapshot.snapshotter() + "/" + snapshot.key()));
    }
    List<OwnedLayer> ordered = new ArrayList<>();
    parts
        .trees()
        .forEach(
            (snapshotter, trees) -> {
              Map<String, CheckedTrees.Layer> layers = new HashMap<>();
              trees.layers().forEach(layer -> layers.put(layer.key(), layer));
              Set<String> done = new LinkedHashSet<>();
              layers.keySet().stream().sorted().forEach(key -> parentsFirst(layers, key, done));
              for (String key : done) {
                OwnedLayer one = owned.get(new LayerName(snapshotter, key));
                if (one != null) {
                  ordered.add(one);
                }
              }
            });
    return ordered;
  }

  private static void parentsFirst(
      Map<String, CheckedTrees.Layer> layers, String key, Set<String> done) {
    List<String> chain = new ArrayList<>();
    CheckedTrees.Layer layer = layers.get(key);
    while (layer != null && !done.contains(layer.key())) {
      chain.add(layer.key());
      layer = layers.get(layer.parent());
    }
    done.addAll(chain.reversed());
  }

  /** Looks at a layer; that it cannot be looked at is a finding, too. */
  void layer(OwnedLayer layer) throws InterruptedException {
    try {
      look(layer);
    } catch (ContainerdException e) {
      endIfInterrupted();
      tell(unread(Finding.Subject.LAYER, layer.shown(), layer.namespaces(), e.getMessage()));
    }
  }

  private void look(OwnedLayer layer) throws InterruptedException {
    List<TreeDamage> damages = layers.look(layer.name(), deep, pace, files);
    if (damages.isEmpty()) {
      if (deep && states.doubt(layer.name()).isPresent()) {
        states.clear(layer.name());
      }
      return;
    }
    if (!repair) {
      damages.forEach(
          damage -> tell(finding(layer, damage, Finding.Outcome.FOUND, "run jctr fsck --repair")));
      return;
    }
    LayerHealer.Outcome outcome = layers.heal(layer.name(), damages);
    if (outcome.healed()) {
      damages.forEach(damage -> tell(finding(layer, damage, Finding.Outcome.HEALED, "")));
      return;
    }
    Set<TreeDamage> left = Set.copyOf(outcome.left());
    Finding.Outcome kept = outcome.refused() ? Finding.Outcome.SET_ASIDE : Finding.Outcome.LEFT;
    for (TreeDamage damage : damages) {
      boolean still = left.isEmpty() || left.contains(damage);
      tell(
          finding(
              layer,
              damage,
              still ? kept : Finding.Outcome.HEALED,
              still ? outcome.reason() + "; " + PULL : ""));
    }
  }

  private static Finding finding(
      OwnedLayer layer, TreeDamage damage, Finding.Outcome outcome, String advice) {
    return new Finding(
        Finding.Subject.LAYER,
        layer.shown(),
        layer.namespaces(),
        damage.path(),
        damage.damage(),
        damage.detail(),
        outcome,
        advice);
  }

  /** Compares records with each other and with what they are of. */
  void records() throws InterruptedException {
    if (deep) {
      for (String damage : parts.records().damages()) {
        tell(
            new Finding(
                Finding.Subject.RECORD,
                "store",
                List.of(),
                "",
                Damage.RECORD,
                damage,
                repair ? Finding.Outcome.LEFT : Finding.Outcome.FOUND,
                "stop the daemon and restore the store from a backup, or pull the images into a"
                    + " new root"));
      }
    }
    for (StorageRecords.Dangling one : dangling()) {
      tell(
          new Finding(
              Finding.Subject.RECORD,
              one.kind() + " " + one.name(),
              List.of(one.namespace()),
              "",
              Damage.MISSING,
              one.missing() + " is not there",
              repair ? Finding.Outcome.LEFT : Finding.Outcome.FOUND,
              "remove the " + one.kind() + " or bring back what it refers to"));
    }
    Set<LayerName> known = new HashSet<>();
    parts
        .trees()
        .forEach(
            (snapshotter, trees) ->
                trees.keys().forEach(key -> known.add(new LayerName(snapshotter, key))));
    for (StorageRecords.Snapshot one : parts.records().snapshots()) {
      CheckedTrees trees = parts.trees().get(one.snapshotter());
      LayerName name = new LayerName(one.snapshotter(), one.backendKey());
      if (trees != null && !known.contains(name) && isLost(trees, one)) {
        tell(
            new Finding(
                Finding.Subject.RECORD,
                "snapshot " + one.snapshotter() + "/" + one.key(),
                List.of(one.namespace()),
                "",
                Damage.MISSING,
                "the snapshotter does not know it",
                repair ? Finding.Outcome.LEFT : Finding.Outcome.FOUND,
                "remove the snapshot, or the image and what was made of it, and pull again"));
      }
    }
  }

  /** Whether a record is of nothing, seen again after what may have happened meanwhile. */
  private boolean isLost(CheckedTrees trees, StorageRecords.Snapshot snapshot) {
    return !trees.keys().contains(snapshot.backendKey())
        && parts.records().snapshots().contains(snapshot);
  }

  /** Clients remove a container's snapshot first and its record after: a moment is no damage. */
  private List<StorageRecords.Dangling> dangling() throws InterruptedException {
    List<StorageRecords.Dangling> first = parts.records().dangling();
    if (first.isEmpty()) {
      return first;
    }
    TimeUnit.NANOSECONDS.sleep(MOMENT.toNanos());
    List<StorageRecords.Dangling> still = parts.records().dangling();
    return first.stream().filter(still::contains).toList();
  }
}
