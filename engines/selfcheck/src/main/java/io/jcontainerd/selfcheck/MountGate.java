package io.jcontainerd.selfcheck;

import io.jcontainerd.core.failure.CancelledException;
import io.jcontainerd.core.failure.DataLossException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.core.snapshots.Snapshotter;
import io.jcontainerd.store.Schema;
import io.jcontainerd.store.Store;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Keeps layers that are in doubt from being mounted before they were looked at and healed. While no
 * layer is in doubt, passing it costs a look at an empty map. Safe for many threads.
 */
public final class MountGate {
  private static final Logger LOG = System.getLogger(MountGate.class.getName());

  /** The tables; to be given to {@link Store#open}. */
  public static final Schema SCHEMA = States.SCHEMA;

  private final States states;
  private volatile @Nullable LayerHealer healer;
  private volatile @Nullable String unguarded;

  /**
   * A gate that knows what was in doubt when the daemon last ran.
   *
   * @param store opened with {@link #SCHEMA}
   */
  public MountGate(Store store, Time time) {
    this.states = new States(store, time);
  }

  States states() {
    return states;
  }

  void opens(LayerHealer by) {
    healer = by;
  }

  /**
   * Says that nobody will look at layers. Those that were found damaged are refused all the same;
   * those that are only suspected are used, and looked at when the self-check runs again.
   *
   * @param why for people
   */
  public void staysUnguarded(String why) {
    long suspects = states.doubts().values().stream().filter(States.Doubt::suspect).count();
    if (suspects > 0) {
      LOG.log(
          Level.WARNING,
          "{0} layers may have been damaged when the machine went down, and are used without being"
              + " looked at: {1}",
          suspects,
          why);
    }
    unguarded = why;
  }

  /** The snapshotter, with whatever it mounts passing the gate. */
  public Snapshotter before(String name, Snapshotter snapshotter) {
    return new GuardedSnapshotter(name, snapshotter, this);
  }

  /**
   * Lets pass what stands on a snapshot and on its parents, looking at those in doubt first.
   *
   * @throws DataLossException if one is damaged and cannot be healed now
   */
  void pass(String name, Snapshotter snapshotter, String key) {
    if (states.noDoubts()) {
      return;
    }
    List<LayerName> doubtful = new ArrayList<>();
    try {
      for (String at = key; !at.isEmpty(); at = snapshotter.stat(at).parent()) {
        LayerName layer = new LayerName(name, at);
        if (states.doubt(layer).isPresent()) {
          doubtful.addFirst(layer);
        }
      }
    } catch (NotFoundException _) {
      return; // the snapshotter itself says what is missing
    }
    for (LayerName layer : doubtful) {
      pass(layer);
    }
  }

  private void pass(LayerName layer) {
    Optional<States.Doubt> doubt = states.doubt(layer);
    if (doubt.isEmpty()) {
      return;
    }
    LayerHealer by = healer;
    if (by == null) {
      passUnseen(layer, doubt.get());
      return;
    }
    try {
      LayerHealer.Outcome outcome = by.settle(layer);
      if (outcome.refused()) {
        throw new DataLossException(
            "layer "
                + layer
                + " is damaged and is not used: "
                + outcome.reason()
                + "; pull its image again, or see jctr fsck --repair");
      } else if (!outcome.healed()) {
        LOG.log(
            Level.WARNING,
            "layer {0} is used though nobody can tell whether it is intact: {1}",
            layer,
            outcome.reason());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CancelledException("layer " + layer + ": interrupted", e);
    }
  }

  private void passUnseen(LayerName layer, States.Doubt doubt) {
    String why = unguarded;
    if (why == null) {
      throw new UnavailableException(
          "layer " + layer + " is in doubt, and the daemon is not ready to look at it yet");
    }
    if (!doubt.suspect()) {
      throw new DataLossException(
          "layer "
              + layer
              + " is damaged and is not used: "
              + doubt.reason()
              + "; the self-check, which could heal it, does not run: "
              + why
              + "; remove its image and pull it again");
    }
  }
}
